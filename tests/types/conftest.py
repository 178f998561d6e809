# SPDX-License-Identifier: MIT
"""Runs single tasks (run_type) against a private database: no queue, no runner."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import every_type
from mariadb import Mariadb
from stack import wait_until

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BACKDESK_BUILD", SOURCE / "build" / "install")).parent
MAKEFILE = BUILD / "Makefile"
SANITIZED = MAKEFILE.exists() and re.search("^SAN_CFLAGS = .*-fsanitize", MAKEFILE.read_text(), re.M)


@pytest.fixture(scope="session")
def run_type():
    """The path of the program, which is as new as the sources."""
    if MAKEFILE.exists():
        subprocess.run(["make", "-s", "-C", BUILD, "tests/types/run_type"], check=True)
    return BUILD / "tests" / "types" / "run_type"


@pytest.fixture(scope="session")
def server():
    database = Mariadb()
    yield database
    database.stop()


@pytest.fixture(scope="session")
def all_types(server):
    """The table every.t."""
    every_type.create(server)


def quote(text):
    """A string of the configuration file."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


class Outcome:
    """How a run ended; data holds the file's bytes where there is one."""

    def __init__(self, fields, files):
        self.__dict__.update(fields)
        self.info = fields["files"][0] if fields["files"] else None
        self.path = files / self.info["path"] if self.info else None

    @property
    def data(self):
        return self.path.read_bytes()


class Site:
    """A database, a shared directory and exports that read the one and write to the other."""

    def __init__(self, server, program, directory):
        self.server, self.program, self.directory = server, program, directory
        self.name = "site"
        self.files = directory / "files"
        self.files.mkdir()
        self.exports = []  # and imports
        self.checkpoint = "2s"
        self.started = []
        self.source = {"socket": server.socket, "database": self.name, "user": "root"}
        with server.connect() as connection:
            connection.cursor().execute(f"DROP DATABASE IF EXISTS {self.name}")
            connection.cursor().execute(f"CREATE DATABASE {self.name}")

    def sql(self, *statements, **options):
        """Runs the statements and returns the rows of the last one."""
        with self.server.connect(self.name, **options) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(*statement) if isinstance(statement, tuple) else cursor.execute(statement)
            return cursor.fetchall()

    def export(self, name, query, key=(), more="", **settings):
        """Adds an export; MORE is text for its section, such as its params."""
        lines = [f"query = {quote(query)}", "key = {" + ", ".join(map(quote, key)) + "}"]
        if ":owner" not in query:
            lines.append("owned = no")
        for setting, value in settings.items():
            lines.append(f"{setting} = {value if isinstance(value, int) else quote(value)}")
        self.exports.append(f"export {quote(name)} {{\n" + "\n".join(lines) + f"\n{more}\n}}\n")

    def make_ledger(self):
        """The tables that imports keep."""
        text = re.sub(r"^--.*$", "", (SOURCE / "sql" / "import" / "ledger.sql").read_text(), flags=re.M)
        self.sql(*filter(None, map(str.strip, re.sub(r"--.*$", "", text, flags=re.M).split(";"))))

    def import_(self, table, owner="owner_id", more="", **settings):
        """Adds an import into TABLE; MORE is text for its section, such as its columns."""
        lines = [f"{setting} = {value if isinstance(value, int) else quote(value)}" for setting, value
                 in {"target": "site", "table": table, "owner": owner, **settings}.items()]
        self.exports.append(f"import {quote(table)} {{\n" + "\n".join(lines) + f"\n{more}\n}}\n")

    def upload(self, data, owner=1):
        """Puts a file where the API would, and returns its id."""
        name = os.urandom(16).hex()
        folder = self.files / f"{owner & 255:02x}" / f"{owner >> 8 & 255:02x}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{owner}-0-{name}.upload").write_bytes(data)
        return name

    def config(self):
        path = self.directory / "backdesk.conf"
        source = "\n".join(f"{k} = {quote(v)}" for k, v in self.source.items())
        path.write_text(f"files {{ directory = {quote(self.files)} checkpoint = {self.checkpoint} }}\n"
                        'type "dummy" { enabled = yes }\n'
                        f"source \"site\" {{\n{source}\n}}\n" + "".join(self.exports))
        return path

    def start(self, type_name="csv_export", data=None, owner=1, options=(), **popen):
        data = data if isinstance(data, str) else json.dumps(data or {})
        self.started.append(subprocess.Popen(
            [self.program, *options, self.config(), type_name, str(owner), data],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen))
        return self.started[-1]

    def end(self, process, timeout=120):
        """Waits for a started run; the outcomes of all its runs if there are several."""
        out, self.stderr = process.communicate(timeout=timeout)
        assert process.returncode == 0, (process.returncode, out, self.stderr)
        outcomes = [Outcome(json.loads(line), self.files) for line in out.splitlines()]
        return outcomes[0] if len(outcomes) == 1 else outcomes

    def run(self, *args, **options):
        return self.end(self.start(*args, **options))

    def left(self):
        """Every file below the shared directory."""
        return sorted(str(p.relative_to(self.files)) for p in self.files.rglob("*") if p.is_file())

    def wait_for(self, process, condition):
        """Until the condition holds for the run, which must go on until then."""
        def holds():
            held = condition()
            assert held or process.poll() is None
            return held
        wait_until(holds, 60, every=0.005)

    def wait_for_rows(self, process, size=1):
        """Until SIZE bytes of the run are in the file: it writes whole buffers, so the last 64 KiB may be missing."""
        self.wait_for(process, lambda: sum(p.stat().st_size for p in self.files.rglob("*.part")) >= size)


@pytest.fixture
def site(server, run_type, tmp_path):
    site = Site(server, run_type, tmp_path)
    yield site
    for process in site.started:  # what a test that has failed leaves may hold locks, which others would wait for
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def peak_limit_kib():
    """None where a sanitizer's own memory makes the figure meaningless."""
    return None if SANITIZED else 32 * 1024
