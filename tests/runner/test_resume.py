# SPDX-License-Identifier: MIT
"""Exports whose worker or runner goes away at a bad moment: whoever takes the task goes on from the last
checkpoint, the file is that of an undisturbed run, and nothing is left of what came before."""

import csv
import io
import os
import random
import signal

import pytest

from stack import wait_until

from proc import children, descriptors
from runner.conftest import LEASE, Paused
from runner.test_faults import worker_of

# its last column costs time only where `pace` says so: an undisturbed run is fast, one behind `gate` nearly stands
EXPORT = """
export "paced" {
    source = "site"
    query = "SELECT b.*, SLEEP(IF(b.id > p.gate, 0.02, p.pause)) AS waited FROM books b, pace p WHERE p.id = 1 AND owner_id = :owner AND b.id < 4000"
    key = {"id"}
    page_rows = 50
    count = none
}
"""
QUICK = {"files__checkpoint": '"30ms"', "queue__max_attempts": 100, "queue__backoff": '"20ms"',
         "queue__backoff_max": '"50ms"'}


@pytest.fixture
def paced(queue):
    """The queue, with pace(seconds a row[, the id of the last row before it nearly stands]) for the export's speed."""
    site = queue.stack.env["SITE_DATABASE"]

    def pace(seconds, gate=1000000):
        queue.sql(f"UPDATE {site}.pace SET pause = {seconds}, gate = {gate}")
    queue.stack.root_sql(f"CREATE TABLE {site}.pace (id INT PRIMARY KEY, pause DOUBLE, gate INT)")
    queue.stack.root_sql(f"INSERT INTO {site}.pace VALUES (1, 0, 1000000)")
    queue.pace = pace
    yield queue
    queue.stack.stop_runners()
    queue.stack.root_sql(f"DROP TABLE {site}.pace")


def start(queue, name="red", **settings):
    return queue.start(name, more=EXPORT, **{**QUICK, **settings})


def start_again(queue, runner):
    again = queue.stack.start_runner(runner.name, config=runner.config)
    again.config = runner.config
    return again


def ask(queue, kind="csv", **columns):
    return queue.make(f"{kind}_export", {"export": "paced"}, created_at="2026-01-02 03:04:05", **columns)


def file_of(queue, task):
    (path, size, rows), = queue.sql("SELECT path, bytes, `rows` FROM csv_export WHERE task_id = %s", (task,))
    data = (queue.stack.shared_dir / path).read_bytes()
    assert len(data) == size
    return data.replace(b"(task %d)" % task, b""), rows


def checkpoints(queue, task):
    return sorted((queue.stack.shared_dir / "tmp").glob(f"{task}-*.ckpt"))


def size(path):
    try:
        return path.with_suffix(".part").stat().st_size
    except FileNotFoundError:
        return 0


def grown(queue, task, bytes_=1):
    """Until the task has a checkpoint and a file of so many bytes; False where it has ended before."""
    return wait_until(lambda: any(size(path) >= bytes_ for path in checkpoints(queue, task)) or
                      queue.status(task) not in ("fresh", "scheduled", "started") and "ended", 20, every=0.005) is True


def rows_gone_on(queue, task):
    """Behind which rows attempts of TASK have gone on."""
    return [int(line.split("behind row ")[1].split(",")[0]) for log, in
            queue.sql("SELECT log FROM attempts WHERE task_id = %s ORDER BY fence", (task,))
            for line in (log or "").splitlines() if line.startswith("going on behind row")]


def undisturbed(queue, kind="csv"):
    queue.pace(0)
    task = ask(queue, kind)
    assert queue.wait(task)["status"] == "success"
    return file_of(queue, task)


def kill_worker(queue, runners, task):
    """The one that writes, once there is one: after the deed before this one, nobody may have taken the task yet."""
    pid, = wait_until(lambda: [pid for runner in runners for pid in children(runner.pid)
                               if any(f"/tmp/{task}-" in path for path in descriptors(pid).values())], LEASE + 20, every=0.005)
    os.kill(pid, signal.SIGKILL)


def kill_runner(queue, runners, _):
    runners[0].signal(signal.SIGKILL)
    runners[0].wait()
    runners[0] = start_again(queue, runners[0])


def terminate_runner(queue, runners, _):
    wait_until(lambda: queue.name_of(runners[0]), 20)  # before that it may not have its signals yet
    runners[0].signal(signal.SIGTERM)
    runners[0].signal(signal.SIGTERM)
    assert runners[0].wait() == 0
    runners[0] = start_again(queue, runners[0])


@pytest.mark.parametrize("kind", ["csv", "html"])
def test_killed_at_random_moments(paced, kind):
    runners = [start(paced, "red", runner__shutdown_grace='"0s"'), start(paced, "blue")]
    expected = undisturbed(paced, kind)
    paced.pace(0.0005, gate=0)
    task = ask(paced, kind)
    dice = random.Random(kind)
    for part, deed in zip(sorted(dice.uniform(0, 0.8) for _ in range(6)),
                          [kill_worker, kill_runner, kill_worker, terminate_runner, kill_worker, kill_worker]):
        paced.pace(0.0005, gate=int(part * 4000) + 200)  # so that the task cannot end before the last deed
        assert grown(paced, task, int(part * len(expected[0])))
        deed(paced, runners, task)
    paced.pace(0)
    assert paced.wait(task, timeout=30)["status"] == "success"
    assert file_of(paced, task) == expected
    rows = rows_gone_on(paced, task)
    assert len(rows) >= 3 and rows == sorted(rows) and rows[0] > 0
    paced.check_files()


def test_stopped_past_its_lease(paced):
    """The old worker wakes up in the middle of its file; the new one's is not touched by it."""
    first = start(paced, "red", runner__workers=1)
    expected = undisturbed(paced)
    paced.pace(0.0005)
    task = ask(paced)
    assert grown(paced, task, 20000)
    worker = worker_of(first, task)
    with Paused(first.pid, worker):
        start(paced, "blue", runner__workers=1)
        wait_until(lambda: any("-2-" in path.name for path in checkpoints(paced, task)), LEASE + 5)
    paced.pace(0)
    assert paced.wait(task)["status"] == "success"
    assert file_of(paced, task) == expected
    assert len(rows_gone_on(paced, task)) == 1
    assert paced.row(task)["fence"] == 2
    paced.check_files()


def test_handed_back_at_shutdown(paced):
    """Not a row is read twice."""
    first = start(paced, "red", runner__shutdown_grace='"0s"', runner__workers=1)
    expected = undisturbed(paced)
    paced.pace(0.0005)
    task = ask(paced)
    assert grown(paced, task, 20000)
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert paced.status(task) == "fresh"
    path, = checkpoints(paced, task)
    begun = path.with_suffix(".part").read_bytes()
    assert expected[0].startswith(begun)
    paced.pace(0)
    start(paced, "blue")
    row = paced.wait(task)
    assert (row["status"], row["attempt"], row["fence"]) == ("success", 1, 2)
    assert file_of(paced, task) == expected
    assert rows_gone_on(paced, task) == [len(list(csv.reader(io.StringIO(begun.decode(), newline="")))) - 1]
    paced.check_files()


def test_out_of_time(paced):
    """Each attempt adds what its time allows."""
    runner = start(paced, "red", **{'type "csv_export".timeout': '"1s"'})
    expected = undisturbed(paced)
    paced.pace(0.0012)
    task = ask(paced, max_attempts=20)
    row = paced.wait(task, timeout=60)
    assert row["status"] == "success" and row["attempt"] > 1
    assert file_of(paced, task) == expected
    rows = rows_gone_on(paced, task)
    assert rows == sorted(set(rows)) and len(rows) == row["attempt"] - 1
    assert {entry[2] for entry in paced.attempts(task)[:-1]} == {"failure"} and runner.running()
    paced.check_files()


def test_a_checkpoint_that_outlives_its_export_takes_no_published_file_along(paced):
    start(paced, "red")
    paced.pace(0.001)
    task = ask(paced)
    assert grown(paced, task)
    note = checkpoints(paced, task)[0]
    content = note.read_bytes()
    paced.pace(0)
    assert paced.wait(task)["status"] == "success"
    expected = file_of(paced, task)
    note.write_bytes(content)  # as one whose removal has failed, or that was listed before
    wait_until(lambda: not note.exists(), 10)
    assert file_of(paced, task) == expected
    paced.check_files()


def test_nothing_is_left_of_a_task_that_ends_otherwise(paced):
    runner = start(paced, "red", runner__workers=1, runner__cancel_grace='"5s"')
    paced.pace(0.001)

    def gone(task):
        wait_until(lambda: not list((paced.stack.shared_dir / "tmp").glob(f"{task}-*")), 5)

    dropped = ask(paced, max_attempts=1)
    assert grown(paced, dropped)
    os.kill(worker_of(runner, dropped), signal.SIGKILL)
    assert paced.wait(dropped)["status"] == "dropped"
    gone(dropped)

    cancelled = ask(paced)
    assert grown(paced, cancelled)
    paced.stack.request("POST", f"/v1/tasks/{cancelled}/cancel", "admin")
    assert paced.wait(cancelled)["status"] == "cancelled"
    gone(cancelled)

    # cancelled while it waits for its next attempt: no runner has it then
    unrun = ask(paced)
    assert grown(paced, unrun)
    paced.sql("INSERT INTO type_control (type, paused_at) VALUES ('csv_export', UTC_TIMESTAMP(6))"
              " ON DUPLICATE KEY UPDATE paused_at = UTC_TIMESTAMP(6)")
    os.kill(worker_of(runner, unrun), signal.SIGKILL)
    paced.wait(unrun, "fresh", "scheduled")
    assert checkpoints(paced, unrun)
    answer = paced.stack.request("POST", f"/v1/tasks/{unrun}/cancel", "admin")
    assert answer.status_code == 202, answer.text
    gone(unrun)
    paced.sql("UPDATE type_control SET paused_at = NULL WHERE type = 'csv_export'")

    failed = ask(paced, max_attempts=1)
    assert grown(paced, failed)
    paced.stack.root_sql(f"RENAME TABLE {paced.stack.env['SITE_DATABASE']}.pace TO "
                         f"{paced.stack.env['SITE_DATABASE']}.pace2")
    assert paced.wait(failed)["status"] == "failure"
    gone(failed)
    paced.stack.root_sql(f"RENAME TABLE {paced.stack.env['SITE_DATABASE']}.pace2 TO "
                         f"{paced.stack.env['SITE_DATABASE']}.pace")
    paced.pace(0)
    answer = paced.stack.request("POST", f"/v1/tasks/{failed}/retry", "admin")
    assert answer.status_code == 202, answer.text
    assert paced.wait(failed)["status"] == "success"
    assert rows_gone_on(paced, failed) == []
    paced.check_files()
