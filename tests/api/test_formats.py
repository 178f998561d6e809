# SPDX-License-Identifier: MIT
"""Every export format from the request to the download: the same rows, each in its own way."""

import csv
import gzip
import io
import json
import re

import openpyxl

from api.conftest import assert_problem

SOME = {"export": "books_plain", "params": {"added_since": "2025-01-01"}}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export(stack, type_name, **options):
    """The finished task and the answer to its download."""
    task = stack.finish(stack.create(type_name, {**SOME, **options})["id"])
    assert task["status"] == "success", task
    answer = stack.request("GET", task["links"]["download"])
    assert answer.status_code == 200
    return task, answer


def without_origin(content):
    """An HTML page says when it was asked for, and by which task."""
    return re.sub(rb"<time datetime=.*?</time> \(task \d+\)", b"", content)


def test_same_rows_in_every_format(stack):
    plain = list(csv.reader(io.StringIO(export(stack, "csv_export")[1].content.decode(), newline="")))
    task, answer = export(stack, "json_export")
    rows = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/json"
    assert list(rows[0]) == plain[0]
    assert [str(row["id"]) for row in rows] == [row[0] for row in plain[1:]]
    assert task["result"]["rows"] == len(rows) > 10
    task, answer = export(stack, "json_export", lines=True)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"].endswith('.jsonl"')
    assert [json.loads(line) for line in answer.content[:-1].split(b"\n")] == rows
    task, answer = export(stack, "xlsx_export")
    assert answer.headers["Content-Type"] == XLSX and answer.headers["Content-Disposition"].endswith('.xlsx"')
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == plain[0]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [row["id"] for row in rows]
    assert {"sheets", "truncated", "numbers_as_text", "dates_as_text"} <= set(task["result"])


def test_gzip(stack):
    for type_name, ext in (("csv_export", "csv"), ("html_export", "html"), ("json_export", "json")):
        plain = export(stack, type_name)[1].content
        task, answer = export(stack, type_name, gzip=True)
        assert answer.headers["Content-Type"] == "application/gzip" and "Content-Encoding" not in answer.headers
        assert answer.headers["Content-Disposition"].endswith(f'.{ext}.gz"')
        packed = gzip.decompress(answer.content)
        assert without_origin(packed) == without_origin(plain) and len(plain) > 1000
        assert task["result"]["bytes"] == len(answer.content) < len(plain)
        part = stack.request("GET", task["links"]["download"], headers={"Range": "bytes=0-9"})
        assert (part.status_code, part.content) == (206, answer.content[:10])


def test_options_are_checked(stack):
    for type_name, data, pointer in (("xlsx_export", {"gzip": True}, "/data/gzip"), ("csv_export", {"lines": True}, "/data/lines"),
                                     ("json_export", {"lines": "yes"}, "/data/lines")):
        answer = stack.request("POST", "/v1/tasks", json={"type": type_name, "data": {"export": "books", **data}})
        assert_problem(answer, 422, "invalid_task")
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


def test_catalogue(stack):
    types = {t["name"]: t for t in stack.request("GET", "/v1/tasks/types").json()["types"]}
    branch = types["json_export"]["parameters"]["oneOf"][0]["properties"]
    assert (branch["lines"]["type"], branch["gzip"]["default"]) == ("boolean", False)
    assert "gzip" not in types["xlsx_export"]["parameters"]["oneOf"][0]["properties"]
    assert "json_export" in stack.taskctl("types").stdout
