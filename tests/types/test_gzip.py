# SPDX-License-Identifier: MIT
"""Compressed exports: plain gzip files whose bytes depend on the rows alone."""

import gzip
import subprocess
import zlib

import pytest

MEMBER = 16 << 20


@pytest.fixture
def table(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, m CHAR(32), s VARCHAR(999), l LONGTEXT)",
             "INSERT INTO t SELECT seq, MD5(seq), REPEAT(MD5(-seq), seq % 20), NULL FROM seq_1_to_60000",
             "UPDATE t SET l = REPEAT('é', 1500000) WHERE id = 777")
    return site


def members(data):
    """What the members of a gzip file hold."""
    parts = []
    while data:
        reader = zlib.decompressobj(31)
        parts.append(reader.decompress(data))
        assert reader.eof
        data = reader.unused_data
    return parts


@pytest.mark.parametrize("type_name,options,ext", [("csv_export", {}, "csv"), ("html_export", {}, "html"),
                                                   ("json_export", {}, "json"), ("json_export", {"lines": True}, "jsonl")])
def test_holds_what_the_plain_file_holds(table, type_name, options, ext):
    table.export("t", "SELECT * FROM t WHERE id < 3000", ["id"])
    plain = table.run(type_name, options)
    packed = table.run(type_name, {**options, "gzip": True})
    assert packed.end == "success", packed.message
    assert gzip.decompress(packed.data) == plain.data
    assert subprocess.run(["gzip", "-t", packed.path]).returncode == 0
    assert packed.data[:9] == b"\x1f\x8b\x08\0\0\0\0\0\0"  # neither name nor time
    assert packed.info["filename"] == packed.result["filename"] == f"t-2026-11-21.{ext}.gz"
    assert packed.info["path"].endswith(f".{ext}.gz") and packed.info["format"] == ext
    assert packed.result["bytes"] == len(packed.data) and packed.result["rows"] == plain.result["rows"]


def test_members_end_behind_rows(table):
    table.export("paged", "SELECT * FROM t", ["id"], page_rows=70)
    table.export("snapshot", "SELECT * FROM t", ["id"], snapshot="yes")
    table.export("whole", "SELECT * FROM t ORDER BY id")
    outcomes = [table.run(data={"export": name, "gzip": True}) for name in ("paged", "snapshot", "whole")]
    assert len({o.info["sha256"] for o in outcomes}) == 1
    parts = members(outcomes[0].data)
    plain = table.run(data={"export": "paged"}).data
    assert b"".join(parts) == plain and len(parts) == len(plain) // MEMBER + 1 > 1
    for part in parts[:-1]:
        assert part.endswith(b"\r\n") and len(part) >= MEMBER
        assert part.rindex(b"\r\n", 0, -2) + 2 < MEMBER  # it was the first such row


def test_no_rows(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    site.export("t", "SELECT * FROM t", ["id"])
    assert gzip.decompress(site.run("json_export", {"lines": True, "gzip": True}).data) == b""
    assert gzip.decompress(site.run(data={"gzip": True}).data) == b"id\r\n"


def test_disk_full(table):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    table.export("t", "SELECT * FROM t", ["id"])
    outcome = table.end(table.start(data={"gzip": True}, preexec_fn=limit))
    assert (outcome.end, outcome.code) == ("failed", "storage_failed")
    assert table.left() == []
