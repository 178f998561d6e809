# SPDX-License-Identifier: MIT
"""GET .../attempts: the history of a task, the running claim last."""

import json

from stack import wait_until

MEMBERS = ["attempt", "fence", "worker", "started_at", "finished_at", "outcome", "error", "log"]


def attempts(stack, task, user="ada"):
    answer = stack.request("GET", f"/v1/tasks/{task}/attempts", user)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["attempts"]
    return answer.json()["attempts"]


def add(stack, task, fence, outcome, **columns):
    columns = {"task_id": task, "fence": fence, "attempt": fence, "worker": "blue:u", "outcome": outcome,
               "started_at": "2026-01-01 00:00:00", "finished_at": "2026-01-01 00:00:01.5", **columns}
    stack.sql(f"INSERT INTO attempts ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
              list(columns.values()))


def test_none(stack, make):
    assert attempts(stack, make("fresh")) == []


def test_rows(stack, make):
    task = make("failure", fence=3, attempt=2)
    add(stack, task, 3, "failure", error='{"code": "x", "message": "y"}', attempt=2, log="line\nmore \u2603")
    add(stack, task, 1, "dropped", error="no JSON")
    add(stack, task, 2, "handed_back", attempt=2, worker=None)
    found = attempts(stack, task)
    assert [list(row) for row in found] == [MEMBERS] * 3
    assert [row["outcome"] for row in found] == ["dropped", "handed_back", "failure"]
    assert [row["fence"] for row in found] == [1, 2, 3]
    assert [row["error"] for row in found] == ["no JSON", None, {"code": "x", "message": "y"}]
    assert [row["log"] for row in found] == [None, None, "line\nmore \u2603"]
    assert [row["worker"] for row in found] == ["blue:u", None, "blue:u"]
    assert found[2]["finished_at"] == "2026-01-01T00:00:01.500000Z"


def test_a_log_for_admins(stack, pool, make):
    one = pool({'command "count_words".log_for': "admin"})
    task = make("failure", type="count_words", fence=1)
    add(stack, task, 1, "failure", log="a secret")
    for roles, log in ((None, None), ("admin", "a secret")):
        answer = one.request(path=f"/v1/tasks/{task}/attempts", roles=roles)
        assert [row["log"] for row in answer.json()["attempts"]] == [log]


def test_running_one_is_last(stack, make):
    task = make("started", fence=2, attempt=2, worker="red:u", started_at="2026-01-01 00:00:05")
    add(stack, task, 1, "failure")
    found = attempts(stack, task, "admin")
    assert [row["outcome"] for row in found] == ["failure", None]
    assert found[1] == {"attempt": 2, "fence": 2, "worker": "red:u", "started_at": "2026-01-01T00:00:05.000000Z",
                        "finished_at": None, "outcome": None, "error": None, "log": None}


def test_a_success_without_a_log_is_in_the_tasks_own_row(stack, make):
    task = make("success", fence=2, attempt=2, worker="red:u", started_at="2026-01-01 00:00:05",
                finished_at="2026-01-01 00:00:06")
    add(stack, task, 1, "failure")
    found = attempts(stack, task)
    assert [row["outcome"] for row in found] == ["failure", "success"]
    assert found[1] == {"attempt": 2, "fence": 2, "worker": "red:u", "started_at": "2026-01-01T00:00:05.000000Z",
                        "finished_at": "2026-01-01T00:00:06.000000Z", "outcome": "success", "error": None, "log": None}
    add(stack, task, 2, "success", log="said something")
    assert [row["log"] for row in attempts(stack, task)] == [None, "said something"]


def test_the_newest_thousand(stack, make):
    """The last claim is one of them, wherever it stands."""
    task = make("success", fence=1002, attempt=1, started_at="2026-01-01 00:00:05", finished_at="2026-01-01 00:00:06")
    stack.sql("INSERT INTO attempts (task_id, fence, attempt, outcome) SELECT %s, seq, 1, 'handed_back' FROM seq_1_to_1001",
              [task])
    found = attempts(stack, task)
    assert [row["fence"] for row in found] == list(range(3, 1003))
    assert found[-1]["outcome"] == "success"
    stack.sql("UPDATE tasks SET status = 'failure', fence = 1001 WHERE id = %s", [task])
    assert [row["fence"] for row in attempts(stack, task)] == list(range(2, 1002))


def test_a_row_of_an_earlier_life_hides_no_success(stack, make):
    task = make("success", fence=1, attempt=1, started_at="2026-01-01 00:00:05", finished_at="2026-01-01 00:00:06")
    add(stack, task, 1, "failure")
    assert [row["outcome"] for row in attempts(stack, task)] == ["failure", "success"]


def test_a_row_of_the_running_claim_stands_once(stack, make):
    """Its end was written between the two reads."""
    task = make("started", fence=1, attempt=1)
    add(stack, task, 1, "success")
    assert [row["outcome"] for row in attempts(stack, task)] == ["success"]


def test_real_life(stack):
    task = stack.create("dummy", {"fail": True}, max_attempts=2)["id"]
    wait_until(lambda: any(row["outcome"] == "failure" for row in attempts(stack, task)), 20)
    stack.finish(task, timeout=30)
    found = attempts(stack, task)
    assert [row["attempt"] for row in found] == [1, 2]
    assert [row["outcome"] for row in found] == ["failure"] * 2
    assert all(json.dumps(row["error"]) and row["worker"].startswith("demo:") for row in found)
    assert found[0]["finished_at"] <= found[1]["started_at"]
