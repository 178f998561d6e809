# SPDX-License-Identifier: MIT
"""The running stack as tests see it: started by nginx/demo/stack, reached through DIR/env.

Which programs run is said by the environment: BACKDESK_BUILD is where `make install` went (default
build/install), BACKDESK_DEMO a demo that runs already, which is then used and left alone.
"""

import configparser
import os
import pwd
import re
import shlex
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pymysql
import requests

SOURCE = Path(__file__).resolve().parent.parent
SCRIPT = SOURCE / "nginx" / "demo" / "stack"
FINAL = ("success", "failure", "cancelled", "dropped")
REPORT = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer")


def wait_until(predicate, timeout=15.0, every=0.05, message=None):
    """Calls PREDICATE until it returns something true, and returns that."""
    end = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(message or f"not within {timeout} s: {predicate}")
        time.sleep(every)


def rows(connection, query, args=None):
    """Runs one statement; what it gives as a list of tuples."""
    with connection.cursor() as cursor:
        cursor.execute(query, args)
        return list(cursor.fetchall())


def read_env(path):
    """The shell variables of DIR/env, without running it."""
    pairs = (shlex.split(line)[0].split("=", 1) for line in Path(path).read_text().splitlines() if line)
    return dict(pairs)


class Runner:
    """A taskrunner in the foreground beside the stack's own."""

    def __init__(self, stack, name, config):
        self.name = name
        self.log = stack.state / "log" / f"{name}.log"
        with stack.open_log(self.log) as log:
            self.process = subprocess.Popen(
                [stack.env["TASKRUNNER"], "--config", str(config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=stack.state,
                env=stack.daemon_environment(), start_new_session=True, **stack.daemon_account())
        self.pid = self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def running(self):
        return self.process.poll() is None

    def wait(self, timeout=30):
        """Its exit status; negative: the signal that ended it."""
        return self.process.wait(timeout)

    def stop(self, timeout=40):
        """Asks it to drain, and insists."""
        if self.running():
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                return self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.wait()
                raise AssertionError(f"runner {self.name} did not end within {timeout} s of SIGTERM") from None
        return self.process.returncode


class Stack:
    """One demo. Paths and accounts are attributes; the rest are the verbs that tests need."""

    def __init__(self, directory, prefix=None):
        self.directory = Path(directory)
        self.prefix = prefix
        self.runners = []
        if prefix:
            self.start()
        self.refresh()

    # --- life -----------------------------------------------------------------------------------

    def start(self):
        """Starts what is not running; nothing else is touched."""
        self._script("start", "--prefix", str(self.prefix or self.state / "app"), "--port", "0")
        self.refresh()

    def stop(self):
        self.stop_runners()
        self._script("stop")

    def _script(self, action, *arguments):
        done = subprocess.run([SCRIPT, action, "--dir", self.directory, *arguments], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"stack {action}:\n{done.stdout}"
        return done.stdout

    def refresh(self):
        """Reads DIR/env again, for instance after the database was restarted."""
        self.env = read_env(self.directory / "env")
        self.state = (self.directory / "state").resolve()
        self.config = Path(self.env["CONFIG"])
        self.base_url = self.env["BASE_URL"]
        self.shared_dir = Path(self.env["SHARED_DIR"])
        self.taskctl_path = Path(self.env["TASKCTL"])

    def processes(self):
        """Pids of everything that runs a program of this demo or stands in its directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    places = os.readlink(entry / "exe"), os.readlink(entry / "cwd") + "/"
                except OSError:
                    continue
                if any(place.startswith(f"{self.state}/") for place in places):
                    found.append(int(entry.name))
        return found

    def sanitizer_reports(self):
        """Lines of the logs in which a sanitizer complains, with their file."""
        found = []
        for log in sorted((self.state / "log").iterdir()):
            text = log.read_text(errors="replace")
            if log.name.startswith("sanitizer") or REPORT.search(text):
                found.append(f"{log}:\n{text[-4000:]}")
        return found

    def log(self, program):
        """What PROGRAM (tasks.fcgi, taskrunner, mariadbd, nginx-error) has written so far."""
        return (self.state / "log" / f"{program}.log").read_text(errors="replace")

    def pid(self, program):
        """Pid of the stack's own nginx, tasks.fcgi, taskrunner or mariadbd."""
        return int((self.state / "run" / f"{program}.pid").read_text())

    # --- HTTP -----------------------------------------------------------------------------------

    def request(self, method, path, user="ada", password="demo", **options):
        """One request; PATH is relative to the server. user=None sends no identity."""
        options.setdefault("timeout", 70)
        options.setdefault("allow_redirects", False)
        session = requests.Session()
        session.trust_env = False
        with session:
            return session.request(method, self.base_url + path, auth=user and (user, password), **options)

    def create(self, task_type, data=None, user="ada", **members):
        """Posts a task, and returns it."""
        body = {"type": task_type, **({} if data is None else {"data": data}), **members}
        answer = self.request("POST", "/v1/tasks", user, json=body)
        assert answer.status_code == 202, (answer.status_code, answer.text)
        return answer.json()

    def task(self, task_id, user="ada"):
        answer = self.request("GET", f"/v1/tasks/{task_id}", user)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def finish(self, task_id, user="ada", timeout=60):
        """Waits until the task has ended, and returns it."""
        def ended():
            task = self.task(task_id, user)
            return task if task["status"] in FINAL else None
        return wait_until(ended, timeout, message=f"task {task_id} does not end")

    # --- database -------------------------------------------------------------------------------

    def connect(self, database=None, **options):
        """A connection of the demo's account, in autocommit, to Backdesk's tables or DATABASE."""
        account = {"user": self.env["MYSQL_USER"], "password": self.env["MYSQL_PASSWORD"], **options}
        return pymysql.connect(unix_socket=self.env["MYSQL_SOCKET"], autocommit=True, charset="utf8mb4",
                               database=database or self.env["MYSQL_DATABASE"], **account)

    def connect_root(self):
        """A connection of the server's root, for settings, locks and other people's connections."""
        options = configparser.ConfigParser(interpolation=None)
        options.read(self.state / "etc" / "root.cnf")
        return self.connect(user="root", password=options["client"]["password"])

    def sql(self, query, args=None, database=None):
        """Runs one statement on a connection of its own; the rows as a list of tuples."""
        with closing(self.connect(database)) as connection:
            return rows(connection, query, args)

    def root_sql(self, query, args=None):
        """The same as root."""
        with closing(self.connect_root()) as connection:
            return rows(connection, query, args)

    def kill_database(self):
        os.kill(self.pid("mariadbd"), signal.SIGKILL)
        wait_until(lambda: not self._database_answers(), 10)

    def start_database(self):
        """By the command of DIR/env."""
        subprocess.run(shlex.split(self.env["MYSQL_START"]), check=True, stdin=subprocess.DEVNULL)
        self.refresh()

    def _database_answers(self):
        try:
            self.sql("SELECT 1")
        except pymysql.Error:
            return False
        return True

    # --- configuration, runners, taskctl ----------------------------------------------------------

    def variant(self, name, edit):
        """A copy of the configuration with changes; EDIT gets its text and returns the new one, or is
        a dict as `{'runner.workers': 1, 'type "dummy".timeout': '"2s"'}`: values as the file has them."""
        text = self.config.read_text()
        if callable(edit):
            text = edit(text)
        else:
            for path, value in edit.items():
                section, setting = path.rsplit(".", 1)
                text = set_setting(text, section, setting, value)
        path = self.state / "etc" / f"{name}.conf"
        path.write_text(text)
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 0, pwd.getpwnam("nobody").pw_gid)
        return path

    def start_runner(self, name="second", edit=None, config=None):
        """Another runner, from the stack's configuration with NAME as nickname and the changes of EDIT
        (see variant), or from the file CONFIG. It is stopped at the end of the test."""
        if config is None:
            changes = edit or {}
            base = changes if callable(changes) else {"runner.nickname": f'"{name}"', **changes}
            config = self.variant(name, base)
        runner = Runner(self, name, config)
        self.runners.append(runner)
        return runner

    def wait_for_runner(self, runner):
        """Until it has said that it takes tasks."""
        wait_until(lambda: self.sql("SELECT 1 FROM runners WHERE worker LIKE %s", [f"{runner.name}:%"]), 20,
                   message=f"runner {runner.name} does not register: {runner.log.read_text()[-2000:]}")

    def stop_runners(self):
        runners, self.runners = self.runners, []
        for runner in runners:
            runner.stop()

    def stop_own_runner(self):
        """Stops the stack's runner, so that a test's own are alone; start() brings it back."""
        pid = self.pid("taskrunner")
        if pid not in self.processes():
            return
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: pid not in self.processes(), 40)

    def taskctl(self, *arguments, config=None, check=True, **options):
        """Runs taskctl; the finished process with its output as text."""
        done = subprocess.run([self.taskctl_path, "--config", config or self.config, *arguments], text=True,
                              stdin=options.pop("stdin", subprocess.DEVNULL), capture_output=True,
                              env=self.daemon_environment(), **options)
        assert not check or done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return done

    # --- how daemons run ----------------------------------------------------------------------------

    def daemon_account(self):
        """Arguments of Popen for the account that the stack's daemons have."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def daemon_environment(self):
        reports = f"log_path={self.state}/log/sanitizer"
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": str(self.state),
                "TMPDIR": str(self.state / "tmp"),
                "ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), reports))),
                "UBSAN_OPTIONS": ":".join(filter(None, (os.environ.get("UBSAN_OPTIONS"), reports)))}

    def open_log(self, path):
        """A log file that daemons could have made themselves."""
        log = open(path, "ab")
        if os.geteuid() == 0:
            account = self.daemon_account()
            os.fchown(log.fileno(), account["user"], account["group"])
        return log


def set_setting(text, section, setting, value):
    """TEXT of a configuration file with one setting changed; SECTION as it stands there, such as
    runner or export "books". A missing section is added."""
    line = f"    {setting} = {value}"
    block = re.search(rf"^{re.escape(section)}\s*\{{\n(.*?)^\}}$", text, re.M | re.S)
    if not block:
        return f"{text}\n{section} {{\n{line}\n}}\n"
    body, count = re.subn(rf"^    {re.escape(setting)}\s*\+?=.*$", lambda _: line, block[1], flags=re.M)
    if not count:
        body += line + "\n"
    return text[:block.start(1)] + body + text[block.end(1):]
