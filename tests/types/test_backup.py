# SPDX-License-Identifier: MIT
"""Backups: what is restored is what was there; whatever goes wrong leaves no file, and says why."""

import gzip
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from proc import alive

EXPAND = {"zstd": lambda data: subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout,
          "gzip": gzip.decompress, "none": lambda data: data}
EXTENSION = {"zstd": "sql.zst", "gzip": "sql.gz", "none": "sql"}
DUMP = shutil.which("mariadb-dump") or shutil.which("mysqldump")
LEAST = ("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON site.* TO dumper@localhost",
         "GRANT SELECT ON mysql.proc TO dumper@localhost")
THINGS = (
    "CREATE TABLE kinds (id INT PRIMARY KEY AUTO_INCREMENT, t TEXT, b BLOB, d DECIMAL(30, 10), f DOUBLE, j JSON,"
    " ts TIMESTAMP(6) NULL, y YEAR, e ENUM('a', 'ö'), bits BIT(9), g INT AS (CHAR_LENGTH(t)) STORED)",
    "INSERT INTO kinds (t, b, d, f, j, ts, y, e, bits) VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
    " ('', '', 0, -0.1, '{\"a\": [1.10]}', '2026-11-21 09:30:00.123456', 2026, 'ö', b'101010101'),"
    " ('-- Dump completed\\n;\\'\"`\\\\\\0📚', UNHEX('00ff0a0d27225c1a'), 12345678901234567890.0123456789, 1e300, '[]',"
    " '1970-01-02 00:00:00', 1999, 'a', 1)",
    "CREATE TABLE log (what VARCHAR(20))",
    "CREATE VIEW shown AS SELECT id, t FROM kinds",
    "CREATE TRIGGER noted AFTER INSERT ON kinds FOR EACH ROW INSERT INTO log VALUES ('insert')",
    "CREATE PROCEDURE twice(n INT) SELECT n * 2",
    "CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log",
)
PARTS = {
    "tables": "SELECT table_name, table_type, engine FROM information_schema.tables WHERE table_schema = '{0}'",
    "triggers": "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = '{0}'",
    "routines": "SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema = '{0}'",
    "events": "SELECT event_name, event_definition FROM information_schema.events WHERE event_schema = '{0}'",
}


@pytest.fixture
def backup(site):
    """The site with a table of 50,000 rows; backup.set(...) says how section backup looks."""
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(100))",
             "INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_50000")

    def configure(**settings):
        lines = [f"{name} = {value}" for name, value in settings.items()]
        site.exports[:] = ["backup \"site\" {\n" + "\n".join(lines) + "\n}\n"]
    site.set = configure
    site.set()
    yield site
    site.sql("DROP USER IF EXISTS dumper@localhost")


@pytest.fixture
def program(backup):
    """program(text): the dump program is this shell script; $DUMP is the real one."""
    def write(text):
        path = backup.directory / "dump"
        path.write_text(f'#!/bin/sh\nDUMP={DUMP}\n[ "$1" != --version ] || exec $DUMP --version\n{text}\n')
        path.chmod(0o755)
        backup.set(program=f'"{path}"')
        return path
    return write


def restore(site, dump, name="restored"):
    with site.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    subprocess.run(["mariadb", "--no-defaults", "-uroot", f"--socket={site.server.socket}", name], input=dump, check=True)


def assert_same(site, name="restored"):
    """Both databases hold the same, row by row."""
    tables = [table for table, kind, _ in site.sql(PARTS["tables"].format("site")) if kind == "BASE TABLE"]
    for table in tables:
        sums = [site.sql(f"CHECKSUM TABLE {database}.{table} EXTENDED")[0][1] for database in ("site", name)]
        assert sums[0] == sums[1] is not None, table
        assert sorted(map(str, site.sql(f"SELECT * FROM site.{table} LIMIT 1000"))) == \
            sorted(map(str, site.sql(f"SELECT * FROM {name}.{table} LIMIT 1000")))
    for part, query in PARTS.items():
        assert sorted(site.sql(query.format("site"))) == sorted(site.sql(query.format(name))), part
    if site.sql(PARTS["triggers"].format("site")):
        assert "`site`" not in site.sql(f"SHOW CREATE VIEW {name}.shown")[0][1]


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("compression", EXPAND)
def test_a_restore_brings_everything_back(backup, compression, peak_limit_kib):
    backup.sql(*THINGS)
    backup.set(compression=compression)
    outcome = backup.run("backup", {"backup": "site"})
    assert outcome.end == "success", vars(outcome)
    info, result = outcome.info, outcome.result
    assert info["filename"] == f"site-2026-11-21T093000Z.{EXTENSION[compression]}"
    assert (info["format"], info["role"], info["series"], info["rows"]) == \
        (EXTENSION[compression], "admin", "backup:site", None)
    assert info["sha256"] == result["sha256"] == hashlib.sha256(outcome.data).hexdigest()
    dump = EXPAND[compression](outcome.data)
    assert (len(outcome.data), len(dump)) == (result["bytes"], result["uncompressed_bytes"])
    assert (result["backup"], result["tables"], result["views"]) == ("site", 3, 1)
    restore(backup, dump)
    assert_same(backup)
    assert outcome.progress[-1][1:] == [len(dump), len(dump), "bytes"]
    assert peak_limit_kib is None or outcome.peak_kib < peak_limit_kib
    backup.sql("DROP DATABASE restored")


def test_large_values(backup):
    backup.sql("CREATE TABLE large (id INT PRIMARY KEY, v LONGBLOB)",
               f"INSERT INTO large VALUES (1, REPEAT(X'00ff27', {10 << 20})), (2, 'x')")
    packet = backup.sql("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    outcome = backup.run("backup")
    assert outcome.end == "success", vars(outcome)
    assert 60 << 20 < outcome.result["longest_line"] < 61 << 20
    assert not any("max_allowed_packet" in line for line in outcome.log)
    restore(backup, EXPAND["zstd"](outcome.data))
    assert_same(backup)
    backup.sql("DROP DATABASE restored", f"SET GLOBAL max_allowed_packet = {48 << 20}")
    try:
        outcome = backup.run("backup")
    finally:
        backup.sql(f"SET GLOBAL max_allowed_packet = {packet}")
    assert outcome.end == "success", vars(outcome)
    assert any("max_allowed_packet" in line and str(48 << 20) in line for line in outcome.log)


def test_only_some_tables(backup):
    backup.sql("CREATE TABLE u (i INT)", "CREATE TABLE w (i INT)")
    for settings, expected in (({"tables": '{"t", "u"}'}, {"t", "u"}), ({"exclude": '{"u"}'}, {"t", "w"})):
        backup.set(compression="none", **settings)
        dump = backup.run("backup").data
        assert {name for name in "tuw" if f"CREATE TABLE `{name}`".encode() in dump} == expected
    backup.set(tables='{"t", "nothing"}')
    assert (outcome := backup.run("backup")).code == "table_missing" and outcome.end == "failed_final"


def test_the_least_rights_are_enough_and_fewer_are_noticed(backup):
    backup.sql(*THINGS, "CREATE OR REPLACE USER dumper@localhost IDENTIFIED BY 'a \"#\\\\;'' b'")
    backup.set(user='"dumper"', password=r'"wrong"')
    outcome = backup.run("backup")
    assert (outcome.end, outcome.code) == ("failed", "source_denied")
    backup.set(user='"dumper"', password=r'''"a \"#\\;' b"''')
    backup.sql("GRANT SELECT ON site.t TO dumper@localhost")
    outcome = backup.run("backup")
    assert (outcome.end, outcome.code) == ("failed_final", "grants_missing")
    assert "lacks SELECT, TRIGGER, EVENT, SELECT on mysql.proc, so" in outcome.message
    backup.sql("GRANT SELECT ON site.* TO dumper@localhost")
    outcome = backup.run("backup")
    assert "lacks SHOW VIEW, TRIGGER, EVENT, SELECT on mysql.proc, so" in outcome.message
    backup.sql(*LEAST)
    outcome = backup.run("backup")
    assert outcome.end == "success", vars(outcome)
    restore(backup, EXPAND["zstd"](outcome.data))
    assert_same(backup)
    assert backup.left() == [outcome.info["path"]]
    backup.sql("DROP DATABASE restored")


def test_tables_without_transactions(backup):
    backup.sql("CREATE TABLE m (i INT) ENGINE = MyISAM", "CREATE TABLE a (i INT) ENGINE = Aria")
    outcome = backup.run("backup")
    assert (outcome.end, outcome.code) == ("failed_final", "inconsistent_tables")
    assert "a (Aria), m (MyISAM)" in outcome.message and backup.left() == []
    backup.set(exclude='{"m", "a"}')
    assert backup.run("backup").end == "success"
    backup.set(allow_inconsistent="yes")
    outcome = backup.run("backup")
    assert outcome.end == "success" and any("a (Aria), m (MyISAM)" in line for line in outcome.log)


def test_one_moment(backup, program):
    """What changes while it runs is not in it."""
    go, reached = backup.directory / "go", backup.directory / "reached"
    os.mkfifo(go)
    program(f'$DUMP "$@" | {{ head -c 100000; >{reached}; cat {go} >/dev/null; cat; }}')
    backup.sql("ALTER TABLE t ADD COLUMN more VARCHAR(200) NOT NULL DEFAULT REPEAT('x', 200)")
    backup.exports[0] = backup.exports[0].replace("{\n", "{\ncompression = none\n", 1)
    process = backup.start("backup")
    backup.wait_for(process, reached.exists)
    backup.sql("UPDATE t SET v = 'changed' WHERE id > 25000", "DELETE FROM t WHERE id > 40000")
    go.write_bytes(b"")
    outcome = backup.end(process)
    assert outcome.end == "success", vars(outcome)
    assert b"changed" not in outcome.data
    restore(backup, outcome.data)
    assert backup.sql("SELECT COUNT(*), SUM(v = MD5(id)) FROM restored.t") == ((50000, 50000),)
    backup.sql("DROP DATABASE restored")


def test_the_password_is_in_no_argument_and_no_environment(backup, program):
    seen = backup.directory / "seen"
    program(f'tr "\\0" "\\n" </proc/$$/cmdline >{seen}; env >>{seen}; ls -l /proc/$$/fd >>{seen}; exec $DUMP "$@"')
    backup.sql("CREATE OR REPLACE USER dumper@localhost IDENTIFIED BY 'very-secret'", *LEAST)
    backup.exports[0] = backup.exports[0].replace("{\n", '{\nuser = "dumper"\npassword = "very-secret"\n', 1)
    outcome = backup.run("backup")
    assert outcome.end == "success", vars(outcome)
    text = seen.read_text()
    assert "--single-transaction" in text and "very-secret" not in text + str(vars(outcome))
    assert [Path(line.split(" -> ")[0]).name.split()[-1] for line in text.splitlines() if " -> " in line and
            "dump" in line and "memfd" in line] == ["3"]
    assert not any(b"very-secret" in path.read_bytes() for path in backup.files.rglob("*") if path.is_file())


def test_no_program(backup):
    backup.set(program='"/nowhere/mariadb-dump"')
    outcome = backup.run("backup")
    assert (outcome.end, outcome.code) == ("failed", "dump_program_missing")
    assert "/nowhere/mariadb-dump" in outcome.message and backup.left() == []


@pytest.mark.parametrize("script, code, message", [
    ('$DUMP "$@" | head -c 300000', "dump_incomplete", "cut off"),
    ('$DUMP "$@" | head -c 300000; echo; echo "-- Dump complete"', "dump_incomplete", "cut off"),
    ('$DUMP "$@"; echo; echo "-- more"', "dump_incomplete", "cut off"),
    ("exit 0", "dump_incomplete", "cut off"),
    ('$DUMP "$@"; echo "no luck" >&2; exit 3', "dump_failed", "exit status 3: no luck"),
    ('$DUMP "$@" | head -c 300000; kill -9 $$', "dump_failed", "ended by SIGKILL"),
])
def test_a_dump_that_is_not_whole(backup, program, script, code, message):
    path = program(script)
    outcome = backup.run("backup")
    assert (outcome.end, outcome.code) == ("failed", code) and message in outcome.message, vars(outcome)
    assert backup.left() == [] and path.exists()


def hanging(backup, program):
    """A started backup whose program writes on and on; and the pids of what it started."""
    pids = backup.directory / "pids"
    program(f'(echo $$; sh -c "echo \\$\\$; exec sleep 1000" & echo $!) >>{pids}; exec yes -- "-- Dump completed"')
    process = backup.start("backup")
    wait_for(lambda: pids.exists() and len(pids.read_text().split()) >= 2)
    return process, [int(pid) for pid in pids.read_text().split()]


def test_stop(backup, program):
    process, pids = hanging(backup, program)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert backup.end(process).end == "stopped"
    assert time.monotonic() - begin < 2
    assert backup.left() == []
    wait_for(lambda: not any(alive(pid) for pid in pids))


def test_killed_with_its_worker(backup, program):
    """The program does not outlive whoever reads it, and what is left is only a temporary file."""
    process, pids = hanging(backup, program)
    process.kill()
    process.communicate()
    wait_for(lambda: not alive(pids[0]))
    assert all(path.startswith("tmp/") for path in backup.left())
    for pid in pids:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_the_program_is_killed(backup, program):
    process, pids = hanging(backup, program)
    os.kill(pids[0], signal.SIGKILL)
    for pid in pids[1:]:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
    outcome = backup.end(process)
    assert (outcome.end, outcome.code) == ("failed", "dump_failed") and "SIGKILL" in outcome.message
    assert backup.left() == []


def test_disk_full(backup):
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))  # noqa: E731
    outcome = backup.end(backup.start("backup", preexec_fn=limit))
    assert (outcome.end, outcome.code) == ("failed", "storage_failed")
    assert backup.left() == []


@pytest.mark.parametrize("data", [{"backup": "other"}, {"backup": 1}, {"more": 1}, "{"])
def test_bad_data(backup, data):
    outcome = backup.run("backup", data)
    assert (outcome.end, outcome.code) == ("failed_final", "invalid_data")


def test_which_one_is_the_default(backup):
    backup.set()
    backup.exports.append('backup "other" { tables = {"t"} }\n')
    assert backup.run("backup").code == "invalid_data"
    assert backup.run("backup", {"backup": "other"}).result["backup"] == "other"
    backup.exports[1] = 'backup "other" { tables = {"t"} default = yes }\n'
    assert backup.run("backup").result["backup"] == "other"
