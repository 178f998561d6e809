# SPDX-License-Identifier: MIT
"""Runners of a test's own on the demo's database: the stack's runner is stopped meanwhile."""

import json
import os
import re
import signal
import time

import pytest

from history import CLAIMS
from proc import children, has_sigterm
from stack import FINAL, wait_until

LEASE = 3.0  # seconds, the shortest that may be configured
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
QUICK = {"runner.lease": '"3s"', "runner.heartbeat": '"500ms"', "runner.cancel_grace": '"1s"',
         "runner.shutdown_grace": '"2s"', "runner.workers": 2, "runner.replays": 0, "runner.progress": '"100ms"',
         "queue.backoff": '"50ms"'}
SLOW_EXPORT = """
export "slow" {
    source = "site"
    query = "SELECT id, title, SLEEP(%s) AS waited FROM books WHERE owner_id = :owner AND id < 1000 ORDER BY id"
    key = {"id"}
    page_rows = 20
    count = none
}
"""


def listens(pid):
    """Has it come so far as to take signals? Until then they end it, as they do any program. Or has it ended?"""
    try:
        return has_sigterm(pid, "SigBlk")
    except (FileNotFoundError, ProcessLookupError):
        return True


class Queue:
    """The demo's queue as a site with an SQL client sees it, and runners to order."""

    def __init__(self, stack):
        self.stack = stack
        self.connection = stack.connect()

    # --- tasks ------------------------------------------------------------------------------------

    def sql(self, query, args=None):
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(query, args)
                return list(cursor.fetchall())
        except Exception:
            self.connection = self.stack.connect()  # for the next one: tests kill the server
            raise

    def make(self, task_type="dummy", data=None, **columns):
        """A task by plain SQL; its id."""
        data = data if isinstance(data, str) else json.dumps(data or {})
        columns = {"type": task_type, "data": data, "created_by": 1, **columns}
        with self.connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO tasks ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
                           list(columns.values()))
            return cursor.lastrowid

    def row(self, task):
        """The task's row as a dict, its JSON read."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT * FROM tasks WHERE id = %s", (task,))
            row = cursor.fetchone()
            names = [column[0] for column in cursor.description]
        row = dict(zip(names, row))
        for name in ("error", "progress", "result"):
            row[name] = row[name] and json.loads(row[name])
        return row

    def status(self, task):
        return self.sql("SELECT status FROM tasks WHERE id = %s", (task,))[0][0]

    def wait(self, task, *statuses, timeout=20.0):
        """Until the task has one of STATUSES (default: has ended); its row."""
        wait_until(lambda: self.status(task) in (statuses or FINAL), timeout,
                   message=f"task {task} does not become {statuses or 'final'}")
        return self.row(task)

    def wait_running(self, task):
        """Until a worker has begun it, and its runner knows: a claim stands in the table a moment earlier."""
        wait_until(lambda: self.row(task)["progress"], 20, message=f"task {task} is not begun")

    def claim_ahead(self, insert, places):
        """Has many quick tasks run, then INSERT() others, of which the runner is to claim more than it has PLACES for;
        what INSERT gave. It claims none ahead after a task that was slow, as any is when the machine stands still
        for a moment: then all of it once more."""
        for _ in range(5):
            self.sql("INSERT INTO tasks (type, data, created_by) SELECT 'dummy', '{}', 1 FROM seq_1_to_200")
            self.wait_all_ended()
            inserted = insert()
            try:
                wait_until(lambda: self.sql("SELECT COUNT(*) FROM tasks WHERE status = 'started'") > [(places,)], 3, 0.01)
                return inserted
            except AssertionError:
                self.sql("UPDATE tasks SET cancel_requested = 1 WHERE status IN ('fresh', 'started')")
                self.wait_all_ended()
                self.sql("DELETE FROM tasks")
        raise AssertionError("the runner claims nothing ahead")

    def wait_all_ended(self):
        wait_until(lambda: self.sql("SELECT COUNT(*) FROM tasks WHERE status NOT IN %s", (FINAL,)) == [(0,)], 30)

    def attempts(self, task):
        """[(fence, attempt, outcome, message of the error)]"""
        return [(fence, attempt, outcome, error and json.loads(error)["message"]) for fence, attempt, outcome, error
                in self.sql(f"SELECT fence, attempt, outcome, error FROM {CLAIMS} WHERE task_id = %s ORDER BY fence",
                            (task,))]

    # --- runners -----------------------------------------------------------------------------------

    def start(self, name="red", more="", **settings):
        """A runner with a short lease; waits until it is entered. MORE goes behind its configuration."""
        changes = {**QUICK, "runner.nickname": f'"{name}"',
                   **{key.replace("__", "."): value for key, value in settings.items()}}
        config = self.stack.variant(name, changes)
        if more:
            with open(config, "a", encoding="utf-8") as file:
                file.write(more)
        log = self.stack.state / "log" / f"{name}.log"
        begin = log.stat().st_size if log.exists() else 0
        runner = self.stack.start_runner(name, config=config)
        runner.config = config
        runner.said = lambda: runner.log.read_bytes()[begin:].decode(errors="replace")
        runner.worker = wait_until(lambda: self.name_of(runner), 20, message=f"{name} does not enter")
        return runner

    def name_of(self, runner):
        assert runner.running(), runner.log.read_text()
        found = self.sql("SELECT worker FROM runners WHERE pid = %s AND gone_at IS NULL", (runner.pid,))
        return found[0][0] if found else None

    def workers(self, runner, count=2):
        """Pids of its worker processes, once there are COUNT."""
        wait_until(lambda: len(children(runner.pid)) == count, 10)
        return children(runner.pid)

    # --- files ---------------------------------------------------------------------------------------

    def files(self):
        """Every file below the shared directory, as rows name them."""
        root = self.stack.shared_dir
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    def check_files(self):
        """No row without its file, no file without its row, nothing unfinished."""
        def faults():
            rows = {path for path, in self.sql("SELECT path FROM csv_export")}
            trash = {path for path, in self.sql("SELECT path FROM file_trash")}
            there = self.files()
            return rows - there, there - rows - trash
        wait_until(lambda: faults() == (set(), set()), 10, message=f"rows, files: {faults()}")


    def clear(self):
        """No tasks, no files; nobody may be at work."""
        for table in ("tasks", "attempts", "csv_export", "file_trash", "runners", "http_requests"):
            self.sql(f"DELETE FROM {table}")
        for path in self.files():
            (self.stack.shared_dir / path).unlink()


@pytest.fixture(scope="package")
def own_runner(whole_stack):
    """The stack's own runner comes back when all of this folder's tests are over."""
    yield
    whole_stack.start()


@pytest.fixture(scope="module")
def lonely_stack(swept_stack, own_runner):  # pylint: disable=unused-argument
    """Nobody runs tasks but the test's own runners."""
    swept_stack.stop_own_runner()
    queue = Queue(swept_stack)
    queue.clear()
    queue.connection.close()
    return swept_stack


@pytest.fixture
def queue(lonely_stack):
    queue = Queue(lonely_stack)
    yield queue
    lonely_stack.stop_runners()
    queue.clear()
    queue.connection.close()


class Paused:
    """SIGSTOP for as long as the block lasts."""

    def __init__(self, *pids):
        self.pids = pids

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        return time.monotonic()

    def __exit__(self, *_):
        for pid in self.pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
