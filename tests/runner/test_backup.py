# SPDX-License-Identifier: MIT
"""Backups through the queue: who may have them, how many stay, what cancelling leaves."""

import subprocess
from pathlib import Path

import pytest

from api.conftest import assert_problem
from stack import wait_until

KEEP = {'backup "site"__keep': 2}


@pytest.fixture
def small(queue):
    """A site of its own for quick backups; small(**settings) starts a runner for it."""
    queue.stack.root_sql("CREATE OR REPLACE DATABASE small")
    queue.stack.root_sql("CREATE TABLE small.t (id INT PRIMARY KEY, v TEXT)")
    queue.stack.root_sql("INSERT INTO small.t SELECT seq, MD5(seq) FROM small.seq_1_to_1000")
    queue.stack.root_sql("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON small.* TO site_backup@localhost")
    queue.stack.root_sql("GRANT ALL ON small.* TO demo@localhost")

    def start(name="red", **settings):
        return queue.start(name, **{'source "site"__database': '"small"', **settings})
    yield start
    queue.stack.stop_runners()
    queue.stack.root_sql("DROP DATABASE small")
    queue.stack.root_sql("REVOKE ALL ON small.* FROM site_backup@localhost")
    queue.stack.root_sql("REVOKE ALL ON small.* FROM demo@localhost")


def kept(queue):
    """The tasks whose backups are there, newest first; also as the list of an admin has it."""
    rows = [task for task, in queue.sql("SELECT task_id FROM csv_export WHERE series = 'backup:site' ORDER BY id DESC")]
    listed = queue.stack.request("GET", "/v1/tasks/exports?limit=500", "admin").json()["exports"]
    return rows if [export["task_id"] for export in listed if export["format"] == "sql.zst"] == rows else None


def test_an_admin_makes_one_and_gets_it_back(queue, small):
    """From POST to a restored database."""
    small()
    stack = queue.stack
    refused = assert_problem(stack.request("POST", "/v1/tasks", json={"type": "backup"}), 403, "role_missing")
    assert refused["errors"] == [{"pointer": "/type", "detail": "needs the role admin"}]
    bad = stack.request("POST", "/v1/tasks", "admin", json={"type": "backup", "data": {"backup": "other"}})
    assert [fault["pointer"] for fault in assert_problem(bad, 422, "invalid_task")["errors"]] == ["/data/backup"]
    task = stack.create("backup", {"backup": "site"}, "admin")["id"]
    done = stack.finish(task, "admin")
    assert (done["status"], done["result"]["tables"], done["expires_at"]) == ("success", 1, None), done
    answer = stack.request("GET", done["links"]["download"], "admin")
    assert answer.headers["Content-Type"] == "application/zstd"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{done["result"]["filename"]}"'
    dump = subprocess.run(["zstd", "-dc"], input=answer.content, capture_output=True, check=True).stdout
    stack.root_sql("CREATE DATABASE small_again")
    try:
        subprocess.run(["mariadb", f"--defaults-file={stack.state}/etc/root.cnf", "small_again"], input=dump, check=True)
        sums = stack.root_sql("CHECKSUM TABLE small.t, small_again.t EXTENDED")
        assert sums[0][1] == sums[1][1] != 0
        assert stack.root_sql("SELECT COUNT(*) FROM small.t a JOIN small_again.t b USING (id, v)") == [(1000,)]
    finally:
        stack.root_sql("DROP DATABASE small_again")


def test_it_belongs_to_admins_whoever_asked(queue, small):
    """A plain INSERT makes a task of anybody's; the file is still not his."""
    small()
    task = queue.make("backup")
    assert queue.wait(task)["status"] == "success"
    [[file]] = queue.sql("SELECT id FROM csv_export WHERE task_id = %s", (task,))
    for path in (f"/v1/tasks/{task}/download", f"/v1/tasks/exports/{file}/download"):
        assert_problem(queue.stack.request("GET", path), 404, "not_found")
        assert queue.stack.request("HEAD", path, "admin").status_code == 200
    assert queue.stack.request("GET", "/v1/tasks/exports").json()["exports"] == []
    assert "download" not in queue.stack.task(task)["links"]
    assert_problem(queue.stack.request("DELETE", f"/v1/tasks/{task}"), 403, "role_missing")
    failed = queue.make("backup", {"backup": "other"})
    assert queue.wait(failed)["error"]["code"] == "invalid_data"
    assert_problem(queue.stack.request("POST", f"/v1/tasks/{failed}/retry"), 403, "role_missing")
    assert queue.stack.request("POST", f"/v1/tasks/{failed}/retry", "admin").status_code == 202
    queue.wait(failed)


def test_the_newest_stay(queue, small):
    """Two runners, no age, and failures that count for nothing."""
    small("red", **KEEP, **{'type "backup"__retention_success': '"1s"'})
    small("blue", **KEEP, **{'type "backup"__retention_success': '"1s"'})
    made = []
    for _ in range(5):
        made.insert(0, queue.make("backup"))
        assert queue.wait(made[0])["status"] == "success"
    wait_until(lambda: kept(queue) == made[:2], 20, message=f"{kept(queue)} of {made}")
    assert queue.sql("SELECT id FROM tasks WHERE type = 'backup' ORDER BY id DESC") == [(task,) for task in made[:2]]
    queue.stack.root_sql("CREATE TABLE small.m (i INT) ENGINE = MyISAM")
    failed = queue.make("backup")
    row = queue.wait(failed)
    assert (row["status"], row["error"]["code"]) == ("failure", "inconsistent_tables")
    # an admin's deletion of a newer one makes no more room
    assert queue.stack.request("DELETE", f"/v1/tasks/{made[0]}", "admin").status_code == 204
    queue.check_files()
    assert kept(queue) == made[1:2]
    assert queue.stack.request("GET", f"/v1/tasks/{made[1]}/download", "admin").status_code == 200


def test_cancel_ends_the_program(queue, small):
    script = queue.stack.state / "tmp" / "dump"
    pids = queue.stack.state / "tmp" / "pids"
    pids.unlink(missing_ok=True)
    script.write_text(f'#!/bin/sh\n[ "$1" != --version ] || exec echo MariaDB\n(sleep 1000 & echo $$ $! >>{pids})\n'
                      "exec yes\n")
    script.chmod(0o755)
    small(**{'backup "site"__program': f'"{script}"'})
    task = queue.stack.create("backup", user="admin")["id"]
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, 20)
    assert queue.stack.request("POST", f"/v1/tasks/{task}/cancel", "admin").status_code == 202
    assert queue.wait(task)["status"] == "cancelled"
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split()), 10)
    wait_until(lambda: not queue.files(), 10)
