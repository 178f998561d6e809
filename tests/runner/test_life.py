# SPDX-License-Identifier: MIT
"""A runner's ordinary days: its name, its types, its workers, and how soon it sees what there is to do."""

import concurrent.futures
import json
import os
import signal
import socket
import statistics
import subprocess

from history import CLAIMS
from stack import wait_until

from proc import children, descriptors, stat
from runner.conftest import UUID


def test_its_name_and_its_row(queue):
    runner = queue.start("blue")
    nickname, _, uuid = runner.worker.partition(":")
    assert nickname == "blue" and UUID.fullmatch(uuid)
    host, pid, types, slots, lease, gone = queue.sql(
        "SELECT host, pid, types, slots, lease_usec, gone_at FROM runners WHERE worker = %s", (runner.worker,))[0]
    assert (host, pid, slots, lease, gone) == (socket.gethostname(), runner.pid, 2, 3000000, None)
    assert {"dummy", "csv_export", "html_export"} <= set(json.loads(types))
    seen = "SELECT last_seen FROM runners WHERE worker = %s"
    first = queue.sql(seen, (runner.worker,))
    wait_until(lambda: queue.sql(seen, (runner.worker,)) > first, 3)
    task = queue.make()
    assert queue.wait(task)["worker"] == runner.worker
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    assert queue.sql("SELECT gone_at IS NOT NULL FROM runners WHERE worker = %s", (runner.worker,)) == [(1,)]
    assert queue.row(task)["worker"] == runner.worker


def test_without_a_nickname_the_uuid_is_the_name(queue):
    config = queue.stack.variant("plain", lambda text: text.replace('    nickname = "demo"\n', ""))
    runner = queue.stack.start_runner("plain", config=config)
    assert UUID.fullmatch(wait_until(lambda: queue.name_of(runner)))


def test_a_uuid_of_its_own_each_time(queue):
    first, second = queue.start("one"), queue.start("two")
    assert first.worker.split(":")[1] != second.worker.split(":")[1]


def test_a_second_one_of_the_same_name_is_refused(queue):
    uuid = "6f1c9a52-7e0b-4c86-9d0f-5b1b7a3f2c11"
    first = queue.start("twin", runner__uuid=f'"{uuid}"')
    assert first.worker == f"twin:{uuid}"
    bell = queue.stack.state / "doorbell" / f"{uuid}.bell"
    inode = wait_until(bell.exists) and bell.stat().st_ino
    second = queue.stack.start_runner("twin", config=first.config)
    assert second.wait(10) == 1
    assert "alive already" in second.log.read_text()
    assert bell.stat().st_ino == inode
    assert queue.wait(queue.make())["worker"] == first.worker


def test_it_takes_its_types_only(queue):
    queue.start(runner__types="{csv_export}")
    dummy = queue.make()
    unknown = queue.make("nothing")
    assert queue.wait(queue.make("csv_export", {"export": "books"}))["status"] == "success"
    assert queue.status(dummy) == "fresh"
    queue.start("all")
    assert queue.wait(dummy)["status"] == "success"
    assert queue.status(unknown) == "fresh"


def test_a_plain_insert_is_picked_up_at_once(queue):
    queue.start()
    tasks = [queue.make(data={}) for _ in range(5)]
    for task in tasks:
        row = queue.wait(task)
        assert (row["started_at"] - row["created_at"]).total_seconds() < 1
        assert (row["status"], row["attempt"]) == ("success", 1)


def test_the_doorbell_is_faster_than_the_poll(queue):
    """By the poll alone half of the tasks would wait for more than 50 ms."""
    queue.start()

    def round_of_tasks():
        waits = []
        for _ in range(15):
            task = queue.wait(queue.stack.create("dummy", {"seconds": 0})["id"])
            waits.append((task["started_at"] - task["created_at"]).total_seconds())
        return statistics.median(waits) < 0.025
    assert any(round_of_tasks() for _ in range(4))


def test_bells_of_the_dead_are_removed(queue):
    directory = queue.stack.state / "doorbell"
    stale, kept = directory / "stale.bell", directory / "other-file"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(str(stale))
    stale.chmod(0o666)
    kept.write_text("no bell")
    runner = queue.start()
    bell = directory / f"{runner.worker.split(':')[1]}.bell"
    wait_until(bell.exists)
    assert not stale.exists() and kept.exists()
    kept.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for nonsense in (b"", b"x", b"\0" * 200, b"dummy x y", b"dummy 99999999999999999999 1", b"a" * 65536):
            sender.sendto(nonsense, str(bell))
    assert queue.wait(queue.make())["status"] == "success"
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    assert not bell.exists()


def test_broken_data_is_a_failure_of_its_own(queue):
    queue.start()
    for data in ('{"seconds": ', "", "[]", '{"seconds": -1}', '{"unknown": 1}', "\x00", '{"seconds": 1e400}'):
        row = queue.wait(queue.make(data=data))
        assert (row["status"], row["error"]["code"], row["attempt"]) == ("failure", "invalid_data", 1), data
    row = queue.wait(queue.make("csv_export", {"export": "nothing"}))
    assert row["status"] == "failure" and row["attempt"] == 1
    for column, value in (("priority", 10), ("priority", 255), ("created_by", 0), ("created_by", -1)):
        row = queue.wait(queue.make(**{column: value}))
        assert (row["status"], row["error"]["code"], row["attempt"]) == ("failure", "invalid_data", 1), (column, value)
        assert column in row["error"]["message"] and row["progress"] is None


def test_a_failure_is_tried_again_with_growing_pauses(queue):
    queue.start(queue__backoff='"200ms"')
    row = queue.wait(task := queue.make(data={"fail": True}, max_attempts=3))
    assert (row["status"], row["attempt"], row["error"]["code"]) == ("failure", 3, "dummy_failed")
    assert [entry[:3] for entry in queue.attempts(task)] == [
        (1, 1, "failure"), (2, 2, "failure"), (3, 3, "failure")]
    starts = queue.sql("SELECT started_at, finished_at FROM attempts WHERE task_id = %s ORDER BY fence", (task,))
    pauses = [(later[0] - earlier[1]).total_seconds() for earlier, later in zip(starts, starts[1:])]
    assert pauses[0] >= 0.1 and pauses[1] >= 0.2


def test_a_task_for_later_runs_then(queue):
    queue.start()
    task = queue.make()
    queue.sql("SELECT 1")
    later = queue.sql("SELECT UTC_TIMESTAMP(6) + INTERVAL 1 SECOND")[0][0]
    by_sql = queue.make(run_at=later)  # status fresh: it only counts as scheduled
    by_api = queue.stack.create("dummy", {}, run_at=later.isoformat() + "Z")["id"]
    far = queue.stack.create("dummy", {}, run_at="9999-12-31T23:59:59Z")["id"]
    queue.wait(task)
    for waiting in (by_sql, by_api):
        row = queue.wait(waiting)
        assert 0 <= (row["started_at"] - later).total_seconds() < 1
    assert queue.status(far) == "scheduled"


def test_progress_is_told_at_least_once_a_second(queue):
    queue.start(runner__progress='"500ms"')  # as it is where nothing is set
    task = queue.make(data={"seconds": 2.5, "steps": 25})
    told = []

    def ended():
        row = queue.row(task)
        if row["progress"] and row["status"] == "started" and (not told or told[-1][0] != row["updated_on"]):
            told.append((row["updated_on"], row["progress"]["done"]))
        return row["status"] != "started" and row["status"] != "fresh"
    wait_until(ended, 10)
    row = queue.row(task)
    moments = [row["started_at"], *(moment for moment, _ in told), row["finished_at"]]
    assert max((b - a).total_seconds() for a, b in zip(moments, moments[1:])) < 1.0
    done = [count for _, count in told]
    assert done == sorted(done) and len(done) >= 3
    assert row["progress"] == {"done": 25, "total": 25, "unit": "steps", "percent": 100, "message": None}


def test_a_deleted_tasks_file_is_gone_within_five_seconds(queue):
    queue.start()
    task = queue.stack.create("csv_export", {"export": "books"})["id"]
    assert queue.wait(task)["status"] == "success"
    queue.check_files()
    path, = queue.files()
    assert queue.stack.request("DELETE", f"/v1/tasks/{task}").status_code == 204
    wait_until(lambda: path not in queue.files(), 5)
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM file_trash") == [(0,)], 5)


def test_the_files_of_many_deleted_tasks_are_gone_within_five_seconds(queue):
    queue.start()
    with queue.connection.cursor() as cursor:
        cursor.executemany("INSERT INTO file_trash (path) VALUES (%s)",
                           [f"{i & 255:02x}/00/{i}-1-{i:032x}.csv" for i in range(3000)])
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM file_trash") == [(0,)], 5)


def test_trash_waits_for_a_directory_that_is_not_there(queue):
    """Not mounted, say: what is to be removed must not be forgotten."""
    directory = queue.stack.shared_dir
    elsewhere = directory.with_name("elsewhere")
    task = queue.make("csv_export", {"export": "books"})
    runner = queue.start()
    assert queue.wait(task)["status"] == "success"
    queue.sql("INSERT INTO file_trash (path) SELECT path FROM csv_export")
    queue.sql("DELETE FROM csv_export")
    directory.rename(elsewhere)
    try:
        wait_until(lambda: "directory of result files" in runner.said(), 10)
        assert queue.sql("SELECT COUNT(*) FROM file_trash") == [(1,)]
    finally:
        elsewhere.rename(directory)
    wait_until(lambda: not queue.files(), 10)


def test_a_type_has_its_limit_in_a_runner(queue):
    queue.start(**{'type "dummy"__per_runner': 1}, runner__workers=3)
    tasks = [queue.make(data={"seconds": 0.1}) for _ in range(6)]
    other = queue.make("csv_export", {"export": "books"})
    for task in (*tasks, other):
        assert queue.wait(task)["status"] == "success"
    spans = sorted(queue.sql("SELECT started_at, finished_at FROM tasks WHERE type = 'dummy'"))
    assert all(earlier[1] <= later[0] for earlier, later in zip(spans, spans[1:]))


def test_priority_goes_first(queue):
    tasks = {queue.make(priority=priority): priority for priority in (0, 9, 5, 7, 1, 9)}
    queue.start(runner__workers=1, runner__batch=1)
    for task in tasks:
        queue.wait(task)
    order = [tasks[task] for task, in queue.sql(f"SELECT task_id FROM {CLAIMS} ORDER BY started_at, task_id")]
    assert order == sorted(tasks.values(), reverse=True)


def test_it_inherits_nothing(queue):
    extra = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(extra, True)
    stack = queue.stack
    config = stack.variant("clean", {"runner.nickname": '"clean"', "runner.replays": 0})
    with stack.open_log(stack.state / "log" / "clean.log") as log, subprocess.Popen(
            [stack.env["TASKRUNNER"], "--config", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            pass_fds=[extra], env=stack.daemon_environment(), **stack.daemon_account()) as process:
        try:
            wait_until(lambda: queue.sql("SELECT 1 FROM runners WHERE pid = %s", (process.pid,)))
            workers = wait_until(lambda: children(process.pid))
            wait_until(lambda: all(len(descriptors(pid)) == 4 for pid in workers), 5)
            assert "/dev/zero" not in descriptors(process.pid).values()
            for pid in workers:
                opened = descriptors(pid)
                assert set(opened) == {0, 1, 2, 3} and opened[3].startswith("socket:")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            os.close(extra)


def test_two_runners_and_two_hundred_posts(queue):
    queue.start("left")
    queue.start("right")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        tasks = list(pool.map(lambda n: queue.stack.create("dummy", {"seconds": 0.01 * (n % 3)})["id"], range(200)))
    assert len(set(tasks)) == 200
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM tasks WHERE status = 'success'") == [(200,)], 30)
    assert queue.sql("SELECT COUNT(*), COUNT(DISTINCT task_id), MAX(fence), GROUP_CONCAT(DISTINCT outcome)"
                     f" FROM {CLAIMS}") == [(200, 200, 1, "success")]
    assert len(queue.sql(f"SELECT DISTINCT worker FROM {CLAIMS}")) == 2


def test_idle_it_costs_next_to_nothing(queue):
    """Ticks of the processor over two heartbeats and forty looks; the bound is a loose one."""
    runner = queue.start(runner__heartbeat='"1s"')
    pids = [runner.pid, *queue.workers(runner)]

    def ticks():
        return sum(sum(map(int, stat(pid)[11:13])) for pid in pids)
    seen = "SELECT last_seen FROM runners WHERE worker = %s"
    before, first = ticks(), queue.sql(seen, (runner.worker,))
    wait_until(lambda: (queue.sql(seen, (runner.worker,))[0][0] - first[0][0]).total_seconds() > 1.9, 10)
    used = (ticks() - before) / os.sysconf("SC_CLK_TCK")
    print(f"idle: {used / 2 * 100:.1f}% of a core")
    assert used < 1.0


def test_a_long_result_becomes_a_file(queue):
    """The row says null, the file has it; it goes with its task, and there is a limit."""
    queue.start(files__result_inline='"0"')
    row = queue.wait(queue.make())
    assert (row["status"], row["result"]) == ("success", None)
    [[path, size, purpose, rows]] = queue.sql("SELECT path, bytes, purpose, `rows` FROM csv_export WHERE task_id = %s",
                                              (row["id"],))
    content = (queue.stack.shared_dir / path).read_bytes()
    assert (content, size, purpose, rows) == (b'{"steps":10}', len(content), "result", None)
    answer = queue.stack.request("GET", f"/v1/tasks/{row['id']}/result")
    assert (answer.status_code, answer.content) == (200, content)
    assert queue.stack.request("DELETE", f"/v1/tasks/{row['id']}").status_code == 204
    wait_until(lambda: not queue.files(), 10)
    # the export's own file stays the download
    task = queue.wait(queue.make("csv_export", {"export": "books"}))["id"]
    links = queue.stack.task(task)["links"]
    assert "files" not in links
    assert queue.stack.request("GET", links["download"]).headers["Content-Type"] == "text/csv; charset=utf-8"
    assert queue.stack.request("GET", links["result"]).json()["format"] == "csv"
    queue.check_files()


def test_what_was_claimed_ahead_does_not_wait_for_long_ones(queue):
    """Many short tasks, some of them claimed for later; then two take all the workers: others may have the rest."""
    first = queue.start("first", runner__batch=50)
    queue.claim_ahead(lambda: queue.sql(
        "INSERT INTO tasks (type, data, created_by)"
        " SELECT 'dummy', IF(seq <= 2, '{\"seconds\": 60}', '{}'), 2 FROM seq_1_to_32"), 2)
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM tasks WHERE status = 'fresh'") == [(30,)], 5)
    second = queue.start("second")
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM tasks WHERE created_by = 2 AND status = 'success'") == [(30,)], 5)
    assert queue.sql("SELECT status, worker, COUNT(*), MAX(attempt), MAX(fence) FROM tasks WHERE created_by = 2"
                     " GROUP BY status, worker ORDER BY status") == [
        ("started", first.worker, 2, 1, 1), ("success", second.worker, 30, 1, 2)]


def test_what_is_handed_back_keeps_its_place(queue):
    """Claimed ahead, behind two that take all the workers: when these have ended it runs before the rest."""
    queue.sql("INSERT INTO tasks (type, data, created_by)"
              " SELECT 'dummy', IF(seq IN (201, 202), '{\"seconds\": 3}', '{}'), 1 FROM seq_1_to_600")
    queue.start(runner__batch=50)
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM attempts WHERE outcome = 'handed_back'") > [(0,)], 5)
    wait_until(lambda: queue.sql("SELECT COUNT(*) FROM tasks WHERE status = 'success'") == [(600,)], 20)
    assert queue.sql("SELECT id FROM tasks ORDER BY started_at, id") == queue.sql("SELECT id FROM tasks ORDER BY id")
