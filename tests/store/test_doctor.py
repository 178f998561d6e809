# SPDX-License-Identifier: MIT
"""taskctl doctor on a server whose binary log cannot hold what READ COMMITTED changes."""

import subprocess

import pytest

from mariadb import Mariadb
from store.conftest import PREFIX, Database


@pytest.fixture
def logging_server():
    server = Mariadb(["--log-bin=log", "--binlog-format=MIXED"])
    yield server
    server.stop()


def test_statement_format(logging_server, tmp_path):
    database = Database(logging_server, None, tmp_path)
    database.migrate()
    database.grant()

    def line(what):
        done = subprocess.run([PREFIX / "bin" / "taskctl", "--config", database.config, "doctor"],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        return next(text for text in done.stdout.splitlines() if f"  {what}  " in text), done.returncode

    assert line("binary log")[0].startswith("note ")  # sync_binlog = 0 is MariaDB's default
    database.sql("SET GLOBAL sync_binlog = 1")
    assert line("binary log")[0].startswith("ok ")
    database.sql("SET GLOBAL binlog_format = 'STATEMENT'")
    text, status = line("binary log")
    assert text.startswith("WRONG ") and "1665" in text and status == 1
    assert line("runners")[0].startswith("WRONG ")
    database.sql("INSERT INTO runners (worker, host, pid, version, types, slots, lease_usec, last_seen)"
                 " VALUES ('r', 'h', 7, '1', '[]', 2, 60000000, UTC_TIMESTAMP(6) + INTERVAL %s SECOND)", (3600,))
    assert "silent for longer" in line("runners")[0]  # its clock was put back since
    database.sql("UPDATE runners SET last_seen = UTC_TIMESTAMP(6)")
    assert not line("runners")[0].startswith("WRONG ")
