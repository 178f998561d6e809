# SPDX-License-Identifier: MIT
"""Told to end, told again, told to read its configuration anew."""

import os
import signal
import time

import pytest

from stack import wait_until

from proc import alive, children
from runner.conftest import Paused, SLOW_EXPORT


def test_told_to_end_it_finishes_what_it_can(queue):
    runner = queue.start(runner__shutdown_grace='"1500ms"')
    short = queue.make(data={"seconds": 0.7})
    long = queue.make(data={"seconds": 60})
    for task in (short, long):
        queue.wait_running(task)
    waiting = [queue.make() for _ in range(3)]
    pids = children(runner.pid)
    runner.signal(signal.SIGTERM)
    assert runner.wait(10) == 0
    assert not any(map(alive, pids))
    assert queue.row(short)["status"] == "success"
    row = queue.row(long)
    assert (row["status"], row["attempt"], row["fence"], row["error"]) == ("fresh", 0, 1, None)
    assert queue.attempts(long) == [(1, 1, "handed_back", None)]
    assert [queue.status(task) for task in waiting] == ["fresh"] * 3
    # another one runs it with its whole budget
    queue.sql("UPDATE tasks SET data = '{}', max_attempts = 1 WHERE id = %s", (long,))
    queue.start("next")
    assert queue.wait(long)["status"] == "success"
    assert queue.attempts(long)[1] == (2, 1, "success", None)


def claim_behind_a_long_one(queue):
    """A task that keeps the only worker, and others of which some are claimed."""
    def insert():
        running = queue.make(data={"seconds": 60})
        queue.wait_running(running)
        queue.sql("INSERT INTO tasks (type, data, created_by) SELECT 'dummy', '{}', 1 FROM seq_1_to_29")
        return running, [task for task, in queue.sql("SELECT id FROM tasks WHERE id > %s", (running,))]
    return queue.claim_ahead(insert, 1)


def test_what_was_claimed_ahead_is_handed_back(queue):
    """Tasks so short that some are claimed for later; a long one then keeps the worker."""
    runner = queue.start(runner__workers=1, runner__batch=50, runner__shutdown_grace='"300ms"')
    running, others = claim_behind_a_long_one(queue)
    runner.signal(signal.SIGTERM)
    assert runner.wait(10) == 0
    assert set(queue.sql("SELECT status, attempt FROM tasks WHERE id IN %s", ([running, *others],))) == {("fresh", 0)}


def test_a_handed_back_export_leaves_no_file(queue):
    runner = queue.start(more=SLOW_EXPORT % 0.02, runner__shutdown_grace='"100ms"')
    task = queue.make("csv_export", {"export": "slow"})
    wait_until(lambda: any("tmp/" in path for path in queue.files()))
    runner.signal(signal.SIGTERM)
    assert runner.wait(10) == 0
    assert queue.status(task) == "fresh"
    assert queue.files() == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_twice_it_ends_at_once(queue, number):
    runner = queue.start(runner__shutdown_grace='"60s"')
    task = queue.make(data={"seconds": 60})
    queue.wait_running(task)
    runner.signal(number)
    wait_until(lambda: "ending" in runner.said())
    assert runner.running()
    begin = time.monotonic()
    runner.signal(number)
    assert runner.wait(10) == 0
    assert time.monotonic() - begin < 3
    assert queue.row(task)["status"] == "fresh"
    assert queue.attempts(task) == [(1, 1, "handed_back", None)]


def test_told_twice_during_a_transaction(queue):
    """What ended meanwhile is written all the same, when the transaction is over."""
    runner = queue.start(runner__shutdown_grace='"60s"', runner__lease='"30s"', runner__progress='"10s"')
    held, other = queue.make(data={"seconds": 3}), queue.make(data={"seconds": 60})
    for task in (held, other):
        queue.wait(task, "started")
    with queue.stack.connect() as connection, connection.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (held,))
        wait_until(lambda: queue.stack.root_sql("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'UPDATE tasks%'"
                                                " AND time_ms > 200"))
        runner.signal(signal.SIGTERM)
        wait_until(lambda: "ending" in runner.said())
        runner.signal(signal.SIGTERM)
        wait_until(lambda: not children(runner.pid))  # its time is over, but for the database
        assert runner.running()
        connection.rollback()
    assert runner.wait(10) == 0
    assert queue.row(held)["status"] == "success"
    assert (queue.row(other)["status"], queue.row(other)["attempt"]) == ("fresh", 0)
    assert queue.attempts(other) == [(1, 1, "handed_back", None)]


def test_told_to_end_while_the_database_is_away(queue):
    runner = queue.start(runner__shutdown_grace='"100ms"')
    task = queue.make(data={"seconds": 60})
    queue.wait_running(task)
    server = queue.stack.pid("mariadbd")
    os.kill(server, signal.SIGSTOP)
    try:
        runner.signal(signal.SIGTERM)
        wait_until(lambda: "ending" in runner.said())
        runner.signal(signal.SIGTERM)
        begin = time.monotonic()
        assert runner.wait(15) == 0
        assert time.monotonic() - begin < 6
    finally:
        os.kill(server, signal.SIGCONT)
    queue.sql("UPDATE tasks SET data = '{}'")
    queue.start("next")
    assert queue.wait(task)["status"] == "success"


def test_a_new_configuration_hands_back_what_it_does_not_take(queue):
    """Claimed ahead by the old one, and not begun."""
    runner = queue.start("changing", runner__workers=1, runner__types='{"dummy", "csv_export"}')
    running, others = claim_behind_a_long_one(queue)
    with Paused(runner.pid):
        time.sleep(0.6)  # what waits is then excused from going back after a second, as it does in any case
        runner.config.write_text(runner.config.read_text().replace('{"dummy", "csv_export"}', '{"csv_export"}'))
        runner.signal(signal.SIGHUP)
    wait_until(lambda: set(queue.sql("SELECT status, attempt FROM tasks WHERE id IN %s", (others,))) == {("fresh", 0)})
    assert (queue.row(running)["status"], queue.row(running)["attempt"]) == ("started", 1)
    assert "have waited for a worker" not in runner.said()
    queue.start("next", runner__types='{"dummy"}')
    assert {queue.wait(task)["status"] for task in others} == {"success"}


def test_a_new_configuration_keeps_the_work(queue):
    runner = queue.start("changing", runner__workers=1, runner__lease='"6s"')
    first = queue.make(data={"seconds": 1.5})
    queue.wait_running(first)
    worker, = queue.workers(runner, 1)
    text = runner.config.read_text()
    runner.config.write_text(text.replace("workers = 1", "workers = 3").replace('lease = "6s"', 'lease = "4s"'))
    runner.signal(signal.SIGHUP)
    card = "SELECT slots, lease_usec FROM runners WHERE worker = %s"
    wait_until(lambda: queue.sql(card, (runner.worker,)) == [(3, 4000000)])
    assert alive(worker)
    others = [queue.make(data={"seconds": 0.2}) for _ in range(4)]
    assert {queue.wait(task)["status"] for task in others} == {"success"}
    row = queue.wait(first)
    assert (row["status"], row["attempt"]) == ("success", 1)
    wait_until(lambda: len(children(runner.pid)) == 3 and not alive(worker))
    for _ in range(3):
        runner.signal(signal.SIGHUP)
    assert queue.wait(queue.make())["status"] == "success"
    runner.signal(signal.SIGTERM)
    assert runner.wait(10) == 0


def test_a_broken_configuration_is_left_alone(queue):
    runner = queue.start("careful")
    with open(runner.config, "a", encoding="utf-8") as file:
        file.write("nonsense {\n")
    runner.signal(signal.SIGHUP)
    wait_until(lambda: "stays as it was" in runner.said())
    assert queue.wait(queue.make())["status"] == "success"


def test_what_needs_a_restart_stays(queue, tmp_path):
    """The API and nginx go on with the directory of old, so the runner does."""
    runner = queue.start("changing")
    text = runner.config.read_text()
    old = f'directory = "{queue.stack.shared_dir}"'
    assert old in text
    runner.config.write_text(text.replace(old, f'directory = "{tmp_path}"').replace("workers = 2", "workers = 3"))
    runner.signal(signal.SIGHUP)
    wait_until(lambda: queue.sql("SELECT slots FROM runners WHERE worker = %s", (runner.worker,)) == [(3,)])
    line = runner.config.read_text().split(str(tmp_path))[0].count("\n") + 1
    assert f"{runner.config}:{line}: files directory: stays as it was" in runner.said()
    task = queue.wait(queue.make("csv_export", {"export": "books"}))["id"]
    answer = queue.stack.request("GET", queue.stack.task(task)["links"]["download"])
    assert answer.status_code == 200 and answer.content
    assert queue.stack.request("DELETE", f"/v1/tasks/{task}").status_code == 204
    wait_until(lambda: not queue.files())
    assert not list(tmp_path.iterdir())


def test_types_may_change(queue):
    runner = queue.start("changing", runner__types="{csv_export}")
    task = queue.make()
    assert queue.wait(queue.make("csv_export", {"export": "books"}))["status"] == "success"
    assert queue.status(task) == "fresh"
    runner.config.write_text(runner.config.read_text().replace("types = {csv_export}", "types = {dummy}"))
    runner.signal(signal.SIGHUP)
    assert queue.wait(task)["status"] == "success"
    wait_until(lambda: queue.sql("SELECT types FROM runners WHERE gone_at IS NULL") == [('["dummy"]',)])
