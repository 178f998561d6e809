# SPDX-License-Identifier: MIT
"""GET .../stats and .../workers: what goes on, and who is at work."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.conftest import assert_problem
from stack import wait_until

RUNNER = ["worker", "nickname", "host", "pid", "version", "types", "slots", "busy", "started_at", "last_seen", "alive"]


def stats(stack, kind, user="ada"):
    """The row of a type, and the whole."""
    answer = stack.request("GET", "/v1/tasks/stats", user)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert list(found) == ["waiting", "running", "types"]
    return next((row for row in found["types"] if row["type"] == kind), None), found


@pytest.fixture
def elsewhere(stack):
    """The name of a runner that nobody declares gone meanwhile."""
    name = "6f1c9a52-0000-4c86-9d0f-5b1b7a3f2c11"
    stack.sql("INSERT INTO runners (worker, host, pid, version, types, slots, lease_usec, last_seen) VALUES"
              " (%s, 'h', 7, '1', '[\"x\"]', 2, 7200000000, UTC_TIMESTAMP(6))", [name])
    yield name
    stack.sql("DELETE FROM runners WHERE worker = %s", [name])


@pytest.fixture
def kind(stack):
    """A type of its own, and nothing left of it."""
    yield "counted"
    stack.sql("DELETE FROM tasks WHERE type = 'counted'")
    stack.sql("DELETE FROM task_counters WHERE type = 'counted'")
    stack.sql("DELETE FROM type_control WHERE type = 'counted'")


def test_live_ended_and_paused(stack, make, kind, elsewhere):
    for status, count in (("fresh", 3), ("started", 2), ("success", 4)):
        for _ in range(count):
            make(status, "grace", type=kind, worker=elsewhere)
    make("scheduled", type=kind, run_at="2099-01-01 00:00:00", turn=4070908800000000)
    for slot, outcome, ended in ((0, "success", 7), (3, "success", 5), (1, "failure", 1)):
        stack.sql("INSERT INTO task_counters (slot, type, outcome, ended) VALUES (%s, %s, %s, %s)",
                  [slot, kind, outcome, ended])
    wanted = {"type": kind, "scheduled": 1, "fresh": 3, "started": 2, "ended": {"failure": 1, "success": 12},
              "paused": False}
    wait_until(lambda: stats(stack, kind)[0] == wanted, 5)
    found = stats(stack, kind, "grace")[1]
    assert found["waiting"] >= 4 and found["running"] >= 2
    stack.sql("INSERT INTO type_control (type, paused_at) VALUES (%s, UTC_TIMESTAMP(6))", [kind])
    wait_until(lambda: stats(stack, kind)[0] == {**wanted, "paused": True}, 5)


def test_endings_count(stack):
    def successes():
        row = stats(stack, "dummy")[0]
        return row["ended"].get("success", 0) if row else 0
    before = successes()
    stack.finish(stack.create("dummy", {"seconds": 0})["id"])
    wait_until(lambda: successes() > before, 10)


def test_many_ask_the_database_seldom(stack):
    """Once a second and process, however many ask."""
    def statements():
        [(_, count)] = stack.root_sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")
        return int(count)
    stats(stack, "dummy")
    before = statements()
    with ThreadPoolExecutor(16) as executor:
        list(executor.map(lambda _: stats(stack, "dummy"), range(300)))
    assert statements() - before < 300


def test_identity(stack):
    assert stack.request("GET", "/v1/tasks/stats", None).status_code == 401
    assert stack.request("GET", "/v1/tasks/workers", None).status_code == 401
    assert_problem(stack.request("GET", "/v1/tasks/workers"), 403, "role_missing")


def test_workers(stack):
    found = stack.request("GET", "/v1/tasks/workers", "admin").json()
    assert list(found) == ["workers"]
    demo = [row for row in found["workers"] if row.get("nickname") == "demo" and row["alive"]]
    assert list(demo[-1]) == RUNNER
    assert re.fullmatch(r"demo:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", demo[-1]["worker"])
    assert "dummy" in demo[-1]["types"]
    assert demo[-1]["slots"] >= 1


def test_busy_worker(stack):
    """As its last heartbeat said."""
    def busy():
        rows = stack.request("GET", "/v1/tasks/workers", "admin").json()["workers"]
        return [row["busy"] for row in rows if row["alive"] and row.get("nickname") == "demo"][-1]
    wait_until(lambda: busy() == 0)
    tasks = [stack.create("dummy", {"seconds": 60})["id"] for _ in range(2)]
    wait_until(lambda: busy() == 2)
    for task in tasks:
        stack.request("POST", f"/v1/tasks/{task}/cancel")


def test_nameless_worker(stack, elsewhere):
    rows = stack.request("GET", "/v1/tasks/workers", "admin").json()["workers"]
    [row] = [row for row in rows if row["worker"] == elsewhere]
    assert "nickname" not in row
    assert (row["pid"], row["types"], row["slots"], row["busy"], row["alive"]) == (7, ["x"], 2, 0, True)


def test_a_worker_whose_clock_was_put_back(stack, elsewhere):
    """Last seen in three hours, which no living runner is."""
    stack.sql("UPDATE runners SET last_seen = last_seen + INTERVAL 3 HOUR WHERE worker = %s", [elsewhere])
    rows = stack.request("GET", "/v1/tasks/workers", "admin").json()["workers"]
    assert [row["alive"] for row in rows if row["worker"] == elsewhere] == [False]
