# SPDX-License-Identifier: MIT
"""A database that says no: deadlocks and lock waits are repeated, a lost connection is told and opened again
with the next call, and what happened is all or nothing."""

import signal
import time

import pytest
from pymysql.err import OperationalError

from proc import stopped
from stack import wait_until

from store.conftest import WORKER, StoreError


def started(database, count):
    return [database.insert(status="started", worker=WORKER, fence=1) for _ in range(count)]


def test_a_deadlock_is_repeated(database, api):
    """Two who cancel the same two tasks in opposite order."""
    other = database.driver("api")
    a, b = started(database, 2)
    api("transaction")
    other("transaction")
    api("cancel", id=a, by=1)
    other("cancel", id=b, by=2)
    first = api.later("cancel", id=b, by=1)
    wait_until(lambda: database.lock_waits())
    second = other.later("cancel", id=a, by=2)
    # one of them is the victim; its repetition waits for the other's commit
    wait_until(lambda: not first.is_waiting() or not second.is_waiting())
    survivor, victim = (api, other) if not first.is_waiting() else (other, api)
    (first if survivor is api else second)()
    assert survivor("commit") >= 1
    (second if survivor is api else first)()
    assert victim("commit") >= 2
    assert {database.row(task)["cancel_by"] for task in (a, b)} == {1 if survivor is api else 2}


def test_a_lock_wait_is_repeated(database, api):
    task = database.insert(status="success")
    with database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task,))
        begin = time.monotonic()
        done = api.later("delete", id=task)
        wait_until(lambda: time.monotonic() - begin > 2.2 and database.lock_waits(), 10)  # the second try
        other.rollback()
        done()
    assert database.row(task) is None


def test_a_lock_that_is_never_free_is_told_within_the_time_out(database):
    """A dispatcher must not be held up for longer than its lease allows."""
    api = database.driver("api", timeout=4)
    task = database.insert(status="success")
    with database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task,))
        begin = time.monotonic()
        error = api.refused("ERR_DB_RETRY", "delete", id=task)
        assert error.number == 1205
        assert time.monotonic() - begin < 8
    api("delete", id=task)


def kill(database, driver, how="CONNECTION"):
    database.sql(f"KILL {how} {database.connection_of(driver)}")


@pytest.mark.parametrize("verb", ["delete", "clear"])
def test_a_killed_statement_is_repeated(database, api, verb):
    """1317, in the middle of a lock wait; where many rows are locked by one statement, its answer has begun."""
    tasks = [database.insert(status="success", finished_at="2020-01-01") for _ in range(3)]
    api("check")
    connection = database.connection_of(api)
    with database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (tasks[1],))
        done = api.later(verb, **({"id": tasks[1]} if verb == "delete" else {}))
        wait_until(lambda: database.lock_waits())
        kill(database, api, "QUERY")
        wait_until(lambda: database.lock_waits())
        other.rollback()
        done()
    assert database.row(tasks[1]) is None
    assert database.connection_of(api) == connection


def test_a_submission_that_is_repeated(database, api):
    """What the first attempt has read of the queue counts once: eight of one user are no crowd."""
    def executions():
        return int(database.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1])
    database.sql("INSERT INTO tasks (type, data, created_by, turn) SELECT 't', '{}', 1, 1000 FROM seq_1_to_8")
    with database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks FORCE INDEX (claim) WHERE status = 'fresh' FOR UPDATE")  # and all gaps
        done = api.later("submit", tasks=[{"type": "t", "created_by": 2}])
        wait_until(lambda: database.lock_waits())
        before = executions()
        kill(database, api, "QUERY")
        wait_until(lambda: executions() > before)
        other.rollback()
        made, = done()
    assert made["turn"] == 1000


@pytest.mark.parametrize("verb, arguments", [
    ("get", {"ids": [1]}), ("list", {}), ("submit", {"tasks": [{"type": "t"}]}), ("clear", {"owner": 1}),
    ("delete", {"id": 1}), ("ping", {}), ("check", {}),
])
def test_a_lost_connection_is_told_and_opened_again(database, api, verb, arguments):
    """As with an idle connection that the server has closed: the caller hears of it once."""
    api("check")
    kill(database, api)
    error = api.refused("ERR_DB_GONE", verb, **arguments)
    assert not error.unknown
    try:
        api(verb, **arguments)
    except StoreError as again:
        assert again.code == "ERR_NOT_FOUND"


def test_a_connection_that_is_lost_within_a_transaction(database, api):
    a, b = started(database, 2)
    api("transaction")
    api("cancel", id=a)
    kill(database, api)
    with pytest.raises(StoreError) as caught:
        api("cancel", id=b)
    assert caught.value.code == "ERR_DB_GONE"
    with pytest.raises(StoreError) as caught:
        api.answer()
    assert caught.value.code == "ERR_DB_GONE" and not caught.value.unknown
    assert [database.row(task)["cancel_requested"] for task in (a, b)] == [0, 0]
    api("cancel", id=a)


def test_a_connection_that_is_lost_in_the_middle_of_a_wait(database, api):
    task = database.insert(status="success")
    with database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task,))
        done = api.later("delete", id=task)
        wait_until(lambda: database.lock_waits())
        kill(database, api)
        with pytest.raises(StoreError) as caught:
            done()
        assert caught.value.code == "ERR_DB_GONE"
    assert database.row(task)
    api("delete", id=task)


def test_a_server_that_does_not_answer(database):
    """Half-open: the time-out ends the wait, not the kernel."""
    api = database.driver("api", timeout=1)
    api("check")
    process = database.server.process
    process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: stopped(process.pid), 10)
        begin = time.monotonic()
        api.refused("ERR_DB_GONE", "ping")
        assert time.monotonic() - begin < 5
    finally:
        process.send_signal(signal.SIGCONT)
    wait_until(lambda: answers(api), 10)


def answers(driver):
    try:
        driver("ping")
    except StoreError:
        return False
    return True


def test_a_restart(database, api, runner):
    task = database.insert()
    runner.once("claim", worker=WORKER, type="t")
    database.server.shut_down()
    for driver in (api, runner):
        driver.refused("ERR_DB_GONE", "ping")
        driver.refused("ERR_DB_GONE", "ping")
    database.server.start()
    assert api("get", ids=[task])[0]["status"] == "started"
    runner.once("finish", id=task, fence=1, kind="success")


def test_a_read_only_server(database, api):
    """A replica after a failover: the connection is given up, so that the next one may reach the new primary."""
    api("check")
    database.sql("SET GLOBAL read_only = 1")
    try:
        error = api.refused("ERR_DB_GONE", "submit", tasks=[{"type": "t"}])
        assert error.number == 1290
        assert api("list")["tasks"] == []
    finally:
        database.sql("SET GLOBAL read_only = 0")
    api("submit", tasks=[{"type": "t"}])


def test_too_many_connections(database, api):
    api("check")
    most = database.value("SELECT @@max_connections")
    database.sql("SET GLOBAL max_connections = 10")
    others = []
    try:
        with pytest.raises(OperationalError):
            while len(others) < 20:
                others.append(database.connect(user="backdesk_api", password="secret"))
        error = database.driver("api").refused("ERR_DB_GONE", "ping")
        assert error.number == 1040
        api("ping")
    finally:
        for other in others:
            other.close()
        database.sql(f"SET GLOBAL max_connections = {most}")


def test_a_wrong_password(database):
    database.sql("SET PASSWORD FOR backdesk_runner@localhost = PASSWORD('another')")
    try:
        assert database.driver("runner").refused("ERR_DENIED", "ping").number == 1045
    finally:
        database.sql("SET PASSWORD FOR backdesk_runner@localhost = PASSWORD('secret')")


def test_a_prepared_statement_outlives_a_change_of_its_table(database, api):
    task = database.insert()
    before = api("get", ids=[task])
    database.sql("ALTER TABLE tasks ADD COLUMN more INT NULL")
    try:
        assert api("get", ids=[task]) == before
    finally:
        database.sql("ALTER TABLE tasks DROP COLUMN more")
    assert api("get", ids=[task]) == before
