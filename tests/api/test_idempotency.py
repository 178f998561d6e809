# SPDX-License-Identifier: MIT
"""Idempotency-Key: a POST that may be repeated."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.conftest import NEVER, assert_problem

BODY = {"type": "dummy", "run_at": NEVER}


@pytest.fixture
def key():
    return uuid.uuid4().hex


def post(stack, key, body=None, user="ada", **options):
    headers = {"Idempotency-Key": key}
    if "data" in options:
        headers["Content-Type"] = "application/json"
    else:
        options["json"] = body or BODY
    return stack.request("POST", "/v1/tasks", user, headers=headers, **options)


def test_replay(stack, key):
    """The first task, as it is now."""
    first = post(stack, key)
    assert first.status_code == 202
    assert "Idempotency-Replayed" not in first.headers
    for form in (key, f'"{key}"', f"{key} "):
        again = post(stack, form)
        assert again.status_code == 202
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.headers["Location"] == first.headers["Location"]
        assert again.json() == first.json()
    task = first.json()["id"]
    assert stack.request("POST", f"/v1/tasks/{task}/cancel").status_code == 202
    assert post(stack, key).json()["status"] == "cancelled"
    assert stack.request("DELETE", f"/v1/tasks/{task}").status_code == 204
    assert_problem(post(stack, key), 410, "task_gone")


def test_array(stack, key):
    body = [BODY, {**BODY, "priority": 9}, BODY]
    first, again = post(stack, key, body), post(stack, key, body)
    assert first.status_code == again.status_code == 202
    assert again.json() == first.json()
    assert len({task["id"] for task in again.json()["tasks"]}) == 3
    gone = first.json()["tasks"][1]["id"]
    stack.request("POST", f"/v1/tasks/{gone}/cancel")
    stack.request("DELETE", f"/v1/tasks/{gone}")
    assert [task["id"] for task in post(stack, key, body).json()["tasks"]] == \
        [task["id"] for task in first.json()["tasks"] if task["id"] != gone]


def test_another_body(stack, key):
    """Bytes count, not what they mean."""
    assert post(stack, key).status_code == 202
    assert_problem(post(stack, key, {**BODY, "priority": 1}), 422, "key_reused")
    assert_problem(post(stack, key, data=b'{"type":"dummy",  "run_at":"2099-01-01T00:00:00Z"}'), 422, "key_reused")


def test_users_have_their_own_keys(stack, key):
    assert post(stack, key).json()["id"] != post(stack, key, user="grace").json()["id"]


def test_a_refused_request_does_not_use_the_key(stack, key):
    assert_problem(post(stack, key, {"type": "nothing"}), 422, "invalid_task")
    assert post(stack, key).status_code == 202


def test_keys_are_forgotten(stack, key):
    first = post(stack, key).json()["id"]
    stack.sql("UPDATE idempotency_keys SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE idem_key = %s",
              [key])
    again = post(stack, key, {**BODY, "priority": 1})
    assert again.status_code == 202 and again.json()["id"] != first
    assert "Idempotency-Replayed" not in again.headers
    assert stack.sql("SELECT TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(6), expires_at) FROM idempotency_keys"
                     " WHERE idem_key = %s", [key])[0][0] in (1439, 1440)


@pytest.mark.parametrize("value", ["", '""', "x" * 256, "a b", '"a', '"a";b', "\xe9"])
def test_bad_key(stack, value):
    assert_problem(post(stack, value.encode("latin-1")), 400, "bad_header")


def test_long_key(stack, key):
    long = (key * 8)[:255]
    assert post(stack, long).json()["id"] == post(stack, long).json()["id"]


@pytest.mark.parametrize("body", [BODY, [BODY] * 20])
def test_hundred_at_once_make_one(stack, key, body):
    with ThreadPoolExecutor(100) as executor:
        answers = list(executor.map(lambda _: post(stack, key, body), range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({str([task["id"] for task in answer.json().get("tasks", [answer.json()])])
                for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
