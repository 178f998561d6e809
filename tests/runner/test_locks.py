# SPDX-License-Identifier: MIT
"""Rows that another session holds (somebody's forgotten BEGIN): what has nothing to do with them goes on."""

from contextlib import contextmanager

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
