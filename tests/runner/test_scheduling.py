# SPDX-License-Identifier: MIT
"""Who comes next: priorities, fair shares, limits on what runs, pauses, times to come. Each test has the
queue to itself: the stack's own runner is stopped, and a runner of the test's own does the work."""

import json

import pytest

from stack import FINAL, wait_until

USERS = (7001, 7002, 7003)


@pytest.fixture
def queue(stack):
    """The stack without its own runner; afterwards it has it again, and none of these tests' tasks."""
    stack.stop_own_runner()
    yield stack
    stack.stop_runners()
    stack.start()
    stack.sql("DELETE FROM tasks WHERE created_by BETWEEN 7000 AND 7999")


def insert(stack, user, data=None, **columns):
    """A task by plain SQL; its id."""
    names = ["type", "data", "created_by", *columns]
    values = ["dummy", json.dumps(data or {"seconds": 0.05, "steps": 1}), user, *columns.values()]
    connection = stack.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO tasks ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(values))})", values)
        identity = cursor.lastrowid
    connection.close()
    return identity


def rows(stack, columns="id", where="1", order="started_at, id"):
    return stack.sql(f"SELECT {columns} FROM tasks WHERE created_by BETWEEN 7000 AND 7999 AND {where} ORDER BY {order}")


def wait_ended(stack, timeout=60):
    wait_until(lambda: not rows(stack, where=f"status NOT IN {FINAL}"), timeout,
               message=f"left: {rows(stack, 'id, status, turn', f'status NOT IN {FINAL}')}")


def overlap(stack, where="1"):
    """The most tasks that ran at the same time."""
    events = []
    for begin, end in rows(stack, "started_at, finished_at", where):
        events += [(begin, 1), (end, -1)]
    most = running = 0
    for _, step in sorted(events, key=lambda event: (event[0], event[1])):
        running += step
        most = max(most, running)
    return most


def test_priority_then_order(queue):
    late = [insert(queue, 7001, priority=p) for p in (0, 5, 9, 5, 9, 1)]
    queue.start_runner("order", {"runner.workers": 1, "runner.batch": 1})
    wait_ended(queue)
    by_priority = [late[2], late[4], late[1], late[3], late[5], late[0]]
    assert [row[0] for row in rows(queue)] == by_priority


def test_users_take_turns(queue):
    """A single task beside another user's hundred waits for a few of them at the most."""
    many = [{"type": "dummy", "data": {"seconds": 0.02, "steps": 1}, "created_by": 7001}] * 100
    one = {"type": "dummy", "data": {"seconds": 0.02, "steps": 1}, "created_by": 7002}
    assert queue.request("POST", "/v1/tasks", "admin", json=many).status_code == 202
    assert queue.request("POST", "/v1/tasks", "admin", json=[one, one]).status_code == 202
    queue.start_runner("fair", {"runner.workers": 1, "runner.batch": 1})
    wait_ended(queue)
    order = [row[0] for row in rows(queue, "created_by")]
    assert order.index(7002) <= 3, order[:20]
    assert len(order) - order[::-1].index(7002) <= 6, order[:20]
    own = [row[0] for row in rows(queue, where="created_by = 7001")]
    assert own == sorted(own), "within a user it is first come, first served"


def test_a_turn_beside_one_insert_of_many(queue):
    """Rows of one INSERT by plain SQL share a turn; others do not wait for all of them."""
    queue.sql("INSERT INTO tasks (type, data, created_by)"
              " SELECT 'dummy', '{\"seconds\": 0.02, \"steps\": 1}', 7001 FROM seq_1_to_60")
    for user in (7002, 7003):
        one = {"type": "dummy", "data": {"seconds": 0.02, "steps": 1}, "created_by": user}
        assert queue.request("POST", "/v1/tasks", "admin", json=one).status_code == 202
    queue.start_runner("tied", {"runner.workers": 1, "runner.batch": 1})
    wait_ended(queue)
    order = [row[0] for row in rows(queue, "created_by")]
    assert max(order.index(7002), order.index(7003)) <= 4, order[:20]


def test_limit_of_a_user(queue):
    for user in USERS[:2]:
        for _ in range(3):
            insert(queue, user, {"seconds": 0.3, "steps": 1})
    edit = {"runner.workers": 4, "queue.running_per_user": 1}
    queue.start_runner("user1", edit)
    queue.start_runner("user2", edit)
    wait_ended(queue)
    assert overlap(queue, "created_by = 7001") == 1
    assert overlap(queue, "created_by = 7002") == 1
    assert overlap(queue) == 2, "the one's limit is not the other's"


def test_limit_of_a_type(queue):
    for _ in range(6):
        insert(queue, 7001, {"seconds": 0.2, "steps": 1})
    edit = {"runner.workers": 4, 'type "dummy".running_total': 2}
    queue.start_runner("total1", edit)
    queue.start_runner("total2", edit)
    wait_ended(queue)
    assert overlap(queue) == 2


@pytest.mark.parametrize("others", [0, 70])
def test_pause(queue, others):
    """A paused type waits, others do not, and resuming needs nobody's restart; OTHERS that no runner takes are
    paused before it."""
    for kind in [f"a{i}" for i in range(others)] + ["dummy"]:
        queue.sql("INSERT INTO type_control (type, paused_at) VALUES (%s, UTC_TIMESTAMP(6))"
                  " ON DUPLICATE KEY UPDATE paused_at = VALUES(paused_at)", (kind,))
    try:
        paused = insert(queue, 7001)
        queue.start_runner("pause", {"runner.workers": 1})
        csv = queue.create("csv_export", {"export": "books"}, "grace")
        assert queue.finish(csv["id"], "grace")["status"] == "success"
        assert queue.sql("SELECT status FROM tasks WHERE id = %s", (paused,))[0][0] == "fresh"
    finally:
        queue.sql("UPDATE type_control SET paused_at = NULL WHERE type = 'dummy'")
        queue.sql("DELETE FROM type_control WHERE type REGEXP '^a[0-9]+$'")
    wait_ended(queue, 10)


def test_times_to_come(queue):
    """A row that plain SQL inserts with a future run_at counts as scheduled and runs when it is due, however
    it was inserted."""
    fresh, scheduled = (
        queue.sql("SELECT UTC_TIMESTAMP(6) + INTERVAL 1200000 MICROSECOND")[0][0] for _ in range(2))
    first = insert(queue, 7001, run_at=fresh)
    second = insert(queue, 7001, run_at=scheduled, status="scheduled")
    queue.start_runner("due", {"runner.workers": 2})
    assert queue.task(first, "admin")["status"] == "scheduled"
    wait_ended(queue, 15)
    for identity, due in ((first, fresh), (second, scheduled)):
        started = rows(queue, "started_at", f"id = {identity}")[0][0]
        assert 0 <= (started - due).total_seconds() < 2


def test_retention(queue):
    """What has expired goes, with its attempts and its file, and nothing that has not run ever does."""
    done = queue.create("csv_export", {"export": "books"}, "grace")
    queue.start_runner("keep", {"runner.workers": 1})
    queue.finish(done["id"], "grace")
    path = queue.sql("SELECT path FROM csv_export WHERE task_id = %s", (done["id"],))[0][0]
    waiting = insert(queue, 7001, run_at="2090-01-01", expires_at="2020-01-01")
    queue.sql("UPDATE tasks SET expires_at = UTC_TIMESTAMP(6) WHERE id = %s", (done["id"],))
    wait_until(lambda: not queue.sql("SELECT 1 FROM tasks WHERE id = %s", (done["id"],)), 20)
    wait_until(lambda: not (queue.shared_dir / path).exists(), 10)
    assert not queue.sql("SELECT 1 FROM attempts WHERE task_id = %s", (done["id"],))
    assert not queue.sql("SELECT 1 FROM csv_export WHERE task_id = %s", (done["id"],))
    assert rows(queue, "status", f"id = {waiting}")[0][0] in ("fresh", "scheduled")


def test_file_expires_before_its_task(queue):
    done = queue.create("csv_export", {"export": "books"}, "grace")
    queue.start_runner("file", {"runner.workers": 1})
    queue.finish(done["id"], "grace")
    path = queue.sql("SELECT path FROM csv_export WHERE task_id = %s", (done["id"],))[0][0]
    queue.sql("UPDATE csv_export SET expires_at = UTC_TIMESTAMP(6) WHERE task_id = %s", (done["id"],))
    wait_until(lambda: not (queue.shared_dir / path).exists(), 20)
    answer = queue.request("GET", f"/v1/tasks/{done['id']}/download", "grace")
    assert answer.status_code == 410
    assert queue.task(done["id"], "grace")["status"] == "success"


def test_counters(queue):
    """The counters of ended claims grow by what has ended."""
    def ended(outcome):
        found = queue.sql("SELECT COALESCE(SUM(ended), 0) FROM task_counters WHERE type = 'dummy' AND outcome = %s",
                          (outcome,))
        return int(found[0][0])
    before = ended("success"), ended("failure")
    for _ in range(5):
        insert(queue, 7001)
    insert(queue, 7001, {"fail": True}, max_attempts=1)
    queue.start_runner("count", {"runner.workers": 2})
    wait_ended(queue)
    assert (ended("success"), ended("failure")) == (before[0] + 5, before[1] + 1)
