# SPDX-License-Identifier: MIT
"""POST .../cancel: tasks that wait, run and have ended; reasons."""

import json

import pytest

from api.conftest import assert_problem
from stack import wait_until

ENDED = ("success", "failure", "cancelled", "dropped")


def cancel(stack, task, user="ada", **options):
    return stack.request("POST", f"/v1/tasks/{task}/cancel", user, **options)


@pytest.mark.parametrize("status", ["scheduled", "fresh"])
def test_waiting(stack, make, status):
    """It is over at once, and who asked and why is shown."""
    task = make(status, run_at="2099-01-01 00:00:00" if status == "scheduled" else None)
    answer = cancel(stack, task, json={"reason": "wrong \"year\" ☂"})
    assert answer.status_code == 202
    assert "Retry-After" not in answer.headers
    shown = answer.json()
    assert (shown["status"], shown["cancel_requested"]) == ("cancelled", True)
    assert shown["error"] == {"code": "cancelled", "message": 'cancelled by user 1: wrong "year" ☂'}
    assert shown["finished_at"] and set(shown["links"]) == {"self", "retry"}
    assert stack.task(task) == shown
    assert_problem(cancel(stack, task), 409, "wrong_state")


def test_started(stack, make):
    """It is asked; asking again is a 200 and changes nothing."""
    task = make("started")
    answer = cancel(stack, task, "admin", json={"reason": "maintenance"})
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) >= 1
    assert (answer.json()["status"], answer.json()["cancel_requested"]) == ("started", True)
    again = cancel(stack, task, json={"reason": "another"})
    assert again.status_code == 200
    assert again.json() == answer.json()
    assert stack.sql("SELECT cancel_by, cancel_reason FROM tasks WHERE id = %s", [task]) == [(100, "maintenance")]


@pytest.mark.parametrize("asked", [0, 1])
@pytest.mark.parametrize("status", ENDED)
def test_ended(stack, make, status, asked):
    task = make(status, cancel_requested=asked)
    before = stack.task(task)
    assert_problem(cancel(stack, task), 409, "wrong_state")
    assert stack.task(task) == before


def test_running_dummy_stops(stack):
    task = stack.create("dummy", {"seconds": 60})["id"]
    wait_until(lambda: stack.task(task)["status"] == "started", 15)
    assert cancel(stack, task, json={"reason": "enough"}).status_code == 202
    done = stack.finish(task, timeout=20)
    assert done["status"] == "cancelled"
    assert "user 1" in done["error"]["message"] and "enough" in done["error"]["message"]


def test_retry_of_a_cancelled_task(stack, make):
    task = make("fresh")
    assert cancel(stack, task).status_code == 202
    shown = stack.request("POST", f"/v1/tasks/{task}/retry").json()
    assert (shown["status"], shown["cancel_requested"], shown["error"]) == ("fresh", False, None)


@pytest.mark.parametrize("body, status, code", [
    (None, 202, None), (b"", 202, None), (b"{}", 202, None), (b'{"reason": null}', 202, None),
    (b'{"reason": ""}', 202, None), (json.dumps({"reason": "\u2603" * 500}).encode(), 202, None),
    (json.dumps({"reason": "\u2603" * 501}).encode(), 422, "invalid_body"), (b'{"reason": 5}', 422, "invalid_body"),
    (b'{"reason": "a\\u0000b"}', 422, "invalid_body"), (b"[]", 422, "invalid_body"), (b"null", 422, "invalid_body"),
    (b'{"why": "x"}', 400, "unknown_member"), (b"{", 400, "malformed_json"),
    (b'{"reason": "a", "reason": "b"}', 400, "malformed_json"), (b" " * 9000, 413, "too_large")])
def test_body(stack, make, body, status, code):
    task = make("fresh")
    answer = cancel(stack, task, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    if code:
        detail = assert_problem(answer, status, code)["detail"]
        assert status != 413 or detail == "The body is larger than 8192 bytes, which is the most here."
        assert stack.task(task)["status"] == "fresh"


def test_content_type(stack, make):
    assert_problem(cancel(stack, make("fresh"), data=b"{}", headers={"Content-Type": "text/plain"}), 415)


def test_cancelled_keeps_as_failures_do(stack, make):
    """The demo keeps them for ever."""
    task = make("fresh")
    assert cancel(stack, task).json()["expires_at"] is None
