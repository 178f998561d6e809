# SPDX-License-Identifier: MIT
"""The store against a private MariaDB: any number of API nodes and runners, each a drive_store of its own,
with the accounts and the rights of sql/grants.sql."""

import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from mariadb import Mariadb

SOURCE = Path(__file__).resolve().parents[2]
PREFIX = Path(os.environ.get("BACKDESK_BUILD", SOURCE / "build" / "install"))
ACCOUNTS = {"api": "backdesk_api", "runner": "backdesk_runner", "migration": "backdesk_migration"}
WORKER = "test:11111111-2222-4333-8444-555555555555"


class StoreError(Exception):
    """What the store answered instead of a result."""

    def __init__(self, answer):
        super().__init__(answer["text"])
        self.code, self.number, self.unknown = answer["error"], answer["errno"], answer["unknown"]


class Driver:
    """One process with one connection, as an API node or a runner has."""

    def __init__(self, database, role, timeout=10):
        self.user = ACCOUNTS[role]
        self.process = subprocess.Popen(
            [database.program, role, database.server.socket, self.user, "secret", database.name, str(timeout)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, do, **arguments):
        """Sends a command; answer() waits for what comes of it."""
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, f"drive_store ended with {self.process.wait(10)}"
        answer = json.loads(line)
        if "error" in answer:
            raise StoreError(answer)
        return answer["ok"]

    def __call__(self, do, **arguments):
        self.say(do, **arguments)
        return self.answer()

    def once(self, do, **arguments):
        """One command in a transaction of its own."""
        self("transaction")
        try:
            value = self(do, **arguments)
        except StoreError:
            with pytest.raises(StoreError):
                self.answer()
            raise
        self("commit")
        return value

    def later(self, do, **arguments):
        """Says a command that will have to wait; the function that is returned gives its answer."""
        self.say(do, **arguments)
        return self.waiting()

    def waiting(self):
        """Reads the next answer beside the test; call what is returned for it."""
        got = []

        def read():
            try:
                got.append((self.answer(), None))
            except Exception as error:  # pylint: disable=broad-except
                got.append((None, error))
        thread = threading.Thread(target=read, daemon=True)
        thread.start()

        def result(timeout=30):
            thread.join(timeout)
            assert got, f"no answer within {timeout} s"
            value, error = got[0]
            if error:
                raise error
            return value
        result.is_waiting = thread.is_alive
        return result

    def refused(self, code, do, **arguments):
        with pytest.raises(StoreError) as caught:
            self(do, **arguments)
        assert caught.value.code == code, (caught.value.code, str(caught.value))
        return caught.value

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0
        self.process.stdout.close()


class Database:
    """A schema of its own on the server, with the tables made and the rights given."""

    def __init__(self, server, program, directory, name="backdesk"):
        self.server, self.program, self.directory, self.name = server, program, directory, name
        self.drivers = []
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            for account in ACCOUNTS.values():
                cursor.execute(f"CREATE OR REPLACE USER {account}@localhost IDENTIFIED BY 'secret'")
            rights = re.search(r"GRANT [^;]* TO 'backdesk_migration'@'localhost'",
                               (SOURCE / "sql" / "grants.sql").read_text())[0]
            cursor.execute(rights.replace("backdesk.", f"{name}."))
        self.config = directory / f"{name}.conf"
        self.config.write_text(
            f'database {{\nsocket = "{server.socket}"\nname = "{name}"\n}}\n' +
            "".join(f'account "{role}" {{\nuser = "{user}"\npassword = "secret"\n}}\n'
                    for role, user in ACCOUNTS.items()))
        self.config.chmod(0o600)

    def migrate(self, sql=SOURCE / "sql", *options, check=True):
        done = subprocess.run(
            [PREFIX / "bin" / "taskctl", "--config", self.config, "migrate", "--sql", sql, *options],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done

    def start_migration(self, sql, *options):
        return subprocess.Popen(
            [PREFIX / "bin" / "taskctl", "--config", self.config, "migrate", "--sql", sql, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)

    def grant(self):
        """The rights of sql/grants.sql, and no others."""
        statements = re.sub(r"^--.*$", "", (SOURCE / "sql" / "grants.sql").read_text(), flags=re.M)
        with self.server.connect() as connection, connection.cursor() as cursor:
            for statement in filter(str.strip, statements.split(";")):
                cursor.execute(statement.replace("backdesk.", f"{self.name}."))

    def connect(self, **options):
        return self.server.connect(self.name, **options)

    def sql(self, query, args=None):
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(query, args)
            return list(cursor.fetchall())

    def value(self, query, args=None):
        return self.sql(query, args)[0][0]

    def row(self, task_id):
        """A task's row as a dict, straight from the table."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT * FROM tasks WHERE id = %s", (task_id,))
            row = cursor.fetchone()
            return row and dict(zip([column[0] for column in cursor.description], row))

    def insert(self, **columns):
        """A row as any SQL client would make it; its id."""
        columns = {"type": "t", "data": "{}", "created_by": 1, **columns}
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO tasks ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
                           list(columns.values()))
            return cursor.lastrowid

    def driver(self, role, **options):
        driver = Driver(self, role, **options)
        self.drivers.append(driver)
        return driver

    def lock_waits(self):
        """How many wait for a row lock. (innodb_trx is a copy that gets no newer while it is read.)"""
        return int(self.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")[0][1])

    def connection_of(self, driver):
        """The server's number of the driver's connection."""
        return self.value("SELECT id FROM information_schema.processlist p JOIN (SELECT %s AS u) x"
                          " ON p.user = x.u AND p.db = %s ORDER BY id DESC LIMIT 1", (driver.user, self.name))

    def end_drivers(self):
        drivers, self.drivers = self.drivers, []
        for driver in drivers:
            driver.end()


@pytest.fixture(scope="session")
def server():
    mariadb = Mariadb()
    yield mariadb
    mariadb.stop()


@pytest.fixture(scope="session")
def drive_store():
    """The program's path; made where `make check` has not."""
    build = PREFIX.parent
    program = build / "tests" / "store" / "drive_store"
    if not program.exists():
        subprocess.run(["make", "-s", "-C", build, "tests/store/drive_store"], check=True)
    return program


@pytest.fixture
def bare(server, drive_store, tmp_path):
    """A database without tables."""
    return Database(server, drive_store, tmp_path)


@pytest.fixture(scope="module")
def module_database(server, drive_store, tmp_path_factory):
    database = Database(server, drive_store, tmp_path_factory.mktemp("store"))
    database.migrate()
    database.grant()
    return database


@pytest.fixture
def database(module_database):
    """Tables without a row."""
    with module_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
                       " AND table_name NOT LIKE 'schema%'")
        for table, in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")
    yield module_database
    module_database.end_drivers()


@pytest.fixture
def api(database):
    return database.driver("api")


@pytest.fixture
def runner(database):
    """A runner that is registered as WORKER."""
    driver = database.driver("runner")
    driver("register", worker=WORKER)
    return driver


@pytest.fixture
def sql_copy(tmp_path):
    """A copy of the migrations, to be changed."""
    return Path(shutil.copytree(SOURCE / "sql", tmp_path / "sql"))
