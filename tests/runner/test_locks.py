# SPDX-License-Identifier: MIT
"""Rows that another session holds (somebody's forgotten BEGIN): what has nothing to do with them goes on."""

import signal
import time
from contextlib import ExitStack, contextmanager

from load import Load
from stack import wait_until

from runner.conftest import Paused

PATIENT = {"runner__lease": '"30s"'}  # a runner whose database may take its time


@contextmanager
def held(queue, query, args=None):
    """What QUERY locks stays locked while the block lasts."""
    connection = queue.stack.connect()
    try:
        connection.begin()
        with connection.cursor() as cursor:
            cursor.execute(query, args)
            yield
    finally:
        connection.close()


def task_held(queue, task):
    return held(queue, "SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task,))


def count(queue, status, tasks):
    return queue.sql("SELECT COUNT(*) FROM tasks WHERE status = %s AND id IN %s", (status, tasks))[0][0]


def done(queue, task):
    """How far the table says it is."""
    return queue.row(task)["progress"]["done"]


def test_progress_that_cannot_be_written(queue):
    queue.start(**PATIENT)
    task = queue.make(data={"seconds": 60, "steps": 600})
    queue.wait_running(task)
    with task_held(queue, task):
        before = done(queue, task)
        others = [queue.make(data={"seconds": 0.1}) for _ in range(10)]
        wait_until(lambda: count(queue, "success", others) == 10, 5)
        assert done(queue, task) == before
    wait_until(lambda: done(queue, task) > before, 5)


class Inserts(Load):
    """A steady hundred short tasks a second at the most, by plain SQL."""

    def __init__(self, queue):
        self.queue, self.connection = queue, queue.stack.connect()
        super().__init__(1, self._insert)

    def _insert(self):
        with self.connection.cursor() as cursor:
            cursor.execute("INSERT INTO tasks (type, data, created_by) SELECT 'dummy', '{}', 5 FROM seq_1_to_5")
        self.stopped.wait(0.05)

    def last(self):
        return self.queue.sql("SELECT MAX(id) FROM tasks WHERE created_by = 5")[0][0]

    def ended(self, after=0):
        """How many behind AFTER have ended, and how long the slowest took."""
        return self.queue.sql("SELECT COUNT(*), MAX(TIMESTAMPDIFF(MICROSECOND, created_at, finished_at)) / 1e6 FROM tasks"
                              " WHERE created_by = 5 AND status = 'success' AND id > %s", (after,))[0]

    def __exit__(self, *exception):
        super().__exit__(*exception)
        self.connection.close()
        assert not self.failed


def test_endings_that_cannot_be_written(queue):
    """The first one costs a wait; then the others neither wait for it, nor it for them once it is free."""
    runner = queue.start(**PATIENT)
    tasks = [queue.make(data={"seconds": seconds}) for seconds in (0.5, 4)]
    for task in tasks:
        queue.wait_running(task)
    with Inserts(queue) as load:
        with task_held(queue, tasks[0]), task_held(queue, tasks[1]):
            wait_until(lambda: f"task {tasks[0]}: another session holds its row" in runner.said(), 5)
            before = load.last()
            wait_until(lambda: f"task {tasks[1]}: another session holds its row" in runner.said(), 8)
            wait_until(lambda: load.ended(before)[0] > 100, 5)
            assert load.ended(before)[1] < 1.9
            assert count(queue, "started", tasks) == 2
        free = time.monotonic()
        wait_until(lambda: count(queue, "success", tasks) == 2, 5)
        assert time.monotonic() - free < 2
    assert [queue.row(task)["attempt"] for task in tasks] == [1, 1]


@contextmanager
def refusing(queue, condition):
    """The server takes every success but those of tasks that match CONDITION while the block lasts."""
    queue.stack.root_sql(f"CREATE TRIGGER refuse BEFORE UPDATE ON tasks FOR EACH ROW IF NEW.{condition} AND"
                         " NEW.status = 'success' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF")
    try:
        yield
    finally:
        queue.stack.root_sql("DROP TRIGGER refuse")


def test_an_ending_that_fails_among_many(queue):
    runner = queue.start(**PATIENT)
    held_up = queue.make(data={"seconds": 1})
    queue.wait_running(held_up)
    with refusing(queue, f"id = {held_up}"), Inserts(queue) as load:
        wait_until(lambda: "not this one" in runner.said(), 10)
        before = load.last()
        wait_until(lambda: load.ended(before)[0] > 100, 10)
        assert queue.status(held_up) == "started"
    row = queue.wait(held_up)
    assert (row["status"], row["attempt"]) == ("success", 1)


def test_many_endings_that_fail(queue):
    """Each of them pauses, not the runner."""
    runner = queue.start(**PATIENT)
    with refusing(queue, "created_by = 9"):
        queue.sql("INSERT INTO tasks (type, data, created_by) SELECT 'dummy', '{}', 9 FROM seq_1_to_100")
        wait_until(lambda: runner.said().count("not this one") > 100, 5)
        assert queue.wait(queue.make(), timeout=2)["status"] == "success"
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM tasks WHERE status = 'success'") == [(101,)], 20)


def test_claims_that_must_wait_hold_up_no_ending(queue):
    queue.start(queue__running_per_user=1, **PATIENT)
    task = queue.make(data={"seconds": 1})
    queue.wait_running(task)
    with held(queue, "SELECT type FROM type_control WHERE type = '*' FOR UPDATE"):
        waiting = queue.make(created_by=2)
        assert queue.wait(task, timeout=8)["status"] == "success"
        assert queue.status(waiting) == "fresh"
    assert queue.wait(waiting)["status"] == "success"


def waits_for_type(queue):
    return queue.stack.root_sql("SELECT 1 FROM information_schema.processlist WHERE user = 'backdesk_runner'"
                                " AND info LIKE 'SELECT type FROM type_control WHERE type = %FOR UPDATE'")


def test_told_to_end_at_once_while_a_claim_waits(queue):
    """The claim fails; what has ended meanwhile is written all the same."""
    runner = queue.start(queue__running_per_user=1, **PATIENT)
    task = queue.make(data={"seconds": 60})
    queue.wait_running(task)
    with held(queue, "SELECT type FROM type_control WHERE type = '*' FOR UPDATE"):
        queue.make(created_by=2)
        wait_until(lambda: waits_for_type(queue), every=0.01)
        runner.signal(signal.SIGTERM)
        wait_until(lambda: "ending" in runner.said())
        runner.signal(signal.SIGTERM)
        assert runner.wait(10) == 0
    assert queue.attempts(task) == [(1, 1, "handed_back", None)]
    assert queue.status(task) == "fresh"


def test_frozen_in_the_middle_of_a_claim(queue):
    """What it has locked and not claimed is in nobody's name: the server lets go of it."""
    lease = 6
    queue.sql("INSERT IGNORE INTO type_control (type) VALUES ('csv_export')")
    first = queue.start("first", runner__workers=8, runner__lease=f'"{lease}s"', **{'type "csv_export".running_total': 1})
    with ExitStack() as lock:
        lock.enter_context(held(queue, "SELECT type FROM type_control WHERE type = 'csv_export' FOR UPDATE"))
        queue.sql("INSERT INTO tasks (type, data, created_by, priority) SELECT IF(seq = 1, 'csv_export', 'dummy'),"
                  " IF(seq = 1, '{\"export\": \"books\"}', '{}'), 1, IF(seq = 1, 1, 9) FROM seq_1_to_6")
        wait_until(lambda: waits_for_type(queue), every=0.01)
        with Paused(first.pid):
            lock.close()
            second = queue.start("second", runner__types="{dummy}")
            ended = "SELECT COUNT(*) FROM tasks WHERE type = 'dummy' AND status = 'success' AND worker = %s"
            wait_until(lambda: queue.sql(ended, (second.worker,)) == [(5,)], lease + 4)


HELD = {
    "a file to be removed": ("INSERT INTO file_trash (path) VALUES ('00/00/1-1-x.csv')", "SELECT id FROM file_trash FOR UPDATE"),
    "an expired download": ("INSERT INTO csv_export (filename, owner_id, task_id, path, expires_at)"
                            " VALUES ('x', 1, 1, '00/00/1-1-x.csv', UTC_TIMESTAMP(6) - INTERVAL 1 DAY)",
                            "SELECT id FROM csv_export FOR UPDATE"),
    "an attempt of an expired task": ("INSERT INTO attempts (task_id, fence, attempt, outcome) SELECT id, 1, 1, 'failure'"
                                      " FROM tasks WHERE type = 'old'", "SELECT task_id FROM attempts FOR UPDATE"),
    "an expired key": ("INSERT INTO idempotency_keys (user_id, idem_key, body, task_ids, expires_at)"
                       " VALUES (1, 'x', '', '1', UTC_TIMESTAMP(6) - INTERVAL 1 DAY)",
                       "SELECT user_id FROM idempotency_keys FOR UPDATE"),
}


def test_what_is_to_be_removed(queue):
    """Another time; the queue goes on, and nothing of it waits."""
    queue.sql("INSERT INTO tasks (type, data, created_by, status, expires_at)"
              " VALUES ('old', '{}', 1, 'failure', UTC_TIMESTAMP(6) - INTERVAL 1 DAY)")
    with ExitStack() as stack:
        for insert, lock in HELD.values():
            queue.sql(insert)
            stack.enter_context(held(queue, lock))
        runner = queue.start(**PATIENT)
        with Inserts(queue) as inserts:
            for chore in ("removing deleted files", "deleting what has expired", "deleting what nobody asks for any more"):
                wait_until(lambda chore=chore: f"{chore}: another session" in runner.said(), 20)
            wait_until(lambda: inserts.ended()[0] > 50, 10)
            assert inserts.ended()[1] < 1.5
    for table in ("file_trash", "attempts", "idempotency_keys WHERE idem_key = 'x'"):
        wait_until(lambda table=table: queue.sql(f"SELECT COUNT(*) FROM {table}") == [(0,)], 30, message=table)
