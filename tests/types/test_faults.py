# SPDX-License-Identifier: MIT
"""What happens when something breaks: the same file or none, and a reason."""

import os
import resource
import signal
import subprocess
import time

import pytest

from proc import has_sigterm
from stack import wait_until

QUERY = "SELECT id, v FROM t"


@pytest.fixture
def table(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY, v CHAR(100))",
             "INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_400000")
    site.export("paged", QUERY, ["id"], page_rows=500)
    site.export("snapshot", QUERY, ["id"], snapshot="yes", page_rows=500)
    site.export("whole", QUERY + " ORDER BY id")
    return site


def kill_readers(site):
    """Breaks every connection that works on the site's table; how many."""
    rows = site.sql("SELECT id FROM information_schema.processlist WHERE db = 'site' AND id <> CONNECTION_ID()")
    for (number,) in rows:
        try:
            site.sql(f"KILL CONNECTION {number}")
        except Exception as e:  # it has ended by itself
            assert "1094" in str(e)
    return len(rows)


def test_lost_connections_leave_the_file_as_it_is(table):
    undisturbed = table.run(data={"export": "paged"}).data
    process, killed = table.start(data={"export": "paged"}), 0
    table.wait_for_rows(process)
    while process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        killed += kill_readers(table)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    outcome = table.end(process)
    assert outcome.end == "success" and killed > 1
    assert outcome.data == undisturbed
    assert any("reading on behind row" in line for line in outcome.log)
    assert table.left() == sorted(p for p in table.left() if not p.endswith(".part"))


def test_a_connection_that_is_lost_between_two_rows_of_one_key(site):
    site.sql("CREATE TABLE t (k INT, n INT, KEY k (k, n))", "INSERT INTO t VALUES (1, 0), (5, 1), (5, 2), (9, 3)",
             "CREATE SEQUENCE calls", "CREATE FUNCTION lose(n INT) RETURNS INT BEGIN"
             " IF n = 2 AND NEXTVAL(calls) = 1 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF; RETURN n; END")
    site.export("t", "SELECT k, lose(n) AS n FROM t FORCE INDEX (k)", ["k"])
    outcome = site.run()
    assert (outcome.end, outcome.code) == ("failed_final", "invalid_key"), outcome.log
    assert any("the connection to the data source is lost; reading on behind row 2" in line for line in outcome.log)


@pytest.mark.parametrize("name", ["snapshot", "whole"])
def test_a_lost_snapshot_is_a_failure(table, name):
    process = table.start(data={"export": name})
    table.wait_for_rows(process)
    process.send_signal(signal.SIGSTOP)
    assert kill_readers(table)
    process.send_signal(signal.SIGCONT)
    outcome = table.end(process)
    assert (outcome.end, outcome.code) == ("failed", "source_unavailable")
    assert table.left() == []


def test_server_away(table):
    table.source["socket"] = table.directory / "nothing"
    outcome = table.run(data={"export": "paged"})
    assert (outcome.end, outcome.code) == ("failed", "source_unavailable")
    assert outcome.msec < 5000


def test_wrong_password_and_no_rights(table):
    table.sql("CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'right'")
    table.source.update(user="reader", password="wrong")
    outcome = table.run(data={"export": "paged"})
    assert (outcome.end, outcome.code) == ("failed", "source_denied")
    table.source.update(password="right")
    assert table.run(data={"export": "paged"}).code == "source_denied"
    table.sql("GRANT SELECT ON site.* TO reader@localhost")
    assert table.run(data={"export": "paged"}).end == "success"
    table.sql("DROP USER reader@localhost")


def test_server_restarted_in_the_middle(table):
    # these servers write their log once a second: the table must be on the disk before the kill
    table.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1", "CREATE TABLE flushes_the_log (i INT)")
    undisturbed = table.run(data={"export": "paged"}).data
    process = table.start(data={"export": "paged"})
    table.wait_for_rows(process)
    process.send_signal(signal.SIGSTOP)
    table.server.shut_down(signal.SIGKILL)
    process.send_signal(signal.SIGCONT)
    # it waits about a second and a half for the server
    table.server.start()
    outcome = table.end(process)
    if outcome.end != "success":  # a slow machine
        assert outcome.code == "source_unavailable"
        outcome = table.run(data={"export": "paged"})
    assert (outcome.data == undisturbed) is True  # without a comparison of megabytes in the report


def test_table_changed_in_the_middle(table):
    process = table.start(data={"export": "paged"})
    table.wait_for_rows(process)
    process.send_signal(signal.SIGSTOP)
    kill_readers(table)
    table.sql("RENAME TABLE t TO old", "CREATE TABLE t (v INT, id INT PRIMARY KEY, w INT)",
              "INSERT INTO t SELECT 1, seq, 2 FROM seq_1_to_500000")
    process.send_signal(signal.SIGCONT)
    outcome = table.end(process)
    assert (outcome.end, outcome.code) == ("failed", "query_failed")
    assert table.left() == []


@pytest.mark.parametrize("type_name", ["csv_export", "html_export"])
def test_stop_is_noticed(table, type_name):
    def runs(text):
        return table.sql(f"SELECT 1 FROM information_schema.processlist WHERE info LIKE '%{text}%' AND id <> CONNECTION_ID()")

    table.export("slow", "SELECT id, SLEEP(0.01) FROM t", ["id"], page_rows=1000)
    table.export("stuck", "SELECT id, SLEEP(60) FROM t ORDER BY id LIMIT 1", [])
    for name, sleep in (("slow", "SLEEP(0.01)"), ("stuck", "SLEEP(60)")):
        process = table.start(type_name, {"export": name})
        wait_until(lambda: runs(sleep))
        process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        outcome = table.end(process)
        assert outcome.end == "stopped", name
        # SLEEP(0.01) a row: a packet of 16 KiB is not there at once
        assert time.monotonic() - begin < 2, name
        assert table.left() == []
    wait_until(lambda: not runs("SLEEP(60)"), 5, message="the query goes on for nobody")


def test_disk_full(table):
    """A limit on the size of files stands for the full disk: a write fails in the middle."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    outcome = table.end(table.start(data={"export": "paged"}, preexec_fn=limit))
    assert (outcome.end, outcome.code) == ("failed", "storage_failed")
    assert outcome.message == "the result file cannot be written: File too large"
    assert table.left() == []


def test_full_file_system(table):
    """A real one, where there may be mounts in a namespace of their own."""
    table.files.joinpath("small").mkdir()
    mount = f"mount -t tmpfs -o size=1m none {table.files} && exec \"$@\""
    process = table.start(data={"export": "paged"})
    table.end(process)
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh", *process.args]
    done = subprocess.run(command, capture_output=True, text=True)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no namespaces here")
    assert '"code": "storage_failed"' in done.stdout
    assert "No space left on device" in done.stdout


def test_directory_missing_or_read_only(table):
    os.rmdir(table.files)
    outcome = table.run(data={"export": "paged"})
    assert (outcome.end, outcome.code) == ("failed", "storage_failed")
    assert outcome.message == "the directory of result files cannot be opened: No such file or directory"
    table.files.write_text("not a directory")
    assert table.run(data={"export": "paged"}).code == "storage_failed"


def test_killed_run_leaves_only_its_temporary_file(table):
    process = table.start(data={"export": "paged"})
    table.wait_for_rows(process)
    process.kill()
    process.wait()
    assert [p for p in table.left() if not p.startswith("tmp/") or not p.endswith(".part")] == []
    assert len(table.left()) == 1


def test_dummy(site):
    site.export("t", "SELECT 1 AS a")
    outcome = site.run("dummy", {"seconds": 0.3, "steps": 3})
    assert outcome.end == "success" and 300 <= outcome.msec < 1000
    assert [p[1] for p in outcome.progress] == [0, 1, 2, 3] and outcome.result == {"steps": 3}
    assert site.run("dummy", "{}").end == "success"
    outcome = site.run("dummy", {"fail": True})
    assert (outcome.end, outcome.code) == ("failed", "dummy_failed")
    assert site.run("dummy", {"seconds": -1}).code == "invalid_data"
    process = site.start("dummy", {"crash": True})
    assert process.wait(10) == -signal.SIGSEGV
    process.communicate()
    process = site.start("dummy", {"seconds": 60})
    wait_until(lambda: has_sigterm(process.pid, "SigCgt"))
    process.send_signal(signal.SIGTERM)
    assert site.end(process, timeout=2).end == "stopped"
