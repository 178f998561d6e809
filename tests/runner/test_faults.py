# SPDX-License-Identifier: MIT
"""Workers and runners that die, are stopped or lose their lease: nothing is lost, nothing that was lost
counts, and no half file can be reached."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from stack import wait_until

from proc import alive, children, descriptors
from store.relay import Relay
from runner.conftest import LEASE, Paused, SLOW_EXPORT

SLOW = SLOW_EXPORT % 0.005


def worker_of(runner, task):
    """Pid of the worker that writes the file of TASK."""
    def find():
        return [pid for pid in children(runner.pid)
                if any(f"/tmp/{task}-" in path for path in descriptors(pid).values())]
    return wait_until(find, 10)[0]


def test_a_worker_that_is_killed_takes_its_own_task_only(queue):
    runner = queue.start(more=SLOW)
    victim = queue.make("csv_export", {"export": "slow"}, max_attempts=1)
    other = queue.make(data={"seconds": 1})
    pid = worker_of(runner, victim)
    queue.wait_running(other)
    os.kill(pid, signal.SIGKILL)
    row = queue.wait(victim)
    assert (row["status"], row["error"]["code"]) == ("dropped", "worker_died")
    assert "SIGKILL" in row["error"]["message"]
    assert queue.wait(other)["status"] == "success"
    assert queue.row(other)["attempt"] == 1
    assert queue.sql("SELECT COUNT(*) FROM csv_export") == [(0,)]
    queue.check_files()
    assert queue.wait(queue.make())["status"] == "success"
    assert runner.running() and len(queue.workers(runner)) == 2


AWAY = """
source "away" {
    socket = "/nonexistent/socket"
    database = "site"
    user = "site"
}
export "far" {
    source = "away"
    query = "SELECT id FROM books WHERE owner_id = :owner"
}
"""


def test_a_source_that_is_away_is_waited_for(queue):
    """Longer than after other failures: it may be starting again."""
    queue.start(more=AWAY, queue__backoff='"3s"')
    pauses = ("SELECT TIMESTAMPDIFF(MICROSECOND, a.finished_at, t.run_at) / 1e6 FROM tasks t JOIN attempts a"
              " ON a.task_id = t.id AND a.fence = t.fence WHERE t.id = %s")
    task = queue.make("csv_export", {"export": "far"})
    for attempt, most in (1, 30), (2, 180):
        row = queue.wait(task, "scheduled")
        assert (row["attempt"], row["error"] and row["error"]["code"]) == (attempt, "source_unavailable")
        (pause,), = queue.sql(pauses, (task,))
        assert most / 2 - 1 < pause < most + 1
        queue.sql("UPDATE tasks SET status = 'fresh', run_at = NULL WHERE id = %s", (task,))
    assert queue.wait(task)["status"] == "failure"


@pytest.mark.parametrize("data, outcome", [({"seconds": 0.3}, "success"), ({"seconds": 0.3, "fail": True}, "failure")])
@pytest.mark.parametrize("how", ["before", "after"])
def test_an_end_of_unknown_outcome_counts_once(queue, data, outcome, how):
    """The connection is lost at its COMMIT, before or after the server has heard of it."""
    path = queue.stack.state / "run" / "relay.sock"
    path.unlink(missing_ok=True)
    relay = Relay(queue.stack.env["MYSQL_SOCKET"], path)
    path.chmod(0o777)
    queue.start(database__socket=f'"{path}"', runner__progress='"10s"')

    def counted():
        return int(queue.sql("SELECT COALESCE(SUM(ended), 0) FROM task_counters WHERE type = 'dummy' AND outcome = %s",
                             (outcome,))[0][0])
    before = counted()
    task = queue.make(data=data, max_attempts=1)
    queue.wait(task, "started")
    relay.lose = how
    assert queue.wait(task)["status"] == outcome
    assert relay.lost == 1
    queue.wait(queue.make(data={**data, "seconds": 0}, max_attempts=1))  # then the other is written for good
    wait_until(lambda: counted() >= before + 2)
    assert counted() == before + 2
    relay.close()


def limit_processes(queue, runner, most):
    subprocess.run(["prlimit", f"--pid={runner.pid}", f"--nproc={most}:"], check=True, **queue.stack.daemon_account())


def test_no_process_can_be_made(queue):
    """What keeps a runner from forking fills no log; it goes on once there is room again."""
    runner = queue.start(runner__workers=1)
    before = re.search(r"Max processes +(\w+)", Path(f"/proc/{runner.pid}/limits").read_text(encoding="ascii"))[1]
    limit_processes(queue, runner, 1)
    os.kill(queue.workers(runner, 1)[0], signal.SIGKILL)
    tries = lambda: runner.said().count("cannot fork a worker")  # noqa: E731
    wait_until(lambda: tries() == 1, 10)
    first = time.monotonic()
    wait_until(lambda: tries() > 1, 10)
    assert tries() == 2 and time.monotonic() - first > 0.8
    limit_processes(queue, runner, before)
    assert queue.wait(queue.make())["status"] == "success"


def test_a_killed_export_is_tried_again(queue):
    runner = queue.start(more=SLOW, runner__workers=1)
    task = queue.make("csv_export", {"export": "slow"}, max_attempts=3)
    os.kill(worker_of(runner, task), signal.SIGKILL)
    row = queue.wait(task)
    assert (row["status"], row["attempt"], row["fence"]) == ("success", 2, 2)
    assert [entry[:3] for entry in queue.attempts(task)] == [(1, 1, "dropped"), (2, 2, "success")]
    assert len(queue.files()) == 1
    queue.check_files()


def test_a_crash_is_named_by_its_signal(queue):
    runner = queue.start()
    crash = queue.make(data={"crash": True}, max_attempts=2)
    others = [queue.make() for _ in range(5)]
    row = queue.wait(crash)
    assert (row["status"], row["attempt"]) == ("dropped", 2)
    wait_until(lambda: "attempt 2 of 2 failed, there is no other" in runner.said(), 10)
    assert f"task {crash} (dummy): attempt 1 of 2 failed, the next one comes in" in runner.said()
    assert "SIGSEGV" in row["error"]["message"]
    assert [entry[2] for entry in queue.attempts(crash)] == ["dropped", "dropped"]
    assert all(queue.wait(task)["status"] == "success" for task in others)


def test_a_task_that_kills_its_worker_again_and_again_blocks_nobody(queue):
    queue.start(runner__workers=1, queue__backoff='"0s"')
    crashes = [queue.make(data={"crash": True}, max_attempts=4) for _ in range(5)]
    others = [queue.make() for _ in range(20)]
    assert {queue.wait(task, timeout=30)["status"] for task in others} == {"success"}
    assert {queue.wait(task, timeout=30)["status"] for task in crashes} == {"dropped"}


def test_a_killed_runner_loses_its_tasks_to_another(queue):
    keep = {'type "dummy"__retention_failure': '"1h"'}
    first = queue.start("first", more=SLOW, runner__workers=3, **keep)
    lost = queue.make(data={"seconds": 60}, max_attempts=2)
    export = queue.make("csv_export", {"export": "slow"}, max_attempts=2)
    once = queue.make(data={"seconds": 60}, max_attempts=1)
    worker_of(first, export)
    workers = children(first.pid)
    second = queue.start("second", more=SLOW, **keep)
    queue.sql("UPDATE tasks SET data = '{}' WHERE id = %s", (lost,))  # for its next claim
    first.signal(signal.SIGKILL)
    died = time.monotonic()
    wait_until(lambda: not any(map(alive, workers)), 1)  # its workers do not go on
    wait_until(lambda: queue.row(lost)["attempt"] == 2, LEASE + 2)
    assert time.monotonic() - died < LEASE + 2
    assert queue.wait(lost)["worker"] == second.worker
    assert queue.wait(export, timeout=20)["status"] == "success"
    for task in (lost, export):
        assert [entry[:3] for entry in queue.attempts(task)] == [(1, 1, "dropped"), (2, 2, "success")]
        assert first.worker in queue.attempts(task)[0][3]
    row = queue.wait(once)
    assert (row["status"], row["error"]["code"]) == ("dropped", "runner_lost")
    assert (row["expires_at"] - row["finished_at"]).total_seconds() == 3600  # as its type has it
    queue.check_files()


def put_clock(queue, hours):
    """As if the database's clock were put forward by so many hours: what it has written is older."""
    queue.sql("UPDATE runners SET last_seen = last_seen - INTERVAL %s HOUR", (hours,))


def test_the_databases_clock_is_put_forward(queue):
    """Nobody loses what it runs for longer than a lease."""
    runners = [queue.start(name, runner__workers=1) for name in ("first", "second")]
    tasks = [queue.make(data={"seconds": LEASE + 1}) for _ in runners]
    for task in tasks:
        queue.wait_running(task)
    put_clock(queue, 1)
    wait_until(lambda: all(queue.status(task) == "success" for task in tasks), LEASE + 5)
    assert [queue.row(task)["fence"] for task in tasks] == [1, 1]
    assert not any("gone" in runner.said() for runner in runners)


def test_a_runner_dies_and_the_databases_clock_is_put_back(queue):
    first = queue.start("first")
    task = queue.make(data={"seconds": 60}, max_attempts=2)
    queue.wait_running(task)
    queue.start("second")
    queue.sql("UPDATE tasks SET data = '{}' WHERE id = %s", (task,))  # for its next claim
    first.signal(signal.SIGKILL)
    first.wait()
    put_clock(queue, -1)
    assert queue.wait(task, timeout=LEASE + 3)["attempt"] == 2


def test_a_runner_comes_back_under_its_own_name(queue):
    """Its tasks of before count as lost, not as handed back."""
    uuid = {"runner__uuid": '"0c7d3a52-7e0b-4c86-9d0f-5b1b7a3f2c11"'}
    first = queue.start("same", **uuid)
    task = queue.make(data={"seconds": 60}, max_attempts=2)
    queue.wait_running(task)
    first.signal(signal.SIGKILL)
    first.wait()
    queue.sql("UPDATE tasks SET data = '{}' WHERE id = %s", (task,))

    def again():
        runner = queue.stack.start_runner("same", config=first.config)
        wait_until(lambda: not runner.running() or queue.sql("SELECT 1 FROM runners WHERE pid = %s", (runner.pid,)))
        return runner.running() and runner
    wait_until(again, LEASE + 5, every=0.3)  # refused while the lease of the dead one holds
    assert queue.wait(task)["status"] == "success"
    assert [entry[:3] for entry in queue.attempts(task)] == [(1, 1, "dropped"), (2, 2, "success")]


def test_a_runner_that_was_stopped_past_its_lease(queue):
    first = queue.start("first", more=SLOW, runner__types="{dummy}")
    task = queue.make(data={"seconds": 2.5})
    queue.wait_running(task)
    workers = children(first.pid)
    second = queue.start("second")
    with Paused(first.pid) as stopped:
        # the worker sees by itself that nobody renews the lease, before others may take the task
        wait_until(lambda: not all(map(alive, workers)), LEASE)
        assert time.monotonic() - stopped < LEASE
        wait_until(lambda: queue.row(task)["worker"] == second.worker, LEASE + 3)
    row = queue.wait(task)
    assert (row["worker"], row["status"], row["fence"]) == (second.worker, "success", 2)
    assert [entry[:3] for entry in queue.attempts(task)] == [(1, 1, "dropped"), (2, 2, "success")]
    # it has entered anew and works again
    assert wait_until(lambda: queue.sql("SELECT 1 FROM runners WHERE worker = %s AND gone_at IS NULL",
                                        (first.worker,)), LEASE)
    second.stop()
    assert queue.wait(queue.make())["worker"] == first.worker


def test_an_export_that_ends_while_its_dispatcher_is_stopped(queue):
    """The answer lies in the socket; by the time it is read the claim is another's."""
    first = queue.start("first", more=SLOW_EXPORT % 0.002)
    task = queue.make("csv_export", {"export": "slow"})
    pid = worker_of(first, task)
    with Paused(first.pid):
        wait_until(lambda: not alive(pid) or not any(f"/tmp/{task}-" in path for path in descriptors(pid).values()))
        late = queue.files()
        second = queue.start("second", more=SLOW_EXPORT % 0)
        row = queue.wait(task, timeout=LEASE + 5)
        assert (row["worker"], row["status"], row["fence"]) == (second.worker, "success", 2)
        good = queue.sql("SELECT path FROM csv_export")
    wait_until(lambda: "discarded" in first.said() or not late & queue.files(), 10)
    assert queue.sql("SELECT path FROM csv_export") == good
    assert queue.row(task) == row
    queue.check_files()
    assert queue.files() == {good[0][0]}


def test_stopped_together_with_its_workers(queue):
    """A virtual machine that was paused."""
    first = queue.start("first", more=SLOW)
    task = queue.make("csv_export", {"export": "slow"})
    pid = worker_of(first, task)
    with Paused(first.pid, pid):
        second = queue.start("second", more=SLOW_EXPORT % 0)
        row = queue.wait(task, timeout=LEASE + 5)
        assert row["worker"] == second.worker
    wait_until(lambda: not alive(pid), 2)
    assert queue.row(task) == row
    queue.check_files()


def test_a_stopped_dispatcher_hands_nothing_back(queue):
    """Its workers went on meanwhile: what it has claimed ahead did not wait for them, but for it."""
    runner = queue.start(runner__workers=1)
    queue.claim_ahead(lambda: queue.sql(
        "INSERT INTO tasks (type, data, created_by) SELECT 'dummy', '{\"seconds\": 0.25}', 2 FROM seq_1_to_3"), 2)
    with Paused(runner.pid):
        time.sleep(1.2)  # longer than a claim may wait
    queue.wait_all_ended()
    assert queue.sql("SELECT DISTINCT fence FROM tasks") == [(1,)]


def test_a_stopped_worker_does_not_hold_up_the_end(queue):
    runner = queue.start(runner__workers=1)
    pid, = queue.workers(runner, 1)
    with Paused(pid):
        runner.signal(signal.SIGTERM)
        assert runner.wait(10) == 0


def test_a_stopped_worker_does_not_hold_up_its_dispatcher(queue):
    """A payload that does not fit into the socket of a worker that does not read."""
    runner = queue.start(runner__workers=1)
    pid, = queue.workers(runner, 1)
    big = '{"seconds": 0}' + " " * 4000000
    with Paused(pid):
        task = queue.make(data=big)
        assert queue.wait(task)["status"] == "success"
    assert not alive(pid)
    assert queue.attempts(task) == [(1, 1, "success", None)]


def test_cut_off_from_the_database(queue):
    """Longer than two thirds of the lease: what runs is ended by its own runner, what is idle stays."""
    runner = queue.start()
    task = queue.make(data={"seconds": 4})
    queue.wait_running(task)
    workers = queue.workers(runner)
    server = queue.stack.pid("mariadbd")
    with Paused(server):
        wait_until(lambda: sum(map(alive, workers)) == 1, LEASE + 1)
    wait_until(lambda: queue.sql("SELECT 1 FROM runners WHERE worker = %s AND gone_at IS NULL", (runner.worker,)))
    row = queue.wait(task)
    assert row["status"] == "success" and row["attempt"] == 2
    assert queue.attempts(task)[0][2] == "dropped"
    assert sum(map(alive, workers)) == 1


@pytest.mark.parametrize("table", ["runners", "tasks"])
def test_somebody_takes_its_claim_away(queue, table):
    """By hand: the runner's row is deleted, or the task is given to nobody."""
    runner = queue.start(runner__workers=1)
    task = queue.make(data={"seconds": 30})
    queue.wait_running(task)
    pid, = queue.workers(runner, 1)
    queue.sql("UPDATE tasks SET data = '{}'")  # for its next claim
    if table == "runners":
        queue.sql("DELETE FROM runners")
    else:
        queue.sql("UPDATE tasks SET status = 'failure', fence = fence + 1")
    wait_until(lambda: not alive(pid) or "claim has been taken away" in runner.said(), 10)
    if table == "runners":
        assert queue.wait(task)["attempt"] == 2
        assert queue.sql("SELECT COUNT(*) FROM runners WHERE gone_at IS NULL") == [(1,)]
    else:
        assert queue.status(task) == "failure"
        assert queue.sql("SELECT COUNT(*) FROM attempts") == [(0,)]
    assert queue.wait(queue.make())["status"] == "success"
