# SPDX-License-Identifier: MIT
"""Excel workbooks, read back by another library, cell by cell."""

import base64
import datetime
import re
import resource
import signal
import zipfile

import openpyxl
import pytest

from formats import DATE, DATETIME, TIME, excel_date, excel_number, excel_value, read, shown, type_codes, unescape
from proc import descriptors

PEAK_KIB = 64 * 1024


def cells(path):
    """The rows of each sheet as values."""
    book = openpyxl.load_workbook(path)
    return [[[unescape(cell.value) for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets]


def sheet_xml(path, number=1):
    return zipfile.ZipFile(path).read(f"xl/worksheets/sheet{number}.xml")


def same(cell, want):
    """Integers and floats are one in Excel; openpyxl reads times to a millisecond."""
    if isinstance(want, (datetime.datetime, datetime.timedelta)):
        return type(cell) is type(want) and abs(cell - want) <= datetime.timedelta(milliseconds=1)
    return cell == want and isinstance(cell, str) == isinstance(want, str)


@pytest.mark.parametrize("key", [["id"], []])
def test_every_type(site, all_types, key):
    query = "SELECT * FROM every.t"
    site.export("all", query + ("" if key else " ORDER BY id"), key)
    names, kinds, rows = read(site, query + " ORDER BY id")
    codes = type_codes(site, query)
    outcome = site.run("xlsx_export")
    assert outcome.end == "success", outcome.message
    (got,) = cells(outcome.path)
    assert got[0] == names and len(got) == len(rows) + 1
    for cell_row, row in zip(got[1:], rows):
        for name, cell, value, kind, code in zip(names, cell_row, row, kinds, codes):
            want = excel_value(value, kind, code)
            assert same(cell, want), (name, cell, want)
    flat = [(v, k, c) for row in rows for v, k, c in zip(row, kinds, codes) if v is not None]
    dates = [(shown(v, k), c) for v, k, c in flat if c in DATE | TIME | DATETIME]
    result = outcome.result
    assert result["dates_as_text"] == sum(excel_date(v, c) is None for v, c in dates) > 5
    numbers = [shown(v, k) for v, k, c in flat if k == "bit" or (k == "plain" and c not in DATE | TIME | DATETIME)]
    assert result["numbers_as_text"] == sum(excel_number(v) is None for v in numbers) > 5
    assert result["truncated"] == sum(k == "text" and len(v.encode("utf-16-le")) > 2 * 32767
                                      or k == "bytes" and len(v) > 24573 for v, k, _ in flat)
    assert (result["rows"], result["sheets"], result["format"]) == (len(rows), 1, "xlsx")
    assert result["filename"] == "all-2026-11-21.xlsx" and result["bytes"] == len(outcome.data)


def test_how_it_looks(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(99), price DECIMAL(9,2), day DATE, at DATETIME, took TIME(6))",
             "INSERT INTO t VALUES (1, 'a', 9.20, '2026-11-21', '2026-11-21 09:30:00', '26:00:00.5'),"
             " (2, NULL, NULL, NULL, NULL, NULL)")
    site.export("a1", "SELECT * FROM t", ["id"], title="My <books> & more")
    outcome = site.run("xlsx_export")
    book = openpyxl.load_workbook(outcome.path)
    sheet = book.worksheets[0]
    assert book.sheetnames == ["a1 1"] and book.properties.title == "My <books> & more"
    assert book.properties.created == book.properties.modified == datetime.datetime(2026, 11, 21, 9, 30)
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == "A1:F3" and sheet.print_title_rows in ("1:1", "$1:$1")
    assert all(cell.font.b for cell in sheet[1]) and not any(cell.font.b for cell in sheet[2])
    assert [cell.value for cell in sheet[2]] == [
        1, "a", 9.2, datetime.datetime(2026, 11, 21), datetime.datetime(2026, 11, 21, 9, 30),
        datetime.timedelta(hours=26, milliseconds=500)]
    formats = [cell.number_format.replace("\\", "") for cell in sheet[2]]
    assert formats == ["0", "General", "0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "[hh]:mm:ss.000"]
    assert site.run("xlsx_export").info["sha256"] == outcome.info["sha256"]  # another attempt


def test_microseconds(site):
    times = [("2026-11-21 09:30:00.000001", 46347), ("2026-11-21 23:59:59.999999", 46347), ("1900-03-01 12:00:00.5", 61)]
    site.export("t", " UNION ALL ".join(f"SELECT CAST('{t}' AS DATETIME(6)) AS t" for t, _ in times))
    serials = re.findall(rb"<v>([^<]+)</v>", sheet_xml(site.run("xlsx_export").path))
    for serial, (text, day) in zip(serials, times):
        clock = datetime.datetime.fromisoformat(text) - datetime.datetime.fromisoformat(text[:10])
        assert abs((float(serial) - day) * 86400e6 - clock / datetime.timedelta(microseconds=1)) < 1


AWKWARD = ["=1+1", "+1", "-1", "@SUM(1)", "{=1}", "http://example.org/", "mailto:a@example.org", "internal:A1", "'quoted",
           " space ", "\ttab", "line\nbreak", "cr\r\nlf\r", "\0nul", "\x01\x08\x0b\x1f\x7f", "_x0041_", "__x000D__",
           "_x005F_", "\uffff\ufffe", "<b>&amp;</b>", "😀 \u2028 e\u0301 עברית", "1e5", "007", "TRUE", "#REF!"]


def test_text_is_text(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT, j JSON)")
    for n, text in enumerate(AWKWARD):
        site.sql(("INSERT INTO t VALUES (%s, %s, '{}')", (n, text)))
    site.export("t", "SELECT * FROM t", ["id"])
    outcome = site.run("xlsx_export")
    (got,) = cells(outcome.path)
    assert [row[1] for row in got[1:]] == AWKWARD
    xml = sheet_xml(outcome.path)
    assert b"<f" not in xml and b"hyperlink" not in xml and xml.count(b'<c r="B') == len(AWKWARD) + 1
    assert all(kind == b"inlineStr" for kind in re.findall(rb'<c r="B\d+"(?: s="\d+")? t="(\w+)"', xml))
    assert not [name for name in zipfile.ZipFile(outcome.path).namelist() if "sheet1.xml.rels" in name]


def test_header_cells_are_text(site):
    site.export("t", "SELECT 1 AS `=1+1`, 2 AS `a\nb`, 3 AS `_x0041_`, 4 AS a, 5 AS a")
    (got,) = cells(site.run("xlsx_export").path)
    assert got == [["=1+1", "a\nb", "_x0041_", "a", "a"], [1, 2, 3, 4, 5]]


def test_no_rows(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)")
    site.export("t", "SELECT * FROM t", ["id"])
    outcome = site.run("xlsx_export")
    assert cells(outcome.path) == [[["id", "a"]]]
    assert outcome.result["rows"] == 0 and outcome.result["sheets"] == 1


def test_limits_of_a_cell(site):
    """32,767 units of UTF-16, whole characters; the count of what was cut."""
    texts = ["a" * 32767, "a" * 32768, "é" * 32768, "😀" * 16383, "😀" * 16384, "a" + "😀" * 16383, "ab" + "😀" * 16383]
    blobs = [b"\xff" * 24573, b"\xff" * 24574]
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a MEDIUMTEXT, b MEDIUMBLOB)")
    for n, text in enumerate(texts):
        site.sql(("INSERT INTO t VALUES (%s, %s, %s)", (n, text, blobs[n] if n < 2 else None)))
    site.export("t", "SELECT * FROM t", ["id"])
    site.export("h", "SELECT * FROM t", ["id"], binary="hex")
    outcome = site.run("xlsx_export", {"export": "t"})
    (got,) = cells(outcome.path)
    assert [row[1] for row in got[1:]] == [texts[0], texts[0], "é" * 32767, texts[3], texts[3], texts[5],
                                           "ab" + "😀" * 16382]
    assert [base64.b64decode(row[2]) for row in got[1:3]] == [blobs[0], blobs[0]]
    assert outcome.result["truncated"] == 5
    outcome = site.run("xlsx_export", {"export": "h"})
    assert cells(outcome.path)[0][1][2] == "FF" * 16383 and outcome.result["truncated"] == 6


def test_long_values(site, peak_limit_kib):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a LONGTEXT, b LONGBLOB, c VARCHAR(9))",
             "INSERT INTO t VALUES (1, REPEAT('é\"', 5000000), REPEAT(X'00FF', 5000000), 'x'), (2, 'short', NULL, 'y')")
    site.export("t", "SELECT * FROM t", ["id"])
    outcome = site.run("xlsx_export")
    (got,) = cells(outcome.path)
    assert got[1:] == [[1, ("é\"" * 16384)[:32767], base64.b64encode(b"\0\xff" * 12286 + b"\0").decode(), "x"],
                       [2, "short", None, "y"]]
    assert outcome.result["truncated"] == 2
    assert not peak_limit_kib or outcome.peak_kib < PEAK_KIB, outcome.peak_kib


def test_booleans(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, a BOOLEAN, b BIT(1))",
             "INSERT INTO t VALUES (1, TRUE, b'0'), (2, FALSE, b'1'), (3, NULL, NULL)")
    site.export("t", "SELECT * FROM t", ["id"], more='booleans = {"a", "b"}')
    (got,) = cells(site.run("xlsx_export").path)
    assert got[1:] == [[1, True, False], [2, False, True], [3, None, None]]


def test_more_rows_than_a_sheet_holds(site, peak_limit_kib):
    count = 1048575 + 2
    site.export("t", f"SELECT seq AS id FROM seq_1_to_{count}", ["id"])
    outcome = site.run("xlsx_export")
    assert outcome.end == "success", outcome.message
    assert (outcome.result["rows"], outcome.result["sheets"]) == (count, 2)
    row = rb'<row r="%d"><c r="A%d" s="\d+"><v>%d</v></c></row>'
    for number, first, rows in ((1, 1, 1048575), (2, 1048576, 2)):
        xml = sheet_xml(outcome.path, number)
        assert xml.count(b"<row ") == rows + 1
        assert re.search(row % (2, 2, first), xml[:4096]) and re.search(row % (rows + 1, rows + 1, first + rows - 1), xml[-4096:])
        assert b'<autoFilter ref="A1:A%d"/>' % (rows + 1) in xml and b'topLeftCell="A2"' in xml
    assert openpyxl.load_workbook(outcome.path, read_only=True).sheetnames == ["t 1", "t 2"]
    assert not peak_limit_kib or outcome.peak_kib < PEAK_KIB, outcome.peak_kib


@pytest.fixture
def table(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(100))", "INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_30000")
    site.export("t", "SELECT * FROM t", ["id"], page_rows=100)
    return site


def test_disk_full(table):
    """Wherever it happens: among the rows, while the library, which takes no notice, copies a sheet, in the package."""
    whole = len(sheet_xml(table.run("xlsx_export").path))
    for size in (100000, whole - 4000, whole - 1, whole):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        for path in table.files.rglob("*.xlsx"):
            path.unlink()
        outcome = table.end(table.start("xlsx_export", preexec_fn=limit))
        if size == whole:
            assert outcome.end == "success"
        else:
            assert (outcome.end, outcome.code) == ("failed", "storage_failed"), size
            assert "workbook" in outcome.message and table.left() == []


def test_no_descriptor_is_lost(table):
    """Wherever descriptors run out, also in the library, a worker can go on: it fails the same way each time."""
    table.export("few", "SELECT * FROM t WHERE id < 100", ["id"])
    seen = set()
    for most in range(5, 20):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        outcomes = table.end(table.start("xlsx_export", {"export": "few"}, options=("-n", "8"), preexec_fn=limit))
        ends = {(o.end, o.message) for o in outcomes}
        assert len(ends) == 1, (most, ends)
        seen |= ends
    assert ("success", "") in seen
    assert ("failed", "the workbook cannot be written: Error creating output xlsx file. Usually a permissions error.") in seen
    assert any("temporary file" in message for _, message in seen), seen


def unlinked(process):
    """The files that it has open and that have no name any more."""
    return [path for path in descriptors(process.pid).values() if path.endswith(" (deleted)")]


def test_nothing_is_left(table):
    """Not after a stop, and after kill -9 only what the runner removes by the claim's name."""
    table.export("slow", "SELECT id, v, SLEEP(0.001) AS s FROM t", ["id"], page_rows=20)

    def started():
        process = table.start("xlsx_export", {"export": "slow"})
        while not unlinked(process):
            assert process.poll() is None
        return process
    process = started()
    assert all(path.startswith(f"{table.files}/tmp/") for path in unlinked(process))
    process.send_signal(signal.SIGTERM)
    assert table.end(process).end == "stopped" and table.left() == []
    process = started()
    process.kill()
    process.wait()
    assert [path.rsplit(".", 2)[1:] for path in table.left()] == [["xlsx", "part"]]
