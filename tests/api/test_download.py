# SPDX-License-Identifier: MIT
"""Files: listed, downloaded, deleted; what a browser gets to see of them."""

import urllib.parse

import pytest

from api.conftest import assert_problem

CONTENT = b"id,title\r\n1,\"caf\xc3\xa9\"\r\n"


def test_both_ways(stack, make_file):
    task, file = make_file(CONTENT)
    for path in (f"/v1/tasks/{task}/download", f"/v1/tasks/exports/{file}/download"):
        answer = stack.request("GET", path)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="books.csv"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "X-Accel-Redirect" not in answer.headers
        head = stack.request("HEAD", path)
        assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(CONTENT)))
        tag = answer.headers["ETag"]
        assert stack.request("GET", path, headers={"If-None-Match": tag}).status_code == 304
        part = stack.request("GET", path, headers={"Range": "bytes=3-6", "If-Range": tag})
        assert (part.status_code, part.content) == (206, CONTENT[3:7])
        beyond = stack.request("GET", path, headers={"Range": "bytes=999-"})
        assert (beyond.status_code, beyond.json()["code"]) == (416, "bad_range")
        assert beyond.headers["Content-Type"].startswith("application/problem+json")
        assert beyond.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert stack.task(task)["links"]["download"] == f"/v1/tasks/{task}/download"


@pytest.mark.parametrize("file_format, name, content_type", [
    ("html", "b.html", "text/html; charset=utf-8"), ("json", "b.json", "application/json"),
    ("xlsx", "b.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("whatever", "b", "application/octet-stream")])
def test_content_types(stack, make_file, file_format, name, content_type):
    _, file = make_file(b"<script>alert(1)</script>", format=file_format, filename=name)
    answer = stack.request("GET", f"/v1/tasks/exports/{file}/download")
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name, plain, full", [
    ("my books.csv", "my books.csv", None),
    ("bücher.csv", "b_cher.csv", "bücher.csv"),
    ("книги 📚.csv", "_____ _.csv", "книги 📚.csv"),
    ('a"b;c.csv', "a_b;c.csv", 'a"b;c.csv'),
    ("50%20.csv", "50_20.csv", "50%20.csv"),
    ("../../etc/passwd", "_._.._etc_passwd", None),
    ("a\\b\r\nX-Evil: 1.csv", "a_b__X-Evil: 1.csv", None),
    (".htaccess", "_htaccess", None),
    ("gpj\u202eexe.csv", "gpj_exe.csv", None),
    ("a\tb\x7fc.csv", "a_b_c.csv", None),
    ("", "download", None),
])
def test_names(stack, make_file, name, plain, full):
    _, file = make_file(filename=name)
    answer = stack.request("GET", f"/v1/tasks/exports/{file}/download")
    assert answer.status_code == 200
    assert "X-Evil" not in answer.headers
    expected = f'attachment; filename="{plain}"'
    if full:
        expected += "; filename*=UTF-8''" + urllib.parse.quote(full, safe="")
    assert answer.headers["Content-Disposition"] == expected


def test_path_stays_inside(stack, make_file):
    """A row with a path that was not generated leads nowhere."""
    for path in ("../etc/passwd", "zz/../../etc/passwd", "/etc/passwd", "zz/%2e%2e/x", "zz/a?b#c", "a\r\nX-Evil:1"):
        _, file = make_file(path=path)
        answer = stack.request("GET", f"/v1/tasks/exports/{file}/download")
        assert answer.status_code in (404, 410, 500), path
        assert "X-Evil" not in answer.headers
        stack.sql("DELETE FROM csv_export WHERE id = %s", [file])


def test_no_file(stack, make, make_file):
    for status in ("fresh", "scheduled", "started"):
        task = make(status, run_at="2099-01-01 00:00:00" if status == "scheduled" else None)
        answer = stack.request("GET", f"/v1/tasks/{task}/download")
        assert_problem(answer, 409, "not_finished")
        assert answer.headers["Retry-After"]
    for status in ("success", "failure", "cancelled", "dropped"):
        assert_problem(stack.request("GET", f"/v1/tasks/{make(status)}/download"), 404, "not_found")
    task, file = make_file(expires_at="2026-01-01 00:00:00")
    assert_problem(stack.request("GET", f"/v1/tasks/{task}/download"), 410, "file_gone")
    assert_problem(stack.request("GET", f"/v1/tasks/exports/{file}/download"), 410, "file_gone")
    assert "download" not in stack.task(task)["links"]
    task, file = make_file(expires_at="2099-01-01 00:00:00")
    assert stack.request("GET", f"/v1/tasks/{task}/download").status_code == 200
    assert stack.task(task)["links"]["download"] == f"/v1/tasks/{task}/download"


def test_file_is_missing(stack, make_file):
    """The row is there and the bytes are not: nginx says so, as the pool would."""
    task, file = make_file(path=f"zz/{10**9}-1-abcdef.csv")
    gone = stack.request("GET", f"/v1/tasks/exports/{file}/download")
    assert gone.status_code == 410
    assert gone.headers["Content-Type"].split(";")[0] == "application/problem+json"
    stack.sql("DELETE FROM csv_export WHERE id = %s", [file])


def test_expiry_is_the_earlier_of_file_and_task(stack, make, make_file):
    march, april = "2099-03-01 00:00:00", "2099-04-01 00:00:00"
    for of_task, of_file, shown in ((march, april, "03"), (april, march, "03"), (march, None, "03"),
                                    (None, march, "03"), (None, None, None)):
        task = make("success", finished_at="2026-01-01 00:00:00", expires_at=of_task)
        make_file(task=task, expires_at=of_file)
        export = stack.request("GET", "/v1/tasks/exports?limit=1").json()["exports"][0]
        assert export["task_id"] == task
        assert export["expires_at"] == (shown and f"2099-{shown}-01T00:00:00.000000Z")


def test_list_and_delete(stack, make_file):
    made = [make_file(filename=f"{n}.csv", bytes=n)[1] for n in range(5)]
    foreign = make_file(user="grace")[1]
    seen, url = [], "/v1/tasks/exports?limit=2"
    while url:
        answer = stack.request("GET", url)
        seen += answer.json()["exports"]
        url = answer.links.get("next", {}).get("url")
    ids = [export["id"] for export in seen]
    assert ids == sorted(ids, reverse=True)
    assert set(made) <= set(ids) and foreign not in ids
    export = next(export for export in seen if export["id"] == made[3])
    assert list(export) == ["id", "task_id", "filename", "format", "bytes", "rows", "sha256", "created_at",
                            "expires_at", "links"]
    assert (export["filename"], export["format"], export["bytes"], export["rows"]) == ("3.csv", "csv", 3, 1)
    assert foreign in [export["id"] for export in
                       stack.request("GET", "/v1/tasks/exports?limit=500", "admin").json()["exports"]]
    path = f"/v1/tasks/exports/{made[0]}"
    assert stack.request("DELETE", path).status_code == 204
    assert_problem(stack.request("DELETE", path), 404)
    assert_problem(stack.request("GET", path + "/download"), 404)
    [[task]] = [[export["task_id"]] for export in seen if export["id"] == made[0]]
    assert stack.task(task)["links"].keys() == {"self"}


def test_empty_list(stack):
    """A user without files gets an empty list."""
    stack.sql("DELETE FROM csv_export WHERE owner_id = 100")
    from api.fastcgi import Connection
    with Connection(stack.state / "run" / "tasks.sock") as connection:
        answer = connection.request(path="/v1/tasks/exports", user=4711)
    assert (answer.status, answer.json()["exports"]) == (200, [])
