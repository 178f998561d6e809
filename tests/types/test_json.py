# SPDX-License-Identifier: MIT
"""JSON exports: read back by a parser that keeps every digit."""

import json

import pytest

from every_type import COLUMNS
from formats import json_value, parse_json, read, type_codes

MIB = 1 << 20


def lines(data):
    assert data.endswith(b"\n")
    return [parse_json(line) for line in data[:-1].split(b"\n")]


@pytest.mark.parametrize("key,settings", [(["id"], {}), (["id"], {"page_rows": 1}), ([], {})])
def test_every_type(site, all_types, key, settings):
    query = "SELECT * FROM every.t"
    site.export("all", query + ("" if key else " ORDER BY id"), key, **settings)
    names, kinds, rows = read(site, query + " ORDER BY id")
    codes = type_codes(site, query)
    json_columns = {f"c{i}" for i, (name, _) in enumerate(COLUMNS) if name == "JSON"}
    expected = [{n: json_value(v, k, c, n in json_columns) for n, v, k, c in zip(names, row, kinds, codes)}
                for row in rows]
    outcome = site.run("json_export")
    assert outcome.end == "success", outcome.message
    got = parse_json(outcome.data)
    for row, want in zip(got, expected):
        assert list(row) == names
        for name in names:
            assert (row[name], type(row[name])) == (want[name], type(want[name])), name
    assert got == expected
    assert outcome.result == {"rows": len(rows), "bytes": len(outcome.data), "format": "json",
                              "filename": "all-2026-11-21.json"}
    outcome = site.run("json_export", {"lines": True})
    assert [json.dumps(row) for row in lines(outcome.data)] == [json.dumps(row) for row in expected]
    assert outcome.result["filename"] == "all-2026-11-21.jsonl" and outcome.info["format"] == "jsonl"
    assert outcome.info["path"].endswith(".jsonl")


def test_layout(site):
    site.export("t", "SELECT 1 AS id, 'a' AS `say \"hi\"`, NULL AS n UNION SELECT 2, 'b', NULL", ["id"])
    assert site.run("json_export").data == (b'[\n{"id":1,"say \\"hi\\"":"a","n":null},\n'
                                            b'{"id":2,"say \\"hi\\"":"b","n":null}\n]\n')
    assert site.run("json_export", {"lines": True}).data == (b'{"id":1,"say \\"hi\\"":"a","n":null}\n'
                                                             b'{"id":2,"say \\"hi\\"":"b","n":null}\n')


def test_no_rows(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    site.export("t", "SELECT * FROM t", ["id"])
    assert site.run("json_export").data == b"[]\n"
    assert site.run("json_export", {"lines": True}).data == b""


def test_json_columns(site):
    """Embedded wherever the server says that it is JSON; what is none all the same is a string."""
    values = ['{"a":\n [1, 2.50]}', '"text"', "-0.10", "null", '{"a": 1, "a": 2}', '"\\ud800"', "1e400"]
    site.sql("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, j JSON, plain TEXT)")
    site.sql("SET check_constraint_checks = 0",
             *[("INSERT INTO t (j, plain) VALUES (%s, %s)", (value, value)) for value in values],
             "INSERT INTO t (j, plain) VALUES ('{\"a\":\\n', 'x')")
    site.export("t", "SELECT id, j, plain, JSON_EXTRACT(j, '$.a') AS e, JSON_OBJECT('o', id) AS o FROM t", ["id"])
    got = site.run("json_export", {"lines": True}).data.decode()[:-1].split("\n")
    for line, value in zip(got, values):
        assert f'"j":{value},"plain":"'.replace("\n", " ") in line
    assert '"j":"{\\"a\\":\\n","plain"' in got[-1]
    assert got[0].endswith('"e":[1, 2.50],"o":{"o": 1}}') and len(got) == len(values) + 1


def test_booleans(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a BOOLEAN, b BIT(1), c TINYINT(1), d BOOLEAN)",
             "INSERT INTO t VALUES (1, TRUE, b'1', -128, 1), (2, FALSE, b'0', 0, 0), (3, NULL, NULL, NULL, NULL)")
    site.export("t", "SELECT * FROM t", ["id"], more='booleans = {"a", "b", "c"}')
    got = parse_json(site.run("json_export").data)
    assert [[row[n] for n in "abcd"] for row in got] == [[True, True, True, "1"], [False, False, False, "0"],
                                                         [None] * 4]
    assert site.run("csv_export").data.splitlines()[1] == b"1,1,1,-128,1"
    for name, query in (("none", "SELECT 1 AS id"), ("text", "SELECT 1 AS id, 'a' AS a")):
        site.export(name, query, ["id"], more='booleans = {"a"}')
        outcome = site.run("json_export", {"export": name})
        assert (outcome.end, outcome.code) == ("failed_final", "invalid_booleans")
        assert "\"a\"" in outcome.message


def test_two_columns_of_one_name(site):
    site.export("t", "SELECT 1 AS a, 2 AS A, 3 AS a")
    outcome = site.run("json_export")
    assert (outcome.end, outcome.code) == ("failed_final", "duplicate_columns")
    assert 'export "t" has two columns "a"' in outcome.message
    assert site.left() == []
    assert site.run("csv_export").data == b"a,A,a\r\n1,2,3\r\n"


def test_binary_as_hex(site):
    site.export("t", "SELECT X'00ab' AS b", binary="hex")
    assert site.run("json_export").data == b'[\n{"b":"00AB"}\n]\n'


def test_long_values(site, peak_limit_kib):
    """Of every length around the limits, with characters of every size; JSON that is none among them."""
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, m LONGTEXT, j JSON, x LONGBLOB)")
    texts = ["é€😀\"\\\n\u0001a" * n for n in (1, 300, 700, 1000, 30000, 120000)] + ["\u0000" * 6000, "x" + "😀" * 400000]
    for n, text in enumerate(texts):
        site.sql("SET check_constraint_checks = 0",
                 ("INSERT INTO t VALUES (%s, %s, JSON_OBJECT('a', %s), %s)", (n, text, text, text.encode())),
                 ("INSERT INTO t VALUES (%s, NULL, %s, NULL)", (100 + n, "[" + text)))
    names, kinds, rows = read(site, "SELECT * FROM t ORDER BY id")
    codes = type_codes(site, "SELECT * FROM t")
    expected = [{n: json_value(v, k, c, n == "j" and int(row[0]) < 100)
                 for n, v, k, c in zip(names, row, kinds, codes)} for row in rows]
    site.export("t", "SELECT * FROM t", ["id"])
    site.export("w", "SELECT * FROM t ORDER BY id")
    outcome = site.run("json_export", {"export": "t"})
    assert outcome.end == "success", outcome.message
    assert parse_json(outcome.data) == expected
    assert not peak_limit_kib or outcome.peak_kib < peak_limit_kib, outcome.peak_kib
    whole = site.run("json_export", {"export": "w", "lines": True})
    assert lines(whole.data) == expected
    assert outcome.data == b"[\n" + whole.data[:-1].replace(b"\n", b",\n") + b"\n]\n"


def test_bytes_that_are_no_text(site):
    """What a server hands out as text without being it does not break the file."""
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a VARBINARY(20))", "INSERT INTO t VALUES (1, X'61FF62'), (2, X'C3')",
             "ALTER TABLE t MODIFY a VARCHAR(20) CHARACTER SET latin1", "ALTER TABLE t MODIFY a VARBINARY(20)")
    site.export("t", "SELECT id, CONVERT(a USING utf8mb4) AS a FROM t", ["id"])
    parse_json(site.run("json_export").data)


def test_many_rows_in_flat_memory(site, peak_limit_kib):
    count = 1000000 if peak_limit_kib else 100000
    site.export("t", f"SELECT seq AS id, MD5(seq) AS m, seq * 0.01 AS d FROM seq_1_to_{count}", ["id"])
    outcome = site.run("json_export", {"lines": True})
    assert outcome.data.count(b"\n") == outcome.result["rows"] == count
    assert not peak_limit_kib or outcome.peak_kib < peak_limit_kib // 2, outcome.peak_kib
