# SPDX-License-Identifier: MIT
"""Where a benchmark runs: a stack of its own on loopback and Unix sockets in a temporary directory, peers beside it,
everything ended by its pid and removed at the end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from ports import free_ports, listens  # noqa: E402
from stack import SOURCE, Stack, wait_until  # noqa: E402

PREFIX = Path(os.environ.get("BACKDESK_BUILD", SOURCE / "build" / "install"))
PEERS = HERE / "peers"
TICKS = os.sysconf("SC_CLK_TCK")

# program: the Debian package that has it
PACKAGES = {"wrk": "wrk", "php-fpm8.2": "php8.2-fpm", "php": "php8.2-cli php8.2-mysql", "node": "nodejs",
            "nginx": "nginx", "mariadbd": "mariadb-server-core", "mariadb": "mariadb-client-core",
            "spawn-fcgi": "spawn-fcgi", "gcc": "gcc", "postgres": "postgresql-15"}
PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin:/usr/lib/postgresql/15/bin"

# The database as a site of this size would set it; all of it durable.
DATABASE = {"innodb_buffer_pool_size": 1 << 30, "innodb_log_file_size": 1 << 30, "innodb_flush_log_at_trx_commit": 1,
            "local_infile": 1}

# No limit is reached, but the code that counts runs.
CONFIG = {"queue.waiting_per_user": 1000000000, "queue.waiting_total": 1000000000, "runner.replays": 0,
          "log.level": '"warning"'}


def need(*programs):
    """Ends with the packages to install where a program is missing."""
    missing = [PACKAGES[program] for program in programs if not shutil.which(program, path=PATH)]
    if missing:
        sys.exit("missing programs; install these Debian packages (no service of theirs is used):\n"
                 f"  apt-get install --no-install-recommends {' '.join(missing)}")


def need_php_module(name):
    """Ends with the package to install where PHP cannot load it."""
    if name not in subprocess.run(["php-fpm8.2", "-m"], env={"PATH": PATH}, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, check=True).stdout.split():
        sys.exit(f"PHP's {name} is missing; install this Debian package:\n  apt-get install --no-install-recommends php8.2-mysql")


def need_node_modules():
    libraries = json.loads((PEERS / "package.json").read_text())["dependencies"]
    if not all((PEERS / "node_modules" / name).is_dir() for name in libraries):
        sys.exit("the Node peers' libraries are missing, in the versions of package-lock.json:\n"
                 f"  npm ci --ignore-scripts --prefix {PEERS}")


def cpu_seconds(pid):
    """User and system time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def children(pid):
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


class Place:
    """The stack, with its own runner stopped: a benchmark starts the runners that it wants."""

    def __init__(self):
        if not PREFIX.is_dir():
            sys.exit(f"{PREFIX} is missing: run ./bootstrap build first, or name a build in BACKDESK_BUILD")
        need("nginx", "mariadbd", "spawn-fcgi")
        self.directory = Path(tempfile.mkdtemp(prefix="bdbench-", dir="/var/tmp"))
        self.directory.chmod(0o755)
        self.peers = []
        self.stack = None
        self.port = None

    def __enter__(self):
        try:
            self.stack = Stack(self.directory / "d", PREFIX)
            self.stack.stop_own_runner()
            for name, value in DATABASE.items():
                self.stack.root_sql(f"SET GLOBAL {name} = {value}")
            self.restart_pool()
            self.stack.sql("DELETE FROM tasks")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.peers):
            self.end(process)
        try:
            if self.stack:
                self.stack.stop()
        finally:
            self.remove()

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        state = self.stack and self.stack.state
        if state and state.name.startswith("backdesk-demo."):  # the demo lives elsewhere where it cannot here
            shutil.rmtree(state, ignore_errors=True)

    # --- processes -----------------------------------------------------------------------------------

    def start(self, name, command, **environment):
        """A peer as the daemons' account, ended with the place. Its output is in the log directory."""
        with self.stack.open_log(self.stack.state / "log" / f"{name}.log") as log:
            process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.stack.state,
                env={**self.stack.daemon_environment(), "PATH": PATH, **self.account(), **environment},
                start_new_session=True, **self.stack.daemon_account())
        self.peers.append(process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def fail(self, text):
        """Ends the benchmark with what the peers have said, since their logs go with the place."""
        logs = [f"{log.name}: {log.read_text(errors='replace')[-800:]}" for log in (self.stack.state / "log").iterdir()
                if log.is_file() and log.stat().st_size]
        sys.exit("\n".join([text, *logs]))

    def peer(self, name):
        """The path of a peer in C, made where `make check` has not."""
        build = PREFIX.parent
        subprocess.run(["make", "-s", "-C", build, f"tests/bench/{name}"], check=True,
                       stdout=subprocess.DEVNULL)
        copy = self.stack.state / "bin" / name
        if not copy.exists():
            shutil.copy(build / "tests" / "bench" / name, copy)  # the daemons' account may not reach the build
        return copy

    def node_modules(self):
        """Node's libraries, for BENCH_MODULES: a copy, since the daemons' account may not reach the checkout."""
        copy = self.stack.state / "bin" / "node_modules"
        if not copy.exists():
            shutil.copytree(PEERS / "node_modules", copy)
        return str(copy)

    def account(self):
        """How peers reach the database: by the environment, because arguments are public."""
        return {"BENCH_SOCKET": self.stack.env["MYSQL_SOCKET"], "BENCH_USER": self.stack.env["MYSQL_USER"],
                "BENCH_PASSWORD": self.stack.env["MYSQL_PASSWORD"], "BENCH_DATABASE": self.stack.env["MYSQL_DATABASE"],
                "BENCH_SITE": self.stack.env["SITE_DATABASE"]}

    def call(self, command, **options):
        """Runs a peer to its end; its standard output."""
        environment = {**os.environ, "PATH": PATH, **self.account(), **options.pop("env", {})}
        done = subprocess.run([str(part) for part in command], env=environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, check=False, **options)
        if done.returncode:
            self.fail(f"{command[0]} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def postgres(self):
        """A PostgreSQL of its own, as durable as the MariaDB; how its clients reach it, by the environment."""
        state, data = self.stack.state, self.stack.state / "postgres"
        programs = Path(shutil.which("postgres", path=PATH)).resolve().parent
        account = self.stack.daemon_account()
        data.mkdir(0o700)
        if account:
            os.chown(data, account["user"], account["group"])
        subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale", "C"],
                       check=True, stdout=subprocess.DEVNULL, cwd=state, env=self.stack.daemon_environment(), **account)
        self.start("postgres", [programs / "postgres", "-D", data, "-k", state / "run", "-c", "listen_addresses=",
                                "-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB", "-c", "max_connections=200"])
        reach = {"PGHOST": str(state / "run"), "PGUSER": "bench"}
        wait_until((state / "run" / ".s.PGSQL.5432").is_socket, 20)
        self.call([programs / "psql", "-q", "-d", "postgres", "-c", "CREATE DATABASE bench"], env=reach)
        return reach

    # --- Backdesk --------------------------------------------------------------------------------------

    def config(self, name, edit=None, more=""):
        path = self.stack.variant(name, {**CONFIG, **(edit or {})})
        with open(path, "a", encoding="utf-8") as file:
            file.write(more)
        return path

    def restart_pool(self, more="", **edit):
        """The pool with the limits of this place instead of the demo's."""
        stack = self.stack
        pid = stack.pid("tasks.fcgi")
        ours = [process for process in self.peers if process.pid == pid]
        if ours:
            self.end(ours[0])
        else:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not Path(f"/proc/{pid}").exists(), 40)
        path = stack.state / "run" / "tasks.sock"
        path.unlink(missing_ok=True)
        config = self.config("pool", {key.replace("__", "."): value for key, value in edit.items()}, more)
        process = self.start("tasks.fcgi", ["spawn-fcgi", "-n", "-s", path, "-M", "0600", "-b", "1024", "--",
                                            stack.state / "app/libexec/backdesk/tasks.fcgi", "--config", config])
        (stack.state / "run" / "tasks.fcgi.pid").write_text(f"{process.pid}\n")
        wait_until(lambda: stack.request("GET", "/v1/tasks/health", user=None).status_code == 200, 20)

    def runner(self, name="bench", more="", **edit):
        """A runner that is ready; settings as runner__workers=4."""
        changes = {"runner.nickname": f'"{name}"', **{key.replace("__", "."): value for key, value in edit.items()}}
        runner = self.stack.start_runner(name, config=self.config(name, changes, more))
        self.stack.wait_for_runner(runner)
        return runner

    def stop_runners(self):
        self.stack.stop_runners()

    # --- nginx -----------------------------------------------------------------------------------------

    def serve(self, locations=""):
        """A private nginx with Backdesk as it is installed, no access log, and LOCATIONS of peers."""
        state = self.stack.state
        text = (state / "etc" / "nginx.conf").read_text()
        self.port, = free_ports(1)
        text = re.sub(r"pid +\S+;", f"pid {state}/run/bench-nginx.pid;\ndaemon off;", text)
        text = re.sub(r"access_log \S+;", "access_log off;", text)
        text = re.sub(r"listen 127\.0\.0\.1:\d+", f"listen 127.0.0.1:{self.port}", text)
        text = re.sub(r"listen unix:[^;]+;", f"listen unix:{state}/run/bench-site.sock;", text)
        text = text.replace('"Tasks ada"   1;', '"Tasks ada"   $bench_user;')
        text = text.replace("keepalive_requests 100000;", "keepalive_requests 100000000;")
        text = text.replace("    include backdesk/backdesk-http.conf;", "    include backdesk/backdesk-http.conf;\n"
                            '    map $http_bench_user $bench_user { "" 1; default $http_bench_user; }\n' +
                            "    upstream php { server unix:%s/run/php.sock; }\n"
                            "    upstream node { server unix:%s/run/node.sock; keepalive 32; }\n"
                            "    upstream bare { server unix:%s/run/bare.sock; keepalive 32; }\n" % (state, state, state))
        text = text.replace("        location / {", locations + "\n        location / {")
        config = state / "etc" / "bench-nginx.conf"
        config.write_text(text)
        config.chmod(0o644)
        nginx = self.start("bench-nginx", ["nginx", "-e", state / "log" / "bench-nginx.err", "-p", state, "-c", config])
        wait_until(lambda: nginx.poll() is not None or listens(self.port), 10)
        if nginx.poll() is not None:
            self.fail("nginx does not start")
        return f"http://127.0.0.1:{self.port}"
