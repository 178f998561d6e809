# SPDX-License-Identifier: MIT
"""The database dies under load and comes back: what was acknowledged is neither lost nor done twice."""

import threading

import pymysql
import pytest

from stack import wait_until


@pytest.fixture
def load(queue):
    """Users who post until they are told to stop; the ids that they were given."""
    acknowledged, stop = [], threading.Event()

    def post(user):
        while not stop.is_set():
            try:
                answer = queue.stack.request("POST", "/v1/tasks", user, json={"type": "dummy", "data": {"seconds": 0.01}},
                                             timeout=20)
            except OSError:
                continue
            if answer.status_code == 202:
                acknowledged.append(answer.json()["id"])
            else:
                assert answer.status_code == 503, answer.text
                assert "Retry-After" in answer.headers
                stop.wait(0.05)
    threads = [threading.Thread(target=post, args=(user,)) for user in ("ada", "grace", "ada")]
    for thread in threads:
        thread.start()

    def end():
        stop.set()
        for thread in threads:
            thread.join(30)
        return acknowledged
    end.acknowledged = acknowledged
    yield end
    end()


def test_killed_and_started_again_under_load(queue, load):
    first, second = queue.start("first"), queue.start("second")
    export = queue.stack.create("csv_export", {"export": "books"})["id"]
    wait_until(lambda: len(load.acknowledged) > 30)
    for _ in range(2):
        queue.stack.kill_database()
        before = len(load.acknowledged)
        queue.stack.start_database()
        wait_until(lambda: len(load.acknowledged) > before + 20, 20)
    tasks = load()
    queue.connection = queue.stack.connect()
    assert len(tasks) == len(set(tasks))

    def left():
        return queue.sql("SELECT id, status FROM tasks WHERE status NOT IN ('success')")
    wait_until(lambda: not left(), 30, message="not every task ends")
    assert {task for task, in queue.sql("SELECT id FROM tasks")} >= {*tasks, export}
    assert queue.sql("SELECT task_id, COUNT(*) FROM attempts WHERE outcome = 'success' GROUP BY task_id"
                     " HAVING COUNT(*) > 1") == []
    assert queue.sql("SELECT COUNT(*) FROM tasks t LEFT JOIN attempts a"
                     " ON a.task_id = t.id AND a.outcome = 'success' WHERE a.task_id IS NULL") == [(0,)]
    assert first.running() and second.running()
    queue.check_files()


def test_connections_are_killed_all_the_time(queue, load):
    """Each at whatever it does: in the middle of a claim, of a COMMIT, of a heartbeat."""
    runner = queue.start("first")
    wait_until(lambda: len(load.acknowledged) > 10)
    killed = 0
    while killed < 40:
        for number, user in queue.stack.root_sql(
                "SELECT id, user FROM information_schema.processlist WHERE user LIKE 'backdesk%'"):
            try:
                queue.stack.root_sql(f"KILL {'QUERY' if killed % 3 == 0 else 'CONNECTION'} {number}")
            except pymysql.Error:
                continue
            killed += user == "backdesk_runner"
    tasks = load()
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM tasks WHERE status <> 'success'") == [(0,)], 30)
    assert {task for task, in queue.sql("SELECT id FROM tasks")} >= set(tasks)
    assert queue.sql("SELECT task_id FROM attempts WHERE outcome = 'success' GROUP BY task_id"
                     " HAVING COUNT(*) > 1") == []
    assert queue.sql("SELECT MAX(attempt) FROM attempts WHERE outcome = 'success'") == [(1,)]
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
