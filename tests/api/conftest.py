# SPDX-License-Identifier: MIT
"""What the tests of the API have in common: tasks in any state, and pools of their own."""

import json
import os
import signal
import subprocess
import threading

import pytest

from api.fastcgi import Connection
from proc import children
from stack import wait_until

NEVER = "2099-01-01T00:00:00Z"
USERS = {"ada": 1, "grace": 2, "admin": 100}


@pytest.fixture
def make(stack):
    """make(status, user, **columns) -> the id of a task of a type that no runner takes."""
    workers = set()

    def insert(status="success", user="ada", **columns):
        columns = {"type": "parked", "data": "{}", "status": status, "created_by": USERS[user], **columns}
        if status == "started":  # by a runner that lives, lest another takes it back
            workers.add(columns.setdefault("worker", "parked:u"))
            stack.sql("INSERT IGNORE INTO runners (worker, host, pid, version, types, slots, lease_usec)"
                      " VALUES (%s, 'nowhere', 0, '0', '[]', 0, 3600000000)", [columns["worker"]])
        names = ", ".join(f"`{name}`" for name in columns)
        marks = ", ".join(["%s"] * len(columns))
        connection = stack.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO tasks ({names}) VALUES ({marks})", list(columns.values()))
                return cursor.lastrowid
        finally:
            connection.close()
    yield insert
    for worker in workers:
        stack.sql("DELETE FROM runners WHERE worker = %s", [worker])


@pytest.fixture
def make_file(stack, make):
    """make_file(content, user, **columns) -> (task id, file id) of a finished task with a file."""
    made = []

    def insert(content=b"a,b\r\n1,2\r\n", user="ada", task=None, **columns):
        task = task or make("success", user, finished_at="2026-01-01 00:00:00")
        folder = stack.shared_dir / "zz"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        path = folder / f"{task}-1-{os.urandom(6).hex()}.csv"
        path.write_bytes(content)
        path.chmod(0o644)
        made.append(path)
        columns = {"filename": "books.csv", "owner_id": USERS[user], "task_id": task, "format": "csv",
                   "path": f"zz/{path.name}", "bytes": len(content), "rows": 1, "sha256": "0" * 64, **columns}
        names = ", ".join(f"`{name}`" for name in columns)
        connection = stack.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO csv_export ({names}) VALUES ({', '.join(['%s'] * len(columns))})",
                               list(columns.values()))
                return task, cursor.lastrowid
        finally:
            connection.close()
    yield insert
    for path in made:
        path.unlink(missing_ok=True)


class Pool:
    """A pool beside the stack's own, as spawn-fcgi starts it, on a socket of its own."""

    def __init__(self, stack, name, edit):
        self.socket = stack.state / "run" / f"{name}.sock"
        self.socket.unlink(missing_ok=True)
        self.config = stack.variant(name, edit)
        self.log_path = stack.state / "log" / f"{name}.log"
        self.log_path.unlink(missing_ok=True)
        program = stack.state / "app" / "libexec" / "backdesk" / "tasks.fcgi"
        with stack.open_log(self.log_path) as log:
            self.process = subprocess.Popen(
                ["spawn-fcgi", "-n", "-s", str(self.socket), "-M", "0600", "-b", "1024", "--",
                 str(program), "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=stack.state,
                env=stack.daemon_environment(), start_new_session=True, **stack.daemon_account())
        wait_until(self.socket.exists, 10)
        wait_until(lambda: len(self.children()) == edit["api.processes"], 10)

    def connect(self, timeout=10):
        return Connection(self.socket, timeout)

    def request(self, **options):
        with self.connect() as connection:
            return connection.request(**options)

    def children(self):
        return children(self.process.pid)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout=40):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(timeout)


@pytest.fixture
def pool(stack):
    """pool(**settings) -> a running Pool with these settings of section api; ELSEWHERE as variant() takes them."""
    started = []

    def start(elsewhere=None, **settings):
        edit = {"api.processes": 1, "api.shutdown_grace": '"3s"', **(elsewhere or {}),
                **{f"api.{name}": value for name, value in settings.items()}}
        started.append(Pool(stack, f"pool{len(started)}", edit))
        return started[-1]
    yield start
    for one in started:
        one.stop()


def later(seconds, call, *arguments, **options):
    """Has CALL made by another thread; join what this returns."""
    timer = threading.Timer(seconds, call, arguments, options)
    timer.start()
    return timer


def assert_problem(answer, status, code=None):
    """ANSWER, of requests, is a problem document; returns it."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Backdesk-Task" not in answer.headers
    problem = json.loads(answer.text)
    assert set(problem) - {"errors"} == {"type", "title", "status", "code", "detail"}
    assert problem["status"] == status
    assert code is None or problem["code"] == code, problem
    return problem
