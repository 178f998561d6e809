# SPDX-License-Identifier: MIT
"""The database dies under load and comes back: what was acknowledged is neither lost nor done twice."""

import itertools

import pymysql

from history import CLAIMS
from load import Load
from stack import wait_until


class Posts(Load):
    """Users who post; the ids that they were given."""

    def __init__(self, stack):
        self.acknowledged = []
        users = itertools.cycle(("ada", "grace", "ada"))

        def one():
            try:
                answer = stack.request("POST", "/v1/tasks", next(users), json={"type": "dummy", "data": {"seconds": 0.01}},
                                       timeout=20)
            except OSError:
                return None
            if answer.status_code == 202:
                self.acknowledged.append(answer.json()["id"])
                return None
            self.stopped.wait(0.05)
            return None if answer.status_code == 503 and "Retry-After" in answer.headers else answer.text
        super().__init__(3, one)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        assert self.failed == []


def test_killed_and_started_again_under_load(queue):
    first, second = queue.start("first"), queue.start("second")
    with Posts(queue.stack) as posts:
        export = queue.stack.create("csv_export", {"export": "books"})["id"]
        wait_until(lambda: len(posts.acknowledged) > 30)
        for _ in range(2):
            queue.stack.kill_database()
            before = len(posts.acknowledged)
            queue.stack.start_database()
            wait_until(lambda: len(posts.acknowledged) > before + 20, 20)
    tasks = posts.acknowledged
    queue.connection = queue.stack.connect()
    assert len(tasks) == len(set(tasks))

    def left():
        return queue.sql("SELECT id, status FROM tasks WHERE status NOT IN ('success')")
    wait_until(lambda: not left(), 30, message="not every task ends")
    assert {task for task, in queue.sql("SELECT id FROM tasks")} >= {*tasks, export}
    assert queue.sql(f"SELECT task_id, COUNT(*) FROM {CLAIMS} WHERE outcome = 'success' GROUP BY task_id"
                     " HAVING COUNT(*) > 1") == []
    assert queue.sql("SELECT COUNT(*) FROM attempts WHERE outcome = 'success' AND log IS NULL") == [(0,)]
    assert first.running() and second.running()
    queue.check_files()


def test_connections_are_killed_all_the_time(queue):
    """Each at whatever it does: in the middle of a claim, of a COMMIT, of a heartbeat."""
    runner = queue.start("first")
    killed = 0
    with Posts(queue.stack) as posts:
        wait_until(lambda: len(posts.acknowledged) > 10)
        while killed < 40:
            for number, user in queue.stack.root_sql(
                    "SELECT id, user FROM information_schema.processlist WHERE user LIKE 'backdesk%'"):
                try:
                    queue.stack.root_sql(f"KILL {'QUERY' if killed % 3 == 0 else 'CONNECTION'} {number}")
                except pymysql.Error:
                    continue
                killed += user == "backdesk_runner"
    tasks = posts.acknowledged
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM tasks WHERE status <> 'success'") == [(0,)], 30)
    assert {task for task, in queue.sql("SELECT id FROM tasks")} >= set(tasks)
    assert queue.sql(f"SELECT task_id FROM {CLAIMS} WHERE outcome = 'success' GROUP BY task_id"
                     " HAVING COUNT(*) > 1") == []
    assert queue.sql(f"SELECT MAX(attempt) FROM {CLAIMS} WHERE outcome = 'success'") == [(1,)]
    assert runner.running()


def test_one_that_starts_without_a_database_says_so(queue):
    queue.stack.kill_database()
    try:
        runner = queue.stack.start_runner("early")
        assert runner.wait(20) == 1
        assert "cannot connect to the database" in runner.log.read_text()
    finally:
        queue.stack.start_database()
        queue.connection = queue.stack.connect()
