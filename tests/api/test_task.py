# SPDX-License-Identifier: MIT
"""One task: how it is shown, deleted and run again."""

import json

import pytest

from api.conftest import assert_problem

STATES = ("scheduled", "fresh", "started", "success", "failure", "cancelled", "dropped")
ENDED = STATES[3:]


@pytest.mark.parametrize("status", STATES)
def test_links_and_hints(stack, make, status):
    """Links only to what can be done now, and only to routes that exist."""
    task = make(status, run_at="2099-01-01 00:00:00" if status == "scheduled" else None)
    answer = stack.request("GET", f"/v1/tasks/{task}")
    assert answer.json()["status"] == status
    assert ("Retry-After" in answer.headers) == (status not in ENDED)
    assert set(answer.json()["links"]) == \
        {"self"} | ({"retry"} if status in ENDED[1:] else set()) | ({"cancel"} if status not in ENDED else set())
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_etag(stack, make):
    task = make("started")
    path = f"/v1/tasks/{task}"
    first = stack.request("GET", path)
    tag = first.headers["ETag"]
    assert tag.startswith('"') and tag.endswith('"')
    for value in (tag, f'"x", {tag}', f"W/{tag}", "*", f'{tag},"y"'):
        answer = stack.request("GET", path, headers={"If-None-Match": value})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    for value in ('"x"', tag.strip('"'), "", f'"{tag}"'):
        assert stack.request("GET", path, headers={"If-None-Match": value}).status_code == 200
    stack.sql("UPDATE tasks SET progress = %s WHERE id = %s", [json.dumps({"done": 5}), task])
    answer = stack.request("GET", path, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag
    assert answer.json()["progress"] == {"done": 5}
    assert stack.request("HEAD", path).headers["ETag"] == answer.headers["ETag"]


def test_if_match(stack, make):
    """What is shown, or done, only to the task that one has seen."""
    task = make("failure")
    path = f"/v1/tasks/{task}"
    seen = stack.request("GET", path).headers["ETag"]
    stack.sql("UPDATE tasks SET error = %s WHERE id = %s", ['{"code": "other"}', task])
    changes = [("POST", f"{path}/retry", 202), ("POST", f"{path}/cancel", 202), ("DELETE", path, 204)]
    before = stack.task(task)
    for value in (seen, "", '"x", "y"', f'W/{stack.request("GET", path).headers["ETag"]}'):
        for method, where, _ in [("GET", path, 200), *changes[::2]]:
            assert_problem(stack.request(method, where, headers={"If-Match": value}), 412, "precondition_failed")
        # which would be refused anyway
        assert_problem(stack.request("POST", f"{path}/cancel", headers={"If-Match": value}), 409, "wrong_state")
    assert_problem(stack.request("GET", path, headers={"If-Match": seen, "Prefer": "wait=20"}), 412)
    assert stack.task(task) == before
    for method, where, status in changes:
        value = "*" if "retry" in where else f'"x", {stack.request("GET", path).headers["ETag"]}'
        assert stack.request("GET", path, headers={"If-Match": value}).status_code == 200
        assert stack.request(method, where, headers={"If-Match": value}).status_code == status
    assert_problem(stack.request("DELETE", path, headers={"If-Match": "*"}), 404)


@pytest.mark.parametrize("data", ["{", "", "nothing", '{"a":1,"a":2}', "[1,]", '"\\ud800"', "1e999", "NULL", "\x00"])
def test_broken_data_is_a_string(stack, make, data):
    """Whatever somebody's SQL has put there, the answer is JSON."""
    assert stack.task(make("failure", data=data))["data"] == data


@pytest.mark.parametrize("data", ["{}", "[1, 2]", "5", "null", '"x"', '{"a": {"b": [true]}}'])
def test_valid_data_is_json(stack, make, data):
    assert stack.task(make("failure", data=data))["data"] == json.loads(data)


def test_columns(stack, make):
    task = stack.task(make(
        "failure", worker="näme:6f1c9a52-7e0b-4c86-9d0f-5b1b7a3f2c11", priority=0, attempt=2, max_attempts=4,
        error=json.dumps({"code": "boom", "message": '"<\n>'}), result="[1]", created_at="2026-01-02 03:04:05.000006",
        started_at="1999-12-31 23:59:59.999999", finished_at="2026-01-02 03:04:06", expires_at="2026-02-01"))
    assert task["worker"] == "näme:6f1c9a52-7e0b-4c86-9d0f-5b1b7a3f2c11"
    assert (task["priority"], task["attempt"], task["max_attempts"]) == (0, 2, 4)
    assert task["error"] == {"code": "boom", "message": '"<\n>'}
    assert task["result"] == [1]
    assert task["created_at"] == "2026-01-02T03:04:05.000006Z"
    assert task["started_at"] == "1999-12-31T23:59:59.999999Z"
    assert task["expires_at"] == "2026-02-01T00:00:00.000000Z"


@pytest.mark.parametrize("status", STATES)
def test_delete(stack, make, status):
    task = make(status)
    answer = stack.request("DELETE", f"/v1/tasks/{task}")
    if status in ENDED:
        assert (answer.status_code, answer.content) == (204, b"")
        assert_problem(stack.request("GET", f"/v1/tasks/{task}"), 404)
        assert_problem(stack.request("DELETE", f"/v1/tasks/{task}"), 404)
    else:
        assert_problem(answer, 409, "not_finished")
        assert stack.task(task)["status"] in (status, "fresh")


def test_delete_takes_the_files(stack, make_file):
    task, file = make_file()
    [[path]] = stack.sql("SELECT path FROM csv_export WHERE id = %s", [file])
    assert stack.request("DELETE", f"/v1/tasks/{task}").status_code == 204
    assert stack.sql("SELECT id FROM csv_export WHERE task_id = %s", [task]) == []
    assert_problem(stack.request("GET", f"/v1/tasks/exports/{file}/download"), 404)
    # the runner removes the bytes; until then the row in file_trash names them
    assert stack.sql("SELECT COUNT(*) FROM file_trash WHERE path = %s", [path])[0][0] == 1 or \
        not (stack.shared_dir / path).exists()


@pytest.mark.parametrize("status", STATES)
def test_retry(stack, make, status):
    task = make(status, attempt=3, fence=7, error='{"code": "x", "message": "y"}', progress="{}", result="1",
                cancel_requested=1, worker="old:u", started_at="2026-01-01 00:00:00",
                finished_at="2026-01-01 00:00:01" if status in ENDED else None)
    answer = stack.request("POST", f"/v1/tasks/{task}/retry")
    if status not in ENDED[1:]:
        assert_problem(answer, 409, "wrong_state")
        return
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["id"], shown["status"], shown["attempt"], shown["cancel_requested"]) == (task, "fresh", 0, False)
    assert [shown[name] for name in ("error", "progress", "result", "finished_at")] == [None] * 4
    assert stack.sql("SELECT fence FROM tasks WHERE id = %s", [task]) == [(7,)]
    assert_problem(stack.request("POST", f"/v1/tasks/{task}/retry"), 409)


@pytest.mark.parametrize("body, status", [
    (None, 202), (b"", 202), (b"{}", 202), (b" {\n} ", 202), (b"[]", 400), (b'{"a":1}', 400), (b"{", 400),
    (b"{}" + b" " * 300, 413)])
def test_retry_takes_no_body(stack, make, body, status):
    """But many clients send an empty object with every POST."""
    headers = {"Content-Type": "application/json"}
    answer = stack.request("POST", f"/v1/tasks/{make('failure')}/retry", data=body, headers=headers)
    assert answer.status_code == status, answer.text


def test_retry_needs_the_role_of_its_type(pool, make):
    """Of a command as of a built-in type."""
    one = pool({'command "count_words".role': "admin"})
    path = f"/v1/tasks/{make('failure', type='count_words')}/retry"
    refused = one.request(method="POST", path=path)
    assert (refused.status, refused.json()["code"]) == (403, "role_missing")
    assert one.request(method="POST", path=path, roles="admin").status == 202


def test_retry_runs(stack):
    """To its end, by a runner that hears of it."""
    task = stack.create("dummy", {"seconds": 0, "fail": True}, max_attempts=1)
    assert stack.finish(task["id"])["status"] == "failure"
    assert stack.request("POST", f"/v1/tasks/{task['id']}/retry").status_code == 202
    assert stack.finish(task["id"])["status"] == "failure"


def test_where_no_body_belongs(stack, make):
    answer = stack.request("DELETE", f"/v1/tasks/{make('failure')}", data=b"{}", headers={"Content-Type": "application/json"})
    assert assert_problem(answer, 413, "too_large")["detail"] == "This route takes no body."
