# SPDX-License-Identifier: MIT
"""Rows that another session holds (somebody's forgotten BEGIN): what has nothing to do with them goes on."""

import time
from contextlib import contextmanager

from load import Load
from stack import wait_until

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
