# SPDX-License-Identifier: MIT
"""The demo as people use it: started twice, stopped half dead, two side by side, anywhere in the tree."""

import os
import signal
import socket
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack import SCRIPT, Stack, read_env, wait_until

NAMES = {"BASE_URL", "MYSQL_SOCKET", "MYSQL_DATABASE", "SITE_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_PID",
         "MYSQL_START", "SHARED_DIR", "RUNNER_PID", "TASKRUNNER", "TASKCTL", "CONFIG", "POOL_PID", "TASKS_FCGI"}
DAEMONS = ("mariadbd", "tasks.fcgi", "taskrunner", "nginx")


def run(*arguments):
    return subprocess.run([SCRIPT, *map(str, arguments)], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture
def other(whole_stack, tmp_path):
    """A second demo beside the session's."""
    if not whole_stack.prefix:
        pytest.skip("needs a build, not only a demo")
    stack = Stack(tmp_path / "a name with ünusual characters", whole_stack.prefix)
    yield stack
    stack.stop()
    assert stack.processes() == []
    subprocess.run(["rm", "-rf", str(stack.state)], check=True)


def test_env(stack):
    env = stack.env
    assert set(env) == NAMES
    assert stack.request("GET", "/v1/tasks/health", None).status_code == 200
    assert int(env["MYSQL_PID"]) == stack.pid("mariadbd")
    assert int(env["RUNNER_PID"]) == stack.pid("taskrunner")
    assert int(env["POOL_PID"]) == stack.pid("tasks.fcgi")
    for name in ("TASKRUNNER", "TASKCTL", "TASKS_FCGI", "MYSQL_START"):
        assert os.access(env[name], os.X_OK)
    assert Path(env["SHARED_DIR"]).is_dir() and Path(env["CONFIG"]).is_file()
    assert {row[0] for row in stack.sql("SHOW TABLES")} >= {"tasks", "csv_export", "attempts", "runners"}


def test_sample_library(stack):
    """What the contract promises of the books."""
    def count(condition):
        return stack.sql(f"SELECT COUNT(*) FROM books WHERE {condition}", database=stack.env["SITE_DATABASE"])[0][0]

    assert count("TRUE") == 150_000
    assert count("owner_id = 1") == 50_000
    assert count("owner_id = 2") == 20_000
    [[checksum]] = stack.sql("SELECT BIT_XOR(CRC32(CONCAT_WS('|', id, owner_id, title, author, isbn, language, binding,"
                             " published, price, rating, pages, added_at, summary, attributes, note))) FROM books",
                             database=stack.env["SITE_DATABASE"])
    assert checksum == 3219506613, "the sample library is no longer the same on every run"
    first = "id IN (SELECT id FROM (SELECT id FROM books WHERE owner_id = 1 ORDER BY id LIMIT 2000) x) AND "
    for text in ("title LIKE '%<script>%'", "title LIKE '%\\n%'", "title LIKE '%\\r\\n%'", "title LIKE '%\"%'",
                 "title LIKE '%,%'", "title LIKE '=%'", "title LIKE '@%'", "title = ''", "note IS NULL", "note = ''",
                 "summary = 'NULL'", "title = CONCAT('\\\\', 'N')", "title LIKE '%📚%'", "title LIKE '%עברית%'",
                 "LENGTH(summary) > 50000", "isbn LIKE '00%'", "price IS NULL"):
        assert count(first + text) > 0, text


def test_accounts(stack):
    """The demo's account reads and writes both databases; what exports read cannot be written by them."""
    site = stack.env["SITE_DATABASE"]
    stack.sql("UPDATE books SET pages = pages WHERE id = 1", database=site)
    stack.sql("UPDATE tasks SET priority = priority WHERE id = 0")
    grants = [row[0] for row in stack.root_sql("SHOW GRANTS FOR 'site_reader'@'localhost'")]
    assert not any(word in " ".join(grants).split("IDENTIFIED")[0] + " ".join(grants[1:])
                   for word in ("INSERT", "UPDATE", "DELETE", "ALL"))


def test_daemons_are_nobodys_business(stack):
    """No daemon runs as root, holds a descriptor of its starter or listens on any other address."""
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                listening[f"socket:[{fields[9]}]"] = fields[1]
    addresses = set()
    for pid in stack.processes():
        uid = os.stat(f"/proc/{pid}").st_uid
        assert uid != 0, f"{pid} runs as root"
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = os.readlink(fd)
            except FileNotFoundError:
                continue
            assert not target.startswith(("/dev/pts", "/dev/tty")), (pid, target)
            addresses.update([listening[target]] if target in listening else [])
    port = int(stack.base_url.rsplit(":", 1)[1])
    assert addresses == {f"0100007F:{port:04X}"}


def test_secrets_are_private(stack):
    assert stat.S_IMODE((stack.directory / "env").stat().st_mode) == 0o600
    assert stat.S_IMODE(stack.state.stat().st_mode) & 0o007 == 0


def test_second_start_reuses(stack):
    before = {program: stack.pid(program) for program in DAEMONS}
    stack.start()
    assert before == {program: stack.pid(program) for program in DAEMONS}


def test_sections_of_ones_own(stack):
    """Below the last line of the configuration: taken by SIGHUP, and kept by the next start."""
    before = stack.config.read_text()
    pids = {program: stack.pid(program) for program in DAEMONS}
    mine = 'command "echo" {\n    argv = {"/bin/cat"}    # @STATE@ & so on\n    any_data = yes\n}\n'
    try:
        stack.config.write_text(before + mine)
        for name in ("POOL_PID", "RUNNER_PID"):
            os.kill(int(stack.env[name]), signal.SIGHUP)
        wait_until(lambda: stack.request("POST", "/v1/tasks", json={"type": "echo"}).status_code == 202)
        task = stack.finish(stack.create("echo", {"a": 1})["id"])
        assert (task["status"], task["result"]) == ("success", {"a": 1})
        stack.start()
        assert stack.config.read_text() == before + mine
        assert pids == {program: stack.pid(program) for program in DAEMONS}
    finally:
        stack.config.write_text(before)
        for name in ("POOL_PID", "RUNNER_PID"):
            os.kill(int(stack.env[name]), signal.SIGHUP)


@pytest.mark.parametrize("program", DAEMONS)
def test_start_restores(stack, program):
    """What was killed comes back, and only that."""
    before = {name: stack.pid(name) for name in DAEMONS}
    os.kill(before[program], signal.SIGKILL)
    wait_until(lambda: before[program] not in stack.processes())
    stack.start()
    after = {name: stack.pid(name) for name in DAEMONS}
    assert after[program] != before[program]
    assert {name for name in DAEMONS if before[name] != after[name]} == {program}


def test_start_under_load(stack):
    """Every process of the pool has just learned that the database is away: the start waits for all of them."""
    over = threading.Event()

    def ask():
        while not over.is_set():
            stack.request("GET", "/v1/tasks/1")

    stack.kill_database()
    with ThreadPoolExecutor(8) as clients:
        asking = [clients.submit(ask) for _ in range(8)]
        try:
            stack.start()
        finally:
            over.set()
        for one in asking:
            one.result()


def test_failed_start_leaves_what_ran(stack):
    """A start that fails ends nothing that ran before, also where the database did not."""
    before = {name: stack.pid(name) for name in DAEMONS}
    log = stack.state / "log" / "mariadbd.log"
    stack.kill_database()
    (stack.state / "data").rename(stack.state / "data.away")
    (stack.state / "data").mkdir()
    try:
        failed = run("start", "--dir", stack.directory, "--prefix", stack.state / "app", "--port", 0)
    finally:
        (stack.state / "data").rmdir()
        (stack.state / "data.away").rename(stack.state / "data")
    stack.start()
    assert failed.returncode != 0 and "does not start" in failed.stdout and str(log) in failed.stdout
    assert {name for name in DAEMONS if before[name] != stack.pid(name)} == {"mariadbd"}


def test_database_restart(stack):
    stack.kill_database()
    stack.start_database()
    assert int(stack.env["MYSQL_PID"]) == stack.pid("mariadbd")
    assert read_env(stack.directory / "env") == stack.env
    pid = stack.pid("mariadbd")
    stack.start_database()
    assert stack.pid("mariadbd") == pid


def test_start_holds_no_pipe(stack):
    """MYSQL_START ends for whoever waits for the end of its output."""
    stack.kill_database()
    begin = time.monotonic()
    done = subprocess.run(stack.env["MYSQL_START"], shell=True, capture_output=True, timeout=60)
    assert done.returncode == 0 and time.monotonic() - begin < 60
    stack.refresh()


def test_two_side_by_side(stack, other):
    assert stack.base_url != other.base_url
    task = other.create("csv_export", {"export": "books"}, "grace")
    assert other.finish(task["id"], "grace")["status"] == "success"
    # Stopped half dead, it ends all the same, and the first one does not notice.
    before = {name: stack.pid(name) for name in DAEMONS}
    for program in ("nginx", "taskrunner"):
        os.kill(other.pid(program), signal.SIGKILL)
    by_hand = other.start_runner("byhand")
    other.wait_for_runner(by_hand)
    other._script("stop")
    assert other.processes() == [] and by_hand.wait(1) == 0
    assert before == {name: stack.pid(name) for name in DAEMONS}
    # What it knew is still there.
    other.start()
    assert other.task(task["id"], "grace")["status"] == "success"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_runner_started_by_root(stack, tmp_path):
    """As operators do it: its files are the daemons', wherever its configuration is."""
    config = tmp_path / "private.conf"
    config.write_text(stack.config.read_text().replace('nickname = "demo"', 'nickname = "root"'))
    stack.stop_own_runner()
    with subprocess.Popen([stack.env["TASKRUNNER"], "--config", config], stderr=subprocess.DEVNULL) as runner:
        try:
            task = stack.finish(stack.create("csv_export", {"export": "books"}, "grace")["id"], "grace")
            assert task["status"] == "success" and task["worker"].startswith("root:")
            assert os.stat(f"/proc/{runner.pid}").st_uid == stack.daemon_account()["user"]
        finally:
            runner.terminate()
            assert runner.wait(40) == 0
            stack.start()
    assert stack.request("GET", f"/v1/tasks/{task['id']}/download", "grace").status_code == 200


def test_port_taken(whole_stack, tmp_path):
    if not whole_stack.prefix:
        pytest.skip("needs a build, not only a demo")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("start", "--dir", tmp_path / "demo", "--prefix", whole_stack.prefix, "--port", port)
    assert done.returncode != 0
    assert f"port {port}" in done.stdout and "--port" in done.stdout
    assert not (tmp_path / "demo" / "env").exists()


def test_stop_without_demo(tmp_path):
    done = run("stop", "--dir", tmp_path)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []
