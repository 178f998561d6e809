# SPDX-License-Identifier: MIT
"""POST /v1/tasks: one, many, and everything that can be wrong with a body."""

import json
import re

import pytest

from api.conftest import NEVER, assert_problem
from stack import wait_until

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
MEMBERS = ["id", "type", "data", "status", "worker", "created_at", "updated_on", "created_by", "priority", "run_at",
           "started_at", "finished_at", "expires_at", "attempt", "max_attempts", "cancel_requested", "progress",
           "error", "result", "links"]


def post(stack, body, user="ada", content_type="application/json", **headers):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    headers = {"Content-Type": content_type, **headers} if content_type else headers
    return stack.request("POST", "/v1/tasks", user, data=body, headers=headers)


def count(stack):
    return stack.sql("SELECT COUNT(*) FROM tasks")[0][0]


def test_one(stack):
    data = {"seconds": 0, "steps": 3}
    answer = post(stack, {"type": "dummy", "data": data, "priority": 9, "run_at": NEVER, "max_attempts": 2})
    assert answer.status_code == 202
    task = answer.json()
    assert list(task) == MEMBERS
    assert answer.headers["Location"] == f"/v1/tasks/{task['id']}" == task["links"]["self"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Retry-After"]) >= 1
    assert (task["type"], task["data"], task["status"]) == ("dummy", data, "scheduled")
    assert (task["priority"], task["max_attempts"], task["attempt"], task["created_by"]) == (9, 2, 0, 1)
    assert task["run_at"] == "2099-01-01T00:00:00.000000Z"
    assert INSTANT.match(task["created_at"])
    assert task["cancel_requested"] is False
    for name in ("worker", "updated_on", "started_at", "finished_at", "expires_at", "progress", "error", "result"):
        assert task[name] is None
    assert list(task["links"]) == ["self", "cancel"]
    assert stack.task(task["id"]) == task


def test_least(stack):
    task = post(stack, {"type": "dummy", "run_at": NEVER}).json()
    assert (task["data"], task["priority"]) == ({}, 5)
    task = post(stack, {"type": "dummy", "run_at": NEVER, "data": None, "priority": None, "max_attempts": None}).json()
    assert (task["data"], task["priority"]) == ({}, 5)


@pytest.mark.parametrize("text, instant", [
    ("2099-01-01T00:00:00Z", "2099-01-01T00:00:00.000000Z"),
    ("2099-01-01t02:30:00.5+02:30", "2099-01-01T00:00:00.500000Z"),
    ("2099-12-31T23:59:60-01:00", "2100-01-01T00:59:59.000000Z"), ("9999-12-31T23:59:59.999999Z",) * 2])
def test_run_at(stack, text, instant):
    assert post(stack, {"type": "dummy", "run_at": text}).json()["run_at"] == instant


def test_run_at_in_the_past_is_now(stack):
    task = post(stack, {"type": "dummy", "run_at": "2001-01-01T00:00:00Z"}).json()
    assert task["status"] == "fresh"
    stack.finish(task["id"])


def test_content_type_with_parameters(stack):
    answer = post(stack, {"type": "dummy", "run_at": NEVER}, content_type="Application/JSON; charset=utf-8")
    assert answer.status_code == 202


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/jsonx", "application/x-www-form-urlencoded",
                                          "text/json", "multipart/form-data; boundary=x", "application/problem+json"])
def test_other_content_type(stack, content_type):
    assert_problem(post(stack, {"type": "dummy"}, content_type=content_type), 415, "unsupported_media_type")


def test_many(stack):
    bodies = [{"type": "dummy", "priority": n % 10, "run_at": NEVER} for n in range(1000)]
    answer = post(stack, bodies)
    assert answer.status_code == 202
    assert "Location" not in answer.headers
    assert list(answer.json()) == ["tasks"]
    tasks = answer.json()["tasks"]
    assert [task["priority"] for task in tasks] == [body["priority"] for body in bodies]
    assert len({task["id"] for task in tasks}) == 1000
    assert stack.sql("SELECT COUNT(*) FROM tasks WHERE id BETWEEN %s AND %s AND created_by = 1",
                     [tasks[0]["id"], tasks[-1]["id"]])[0][0] >= 1000


@pytest.mark.parametrize("body", [[], [{"type": "dummy"}] * 1001])
def test_too_few_or_too_many(stack, body):
    before = count(stack)
    assert_problem(post(stack, body), 422, "invalid_task")
    assert count(stack) == before


def test_all_or_none(stack):
    before = count(stack)
    problem = assert_problem(post(stack, [{"type": "dummy"}, {"type": "dummy", "priority": 10}]), 422, "invalid_task")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/1/priority"]
    assert count(stack) == before


def test_every_fault_at_once(stack):
    body = [{"type": "dummy", "data": {"seconds": -1, "steps": "x", "colour": 1}, "priority": 1.5, "run_at": "soon"},
            {"data": {}}, 5, {"type": "csv_export", "data": {"export": "nothing"}, "max_attempts": 0}]
    problem = assert_problem(post(stack, body), 422, "invalid_task")
    assert sorted(fault["pointer"] for fault in problem["errors"]) == [
        "/0/data/colour", "/0/data/seconds", "/0/data/steps", "/0/priority", "/0/run_at", "/1/type", "/2",
        "/3/data/export", "/3/max_attempts"]
    assert all(fault["detail"] for fault in problem["errors"])


@pytest.mark.parametrize("member, value, pointer", [
    ("type", 5, "/type"), ("type", None, "/type"), ("type", "nothing", "/type"), ("type", "", "/type"),
    ("type", "http_request", "/type"), ("type", "CSV_EXPORT", "/type"),
    ("type", "dummy\0", "/type"), ("type", "dummy ", "/type"), ("data", [], "/data"), ("data", "x", "/data"),
    ("priority", -1, "/priority"), ("priority", 10, "/priority"), ("priority", "5", "/priority"),
    ("priority", 5.0, "/priority"), ("priority", True, "/priority"), ("max_attempts", 0, "/max_attempts"),
    ("max_attempts", 1001, "/max_attempts"), ("run_at", 5, "/run_at"), ("run_at", "2026-02-30T00:00:00Z", "/run_at"),
    ("run_at", "2026-01-01", "/run_at"), ("run_at", "2026-01-01T00:00:00", "/run_at"),
    ("run_at", "10000-01-01T00:00:00Z", "/run_at"), ("run_at", "0000-01-01T00:00:00Z", "/run_at")])
def test_bad_member(stack, member, value, pointer):
    problem = assert_problem(post(stack, {"type": "dummy", member: value}), 422, "invalid_task")
    assert pointer in [fault["pointer"] for fault in problem["errors"]]


def test_unknown_member(stack):
    problem = assert_problem(post(stack, {"type": "dummy", "a/b~c": 1, "priority": 99}), 400, "unknown_member")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/a~1b~0c", "/priority"]
    assert problem["errors"][0]["detail"] == ("is not known here: known are type, data, priority, run_at, max_attempts, "
                                              "created_by")


@pytest.mark.parametrize("body", ["5", '"x"', "null", "true", "[[]]", "[null]"])
def test_not_an_object(stack, body):
    assert_problem(post(stack, body), 422, "invalid_task")


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"}", b"[1,]", b'{"type":"dummy"} x', b'{"type":"dummy"}{}', b"{'type':'dummy'}",
    b'{"type":dummy}',
    b'\xef\xbb\xbf{"type":"dummy"}', b'{"type":"dum\xffmy"}', b'{"type":"\xc0\xaf"}', b'{"type":"\xed\xa0\x80"}',
    b'{"type":"\\ud800"}', b'{"type":"\\udc00\\ud800"}', b'{"type":"a\nb"}', b'{"type":"a\x00b"}',
    b'{"type":"dummy","type":"dummy"}', b'{"type":"dummy","data":{"a":1,"\\u0061":2}}', b'{"type":"dummy","data":NaN}',
    b'{"type":"dummy","data":{"seconds":1e400}}', b'{"type":"dummy","data":{"seconds":-1e400}}', b'{"priority":01}',
    b'{"priority":18446744073709551616}', b'{"priority":-9223372036854775809}', b'{"priority":+1}', b'{"priority":.5}',
    b'{"priority":1.}', b'{"priority":0x5}', b'{"priority":Infinity}', b'{"type":"\\x41"}', b'/**/{"type":"dummy"}',
    b"[" * 10000 + b"]" * 10000, b'{"data":' * 10000 + b"1" + b"}" * 10000, b'{"type":"dummy"' + b" " * 1000])
def test_malformed_json(stack, body):
    before = count(stack)
    assert_problem(post(stack, body), 400, "malformed_json")
    assert count(stack) == before


def test_body_too_large(stack):
    """nginx has the same limit, and answers first."""
    assert post(stack, b" " * (8 << 20) + b"{}").status_code == 413


def test_data_too_large(stack):
    problem = assert_problem(post(stack, {"type": "dummy", "data": {"x": "y" * (300 << 10)}}), 422, "invalid_task")
    assert "/data" in [fault["pointer"] for fault in problem["errors"]]


def test_created_by(stack):
    assert_problem(post(stack, {"type": "dummy", "created_by": 2}), 403, "role_missing")
    assert_problem(post(stack, {"type": "dummy", "created_by": 1}), 403, "role_missing")
    task = post(stack, {"type": "dummy", "created_by": 2, "run_at": NEVER}, "admin").json()
    assert task["created_by"] == 2
    assert stack.task(task["id"], "grace")["id"] == task["id"]
    assert stack.request("GET", f"/v1/tasks/{task['id']}", "ada").status_code == 404
    for value in (0, -1, "2", 1.5, 9223372036854775808):
        assert_problem(post(stack, {"type": "dummy", "created_by": value}, "admin"), 422)


def test_texts_come_back_as_they_went(stack, make):
    """Numbers keep their digits, strings their characters, members their order."""
    raw = '{"z":1.10,"a":12345678901234567890,"s":"\\u0000\\u2028<b>\\/ \U0001f4da \u202e","n":[1e5,-0.0,null,true]}'
    task = stack.request("GET", f"/v1/tasks/{make(data=raw)}")
    assert raw in task.content.decode()


def test_runs_at_once(stack):
    """The runner hears the doorbell."""
    task = post(stack, {"type": "dummy", "data": {"seconds": 0}}).json()
    assert stack.finish(task["id"], timeout=10)["status"] == "success"


def test_in_parallel(stack):
    """Creates that wait at the same time share a transaction; one that the database refuses fails alone."""
    from concurrent.futures import ThreadPoolExecutor

    def one(n):
        return n, post(stack, {"type": "dummy", "priority": n % 10, "run_at": NEVER})
    with ThreadPoolExecutor(32) as executor:
        answers = list(executor.map(one, range(200)))
    ids = set()
    for n, answer in answers:
        assert answer.status_code == 202
        assert answer.json()["priority"] == n % 10
        ids.add(answer.json()["id"])
    assert len(ids) == 200
    wait_until(lambda: stack.request("GET", f"/v1/tasks/{max(ids)}").status_code == 200, 5)
