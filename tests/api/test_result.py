# SPDX-License-Identifier: MIT
"""What tasks have returned, from their row or from a file; several files of one task; files of admins."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.conftest import assert_problem, later
from stack import wait_until

LONG = json.dumps({"rows": [{"n": n, "text": "ä"} for n in range(5000)]}, ensure_ascii=False).encode()


@pytest.fixture
def make_result(make_file):
    """make_result(...) -> (task id, file id) of a task with its result in a file."""
    def insert(content=LONG, **columns):
        return make_file(content, purpose="result", format="json", filename="result.json", rows=None, **columns)
    return insert


def links(stack, task, user="ada"):
    return stack.task(task, user)["links"]


@pytest.mark.parametrize("status", ["success", "failure", "dropped"])
def test_json_of_the_row(stack, make, status):
    result = {"b": [1, 2.50, None], "a": "ö"}
    task = make(status, result=json.dumps(result))
    path = links(stack, task)["result"]
    assert path == f"/v1/tasks/{task}/result"
    answer = stack.request("GET", path)
    assert (answer.status_code, answer.text) == (200, json.dumps(result))
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    head = stack.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in ("ETag", "Content-Length", "Content-Type")} == \
        {name: answer.headers[name] for name in ("ETag", "Content-Length", "Content-Type")}
    again = stack.request("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_no_result(stack, make):
    for status in ("scheduled", "fresh", "started"):
        task = make(status, run_at="2099-01-01 00:00:00" if status == "scheduled" else None)
        answer = stack.request("GET", f"/v1/tasks/{task}/result")
        assert (answer.status_code, answer.content) == (204, b"")
        assert int(answer.headers["Retry-After"]) >= 1
        assert "result" not in links(stack, task)
    for status in ("success", "failure", "dropped"):
        task = make(status)
        assert_problem(stack.request("GET", f"/v1/tasks/{task}/result"), 404, "not_found")
        assert "result" not in links(stack, task)
    for result in (None, "{}"):
        task = make("cancelled", result=result)
        assert_problem(stack.request("GET", f"/v1/tasks/{task}/result"), 410, "task_cancelled")
        assert "result" not in links(stack, task)


def test_whatever_sql_has_put_there_is_json(stack, make):
    task = make("success", result='{"a":')
    assert stack.request("GET", f"/v1/tasks/{task}/result").json() == '{"a":'


def test_only_the_owner(stack, make, make_result):
    for task in (make("success", result="{}"), make_result()[0]):
        path = f"/v1/tasks/{task}/result"
        assert_problem(stack.request("GET", path, "grace"), 404, "not_found")
        assert stack.request("GET", path, None).status_code == 401
        assert stack.request("GET", path, "admin").status_code == 200
        assert_problem(stack.request("POST", path, json={}), 405)
        assert_problem(stack.request("GET", path + "?x=1"), 400, "unknown_parameter")


def test_waiting_for_it(stack, make):
    task, begun = make("started"), time.monotonic()
    timer = later(0.5, stack.sql, "UPDATE tasks SET status = 'success', result = '[1]', finished_at = UTC_TIMESTAMP(6)"
                                  " WHERE id = %s", [task])
    answer = stack.request("GET", f"/v1/tasks/{task}/result", headers={"Prefer": "wait=30"})
    timer.join()
    assert (answer.status_code, answer.text) == (200, "[1]")
    assert 0.4 < time.monotonic() - begun < 20


def test_a_long_result_comes_from_its_file(stack, make_result):
    task, file = make_result()
    shown = stack.task(task)
    assert shown["result"] is None
    assert shown["links"] == {"self": f"/v1/tasks/{task}", "result": f"/v1/tasks/{task}/result"}
    path = shown["links"]["result"]
    answer = stack.request("GET", path)
    assert (answer.status_code, answer.content) == (200, LONG)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Content-Disposition" not in answer.headers and "X-Accel-Redirect" not in answer.headers
    head = stack.request("HEAD", path)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(LONG)))
    tag = answer.headers["ETag"]
    assert stack.request("GET", path, headers={"If-None-Match": tag}).status_code == 304
    part = stack.request("GET", path, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, LONG[2:6])

    # it is no download
    assert_problem(stack.request("GET", f"/v1/tasks/{task}/download"), 404, "not_found")
    for user in ("ada", "admin"):
        assert_problem(stack.request("GET", f"/v1/tasks/exports/{file}/download", user), 404, "not_found")
        assert_problem(stack.request("DELETE", f"/v1/tasks/exports/{file}", user), 404, "not_found")
        listed = stack.request("GET", "/v1/tasks/exports?limit=500", user).json()["exports"]
        assert file not in [export["id"] for export in listed]

    assert stack.request("DELETE", f"/v1/tasks/{task}").status_code == 204
    assert stack.sql("SELECT 1 FROM csv_export WHERE id = %s", [file]) == []


def test_an_expired_long_result(stack, make_result):
    task, _ = make_result(expires_at="2026-01-01 00:00:00")
    assert_problem(stack.request("GET", f"/v1/tasks/{task}/result"), 410, "file_gone")


def test_several_files(stack, make_file, make_result):
    task, first = make_file(b"1")
    assert set(links(stack, task)) == {"self", "download"}
    ids = [first] + [make_file(str(n).encode(), task=task)[1] for n in range(2, 13)]
    make_result(task=task)
    shown = links(stack, task)
    assert shown["files"] == [f"/v1/tasks/exports/{file}/download" for file in ids]
    assert shown["download"] == f"/v1/tasks/{task}/download"
    assert shown["result"] == f"/v1/tasks/{task}/result"
    assert stack.request("GET", shown["download"]).content == b"1"
    assert [stack.request("GET", path).content for path in shown["files"]] == [str(n).encode() for n in range(1, 13)]
    listed = stack.request("GET", "/v1/tasks?limit=500").json()["tasks"]
    assert next(other for other in listed if other["id"] == task)["links"] == shown
    exports = stack.request("GET", "/v1/tasks/exports?limit=500").json()["exports"]
    assert [export["id"] for export in exports if export["task_id"] == task] == ids[::-1]

    assert stack.request("DELETE", f"/v1/tasks/exports/{first}").status_code == 204
    assert stack.request("GET", shown["download"]).content == b"2"


def test_files_of_admins_only(stack, make_file):
    """Such as backups: their owner may have lost the role since."""
    task, file = make_file(role="admin", series="backup:x", task=None)
    paths = [f"/v1/tasks/{task}/download", f"/v1/tasks/exports/{file}/download"]
    for path in paths:
        assert_problem(stack.request("GET", path), 404, "not_found")
        assert stack.request("GET", path, "admin").status_code == 200
    assert "download" not in links(stack, task) and "download" in links(stack, task, "admin")
    for user, sees in (("ada", False), ("admin", True)):
        listed = stack.request("GET", "/v1/tasks/exports?limit=500", user).json()["exports"]
        assert (file in [export["id"] for export in listed]) == sees
    assert_problem(stack.request("DELETE", f"/v1/tasks/exports/{file}"), 404, "not_found")
    assert_problem(stack.request("DELETE", f"/v1/tasks/{task}"), 403, "role_missing")

    # nor does clearing take it away
    stack.sql("UPDATE tasks SET finished_at = '2020-01-01' WHERE id = %s", [task])
    assert stack.request("DELETE", "/v1/tasks?finished_before=2020-06-01T00:00:00Z").json()["deleted"] == 0
    assert stack.request("DELETE", f"/v1/tasks/{task}", "admin").status_code == 204


def test_a_file_of_admins_that_comes_at_the_last_moment(stack, make):
    """The owner's DELETE waits for the row while the runner publishes the file, and then it is too late."""
    task = make("started")
    connection = stack.connect()
    connection.begin()
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as executor:
        cursor.execute("UPDATE tasks SET status = 'success', finished_at = UTC_TIMESTAMP(6) WHERE id = %s", [task])
        cursor.execute("INSERT INTO csv_export (filename, owner_id, task_id, path, role) VALUES ('x', 1, %s, %s, 'admin')",
                       [task, f"zz/{task}-1-x.sql"])
        deleted = executor.submit(stack.request, "DELETE", f"/v1/tasks/{task}")
        wait_until(lambda: stack.root_sql("SELECT 1 FROM information_schema.processlist WHERE user = 'backdesk_api'"
                                          " AND info LIKE 'SELECT status FROM tasks%FOR UPDATE'"), every=0.01)
        connection.commit()
        assert_problem(deleted.result(), 403, "role_missing")
    connection.close()
    assert stack.sql("SELECT role FROM csv_export WHERE task_id = %s", [task]) == [("admin",)]
    assert stack.request("DELETE", f"/v1/tasks/{task}", "admin").status_code == 204
