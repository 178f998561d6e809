# SPDX-License-Identifier: MIT
"""Every column type, value for value and byte for byte as the server itself writes it."""

import csv
import hashlib
import io

import pytest

from column_types import COLUMNS
from formats import Table, csv_file, read, shown


@pytest.fixture(scope="module")
def all_types(server):
    """A table with every type; row i has the i-th value of each column, or NULL, or its last one."""
    columns = ", ".join(f"c{i} {t}" + ("" if "NULL" in t else " NULL") for i, (t, _) in enumerate(COLUMNS))
    rows = max(len(v) for _, v in COLUMNS)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE DATABASE every")
        cursor.execute("USE every")
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        cursor.execute(f"CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, {columns})")
        for n in range(rows):
            cursor.execute(f"INSERT INTO t VALUES ({n + 1}, "
                           + ", ".join(v[n] if n < len(v) else "NULL" for _, v in COLUMNS) + ")")


# how the rows are read: key, further settings, and what is asked for
READINGS = {
    "paged": (["id"], {}, "SELECT * FROM every.t"),
    "one by one": (["id"], {"page_rows": 1}, "SELECT * FROM every.t"),
    "snapshot": (["id"], {"snapshot": 1, "page_rows": 2}, "SELECT * FROM every.t"),
    "one read": ([], {}, "SELECT * FROM every.t ORDER BY id"),
    "materialised": (["id"], {"page_rows": 3}, "SELECT DISTINCT * FROM every.t LIMIT 1000"),
}


@pytest.mark.parametrize("reading", READINGS)
def test_every_type(site, all_types, reading):
    key, settings, query = READINGS[reading]
    settings = {k: "yes" if k == "snapshot" else v for k, v in settings.items()}
    site.export("all", query, key, formula_guard="no", **settings)
    names, kinds, rows = read(site, "SELECT * FROM every.t ORDER BY id")
    outcome = site.run("csv_export")
    assert outcome.end == "success", outcome.message
    expected = csv_file(names, kinds, rows)
    if outcome.data != expected:
        ours = list(csv.reader(io.StringIO(outcome.data.decode(), newline=""), strict=True))
        for row, want in zip(ours[1:], rows):
            for name, kind, a, b in zip(names, kinds, row, want):
                assert a == (shown(b, kind) or ""), (name, COLUMNS[int(name[1:] or -1)][0])
    assert outcome.data == expected
    assert outcome.info["sha256"] == hashlib.sha256(expected).hexdigest()
    assert outcome.result == {"rows": len(rows), "bytes": len(expected), "format": "csv",
                              "filename": "all-2026-11-21.csv"}
    table = Table(site.run("html_export").data)
    assert table.head == names
    assert table.rows == [[shown(v, k) if v is None else shown(v, k).replace("\0", "\ufffd")
                           for v, k in zip(row, kinds)] for row in rows]


def test_strict_csv_tells_null_from_empty(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9), c VARBINARY(9))",
             "INSERT INTO t VALUES (1, NULL, '', ''), (2, '', NULL, NULL), (3, ' ', '\"\"', '\"')")
    site.export("t", "SELECT * FROM t", ["id"])
    data = site.run().data
    assert data == b'id,a,b,c\r\n1,,"",""\r\n2,"",,\r\n3, ,"""""",Ig==\r\n'
    assert list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))[1:] == [
        ["1", "", "", ""], ["2", "", "", ""], ["3", " ", '""', "Ig=="]]


def test_text_of_null(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9), b VARBINARY(9))",
             "INSERT INTO t VALUES (1, NULL, NULL), (2, 'NULL', FROM_BASE64('NULL')), (3, '', '')")
    site.export("t", "SELECT * FROM t", ["id"], null="NULL")
    assert site.run().data == b'id,a,b\r\n1,NULL,NULL\r\n2,"NULL","NULL"\r\n3,"",""\r\n'


def test_bom_and_hex(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, b VARBINARY(9))", "INSERT INTO t VALUES (1, X'00ab')")
    site.export("t", "SELECT * FROM t", ["id"], bom="yes", binary="hex")
    assert site.run().data == b"\xef\xbb\xbfid,b\r\n1,00AB\r\n"


FORMULAS = ["=1+1", "+49 30", "-5", "@SUM(1)", "\ttab", "\rcr", "\nlf", "'=x", "''=x", "'quoted", "'", "--",
            "=x,\"y\"", "a=b", "1-2", "＝1+1", "", "'\t"]


@pytest.mark.parametrize("guard", ["yes", "no"])
def test_formulas(site, guard):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT, n INT, d DECIMAL(5,2), f DOUBLE, e ENUM('=e','x'), j JSON,"
             " dt TIME)")
    for n, text in enumerate(FORMULAS):
        site.sql(("INSERT INTO t VALUES (%s, %s, -5, -5.5, -1e-9, '=e', '{}', '-01:00:00')", (n, text)))
    site.export("t", "SELECT * FROM t", ["id"], formula_guard=guard)
    names, kinds, rows = read(site, "SELECT * FROM t ORDER BY id")
    data = site.run().data
    assert data == csv_file(names, kinds, rows, guard == "yes")
    back = [row[1] for row in csv.reader(io.StringIO(data.decode(), newline=""), strict=True)][1:]
    for text, cell in zip(FORMULAS, back):
        assert cell == text or (guard == "yes" and cell == "'" + text)
        assert guard == "no" or not cell.startswith(tuple("=+-@\t\r\n"))


def test_header_cells_are_quoted(site):
    site.export("t", 'SELECT 1 AS `a,b`, 2 AS `say "hi"`, 3 AS `two\nlines`, 4 AS `<b>`, 5 AS `=x`')
    assert site.run().data == b'"a,b","say ""hi""","two\nlines",<b>,=x\r\n1,2,3,4,5\r\n'
    assert Table(site.run("html_export").data).head == ["a,b", 'say "hi"', "two\nlines", "<b>", "=x"]


def test_backquoted_key_name(site):
    site.export("t", "SELECT 1 AS `we``ird`, 2 AS b UNION SELECT 2, 3", ["we`ird"], page_rows=1)
    assert site.run().data == b"we`ird,b\r\n1,2\r\n2,3\r\n"


@pytest.mark.parametrize("key", [["id"], []])
def test_no_rows(site, key):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b LONGTEXT)")
    site.export("t", "SELECT * FROM t", key)
    outcome = site.run()
    assert outcome.end == "success" and outcome.result["rows"] == 0
    assert outcome.data == b"id,a,b\r\n"
    page = site.run("html_export")
    table = Table(page.data)
    assert table.head == ["id", "a", "b"] and table.rows == []
    assert b'id="rows">0 rows.' in page.data


def test_html_document(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)",
             "INSERT INTO t VALUES (1, '<b>Bold</b> & <script>alert(1)</script>'), (2, '</td></tr></table>'),"
             " (3, NULL), (4, ''), (5, 'NULL'), (6, 'a\\r\\nb'), (7, '\"q\" ''a''')")
    site.export("t", "SELECT * FROM t WHERE id < :max AND :owner = 7", ["id"],
                'param "max" { type = integer default = "1000" }',
                title="<i>My</i> & \"books\"", description="All </title> of them")
    data = site.run("html_export", {"params": {"max": 9}}, owner=7).data
    table = Table(data)
    assert data.startswith(b"<!doctype html>\n") and b"<script" not in data and b"onload" not in data
    tags = [t for t, _ in table.attributes]
    assert ("html", {"lang": "en"}) in table.attributes and ("meta", {"charset": "utf-8"}) in table.attributes
    assert table.texts["title"] == ['<i>My</i> & "books"'] == table.texts["h1"]
    assert table.texts["caption"] == ['<i>My</i> & "books", one row each']
    assert [a for t, a in table.attributes if t == "th"] == [{"scope": "col"}] * 2
    assert table.rows == [["1", "<b>Bold</b> & <script>alert(1)</script>"], ["2", "</td></tr></table>"],
                          ["3", None], ["4", ""], ["5", "NULL"], ["6", "a\r\nb"], ["7", "\"q\" 'a'"]]
    assert tags.count("table") == tags.count("tbody") == 1 and "i" not in tags and "b" not in tags
    assert b"Made for user 7" in data and b'<time datetime="2026-11-21T09:30:00.000000Z">' in data
    assert b'id="rows">7 rows.' in data and b"prefers-color-scheme:dark" in data and b"@media print" in data
    assert b"http" not in data


def test_many_rows_of_html(site):
    site.export("t", "SELECT seq AS id FROM seq_1_to_1234", ["id"])
    data = site.run("html_export").data
    table = Table(data)
    assert [row[0] for row in table.rows] == [str(n) for n in range(1, 1235)]
    assert [t for t, _ in table.attributes].count("tbody") == 3
    assert b'id="rows">1,234 rows.' in data


def test_file_name_and_mode(site):
    site.export("t", "SELECT 1 AS a", filename="my/books\tof \"ü\"")
    outcome = site.run()
    assert outcome.info["filename"] == 'my_books_of "ü"-2026-11-21.csv'
    assert outcome.path.stat().st_mode & 0o777 == 0o640
    assert outcome.path.parent.stat().st_mode & 0o777 == 0o750
    assert outcome.info["format"] == "csv" and outcome.info["rows"] == 1
    assert outcome.info["path"].split("/")[2].startswith("1-1-")
