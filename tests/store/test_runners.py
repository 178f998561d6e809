# SPDX-License-Identifier: MIT
"""The rows of runners: who is alive, who is gone, and what becomes of the tasks of those; the trash."""

import time

import pytest

from stack import wait_until
from store.conftest import WORKER

LEASE_USEC = 400000  # of a runner that is waited for


def claims(database, runner, count, worker=WORKER, **columns):
    tasks = [database.insert(**columns) for _ in range(count)]
    assert len(runner.once("claim", worker=worker, type="t", max=count)["tasks"]) == count
    return tasks


def silence(database, seconds, worker=WORKER):
    """As if WORKER had not been heard of for so long."""
    database.sql("UPDATE runners SET last_seen = last_seen - INTERVAL %s SECOND WHERE worker = %s", (seconds, worker))


def test_one_of_a_name(database, runner):
    other = database.driver("runner")
    other.refused("ERR_CONFLICT", "register", worker=WORKER)
    silence(database, 29)
    other.refused("ERR_CONFLICT", "register", worker=WORKER)
    silence(database, 2)
    other("register", worker=WORKER)
    runner("renew", worker=WORKER)


def test_a_name_that_said_good_bye_is_free(database, runner):
    runner("leave", worker=WORKER)
    database.driver("runner")("register", worker=WORKER)


def test_two_of_a_name_at_once(database):
    drivers = [database.driver("runner") for _ in range(4)]
    for driver in drivers:
        driver.say("register", worker="same")
    answers = []
    for driver in drivers:
        try:
            answers.append(driver.answer())
        except Exception as error:  # pylint: disable=broad-except
            answers.append(error.code)
    assert sorted(answers, key=str) == ["ERR_CONFLICT"] * 3 + [None]


def test_a_name_whose_clock_was_put_back(database, runner):
    """Last seen in an hour, which no living runner is."""
    silence(database, -3600)
    database.driver("runner")("register", worker=WORKER)
    runner("renew", worker=WORKER)


@pytest.fixture(name="begin")
def begin_fixture():
    """The time. To be named before `short`: its runner's lease counts from the last that it has said."""
    return time.monotonic()


@pytest.fixture(name="short")
def short_fixture(database, runner):
    """Three tasks of a runner whose lease is short."""
    runner("register", worker="short", lease_usec=LEASE_USEC)
    return claims(database, runner, 3, worker="short")


@pytest.mark.parametrize("clock", [0, 3600, -3600])
def test_a_silent_runner_is_declared_gone(database, runner, begin, short, clock):
    """By the clock of who looks, whether the database's is put forward or back in between."""
    other = database.driver("runner")
    assert other("take_back") == []
    silence(database, clock, "short")
    assert other("take_back") == []
    lost = wait_until(lambda: other("take_back"), 10)
    assert time.monotonic() - begin > LEASE_USEC / 1000000
    assert sorted(claim["id"] for claim in lost) == short
    assert database.sql("SELECT worker FROM runners WHERE gone_at IS NOT NULL") == [("short",)]
    assert runner.refused("ERR_FENCED", "renew", worker="short")
    assert {database.row(task)["status"] for task in short} == {"fresh"}
    assert other("take_back") == []


@pytest.mark.parametrize("looks", [0, 1])
def test_a_runner_that_renews_loses_nothing_by_the_clock(database, runner, short, looks):
    """The database's is put forward, before or after somebody has looked for the first time."""
    other, begin = database.driver("runner"), time.monotonic()
    for _ in range(looks):
        assert other("take_back") == []
    silence(database, 3600, "short")
    while time.monotonic() - begin < LEASE_USEC / 1000000 * 2:
        assert other("take_back") == []
        runner("renew", worker="short")
    assert {database.row(task)["status"] for task in short} == {"started"}


def test_who_had_been_silent_before_anybody_looked(database, runner):
    """A host that comes back after a crash, or runners that are started again and again: a third of the lease shows
    that nobody renews it."""
    runner("register", worker="dead", lease_usec=3000000)
    tasks = claims(database, runner, 2, worker="dead")
    silence(database, 3600, "dead")
    other, begin = database.driver("runner"), time.monotonic()
    assert other("take_back") == []
    lost = wait_until(lambda: other("take_back"), 10)
    assert 0.9 < time.monotonic() - begin < 2
    assert sorted(claim["id"] for claim in lost) == tasks


def test_a_runner_with_nothing_to_lose_goes_as_well(database, runner):
    runner("register", worker="idle", lease_usec=LEASE_USEC)
    wait_until(lambda: runner("take_back") or database.sql("SELECT 1 FROM runners WHERE gone_at IS NOT NULL"), 10)
    assert database.sql("SELECT worker FROM runners WHERE gone_at IS NOT NULL") == [("idle",)]


def test_tasks_of_a_runner_without_a_row(database, runner):
    tasks = claims(database, runner, 2)
    database.sql("DELETE FROM runners")
    assert len(runner("take_back")) == 2
    assert [database.row(task)["attempt"] for task in tasks] == [1, 1]


def test_attempts_decide_between_again_and_dropped(database, runner):
    again = claims(database, runner, 1)[0]
    last = claims(database, runner, 1, max_attempts=1)[0]
    runner("leave", worker=WORKER)
    assert len(runner("take_back", max_attempts=2)) == 2
    assert [database.row(task)["status"] for task in (again, last)] == ["fresh", "dropped"]
    assert database.sql("SELECT task_id, outcome FROM attempts ORDER BY task_id") == [
        (again, "dropped"), (last, "dropped")]


def test_taking_back_is_in_portions(database, runner):
    claims(database, runner, 25)
    runner("leave", worker=WORKER)
    assert [len(runner("take_back", max=10)) for _ in range(4)] == [10, 10, 5, 0]


def test_two_who_take_back(database, runner):
    tasks = claims(database, runner, 10)
    runner("leave", worker=WORKER)
    drivers = [database.driver("runner") for _ in range(2)]
    taken = []
    drivers[0]("transaction")
    taken += drivers[0]("take_back", max=4)
    rest = drivers[1].later("take_back")  # it may wait for the first one's counters, not for its tasks
    drivers[0]("commit")
    taken += rest()
    assert sorted(lost["id"] for lost in taken) == tasks
    assert database.value("SELECT COUNT(*) FROM attempts") == 10


def test_a_cancelled_task_of_a_lost_runner(database, api, runner):
    """Nobody tries it again, and who wanted that stays on record."""
    task = claims(database, runner, 1)[0]
    api("cancel", id=task)
    assert runner("held", worker=WORKER)[0]["cancel_requested"] == 1
    by = database.row(task)["cancel_by"]
    runner("leave", worker=WORKER)
    runner("take_back")
    row = database.row(task)
    assert (row["status"], row["attempt"], row["cancel_by"]) == ("cancelled", 1, by)
    assert f"cancelled by user {by}" in row["error"] and row["finished_at"]
    assert database.sql("SELECT outcome FROM attempts") == [("dropped",)]


def test_what_a_runner_holds(database, runner):
    tasks = claims(database, runner, 3)
    claims(database, runner, 1, worker="other")
    assert sorted(held["id"] for held in runner("held", worker=WORKER)) == tasks
    assert runner("held", worker="nobody") == []


@pytest.mark.parametrize("days, left", [(0.9, 1), (1.1, 0)])
def test_gone_runners_are_forgotten_after_a_day(database, runner, days, left):
    runner("leave", worker=WORKER)
    database.sql("UPDATE runners SET gone_at = gone_at - INTERVAL %s HOUR", (int(days * 24),))
    runner("forget")
    assert database.value("SELECT COUNT(*) FROM runners") == left


def test_expired_keys_are_forgotten(database, runner):
    """A part at a time; what is still good stays."""
    database.sql("INSERT INTO idempotency_keys (user_id, idem_key, body, task_ids, expires_at)"
                 " SELECT 1, CONCAT('k', seq), '', '1', UTC_TIMESTAMP(6) + INTERVAL IF(seq <= 5, -1, 60) SECOND"
                 " FROM seq_1_to_8")
    assert [runner("forget", max=3) for _ in range(3)] == [3, 2, 0]
    assert [key for key, in database.sql("SELECT idem_key FROM idempotency_keys ORDER BY idem_key")] == ["k6", "k7", "k8"]


# --- files -----------------------------------------------------------------------------------------------

def make_file(database, task, path):
    database.sql("INSERT INTO csv_export (filename, owner_id, task_id, path) VALUES ('x', 1, %s, %s)", (task, path))


def test_the_files_of_a_running_claim_are_no_orphans(database, runner):
    """Neither the unfinished one, however long nothing is written to it, nor one that is about to be published."""
    task = claims(database, runner, 1)[0]
    unfinished, other = f"tmp/{task}-1-{'a' * 32}.csv.part", f"tmp/{task}-2-{'a' * 32}.csv.part"
    assert runner("known", path=unfinished) == 1
    assert runner("known", path=f"0a/00/{task}-1-{'a' * 32}.csv") == 1
    for path in (other, f"tmp/{task + 1}-1-{'a' * 32}.csv.part", "tmp/notes.txt", ""):
        assert runner("known", path=path) == 0
    runner.once("finish", id=task, fence=1, kind="failure", error="{}")
    assert runner("known", path=unfinished) == 0


def test_a_deleted_tasks_files_go_to_the_trash(database, api, runner):
    task = database.insert(status="success")
    for path in ("a", "b"):
        make_file(database, task, path)
    assert runner("known", path="a") == 1
    api("delete", id=task)
    assert sorted(runner("trash")) == ["a", "b"]
    assert runner("known", path="a") == 1
    assert runner("trash", drop=1) and runner("trash") == []
    assert runner("known", path="a") == 0


def test_a_deleted_file_leaves_its_task(database, api, runner):
    task = database.insert(status="success")
    make_file(database, task, "a")
    file = database.value("SELECT id FROM csv_export")
    api("delete_export", id=file)
    api.refused("ERR_NOT_FOUND", "delete_export", id=file)
    assert runner("trash") == ["a"]
    assert api("get", ids=[task])[0]["files"] == 0


def test_what_is_held_keeps_nothing_else(database, runner):
    """One of each kind, somewhere among the others."""
    tasks = [database.insert(status="success", expires_at="2020-01-01 00:00:00") for _ in range(20)]
    for task in range(1, 21):
        make_file(database, 10**6 + task, f"f{task}")
    database.sql("UPDATE csv_export SET expires_at = '2020-01-01 00:00:00'")
    database.sql("INSERT INTO file_trash (path) SELECT CONCAT('t', seq) FROM seq_1_to_20")
    database.sql("INSERT INTO attempts (task_id, fence, attempt, outcome) VALUES (%s, 1, 1, 'success')", (tasks[7],))
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION tx_isolation = 'READ-COMMITTED'")
        for row in ("attempts WHERE task_id = %d AND fence = 1" % tasks[7], "csv_export WHERE path = 'f13'",
                    "file_trash WHERE path = 't1'"):
            cursor.execute(f"SELECT 1 FROM {row} FOR UPDATE")
        for _ in range(3):  # what much is in the way of comes later
            runner.refused("ERR_DB_RETRY", "expire")
            runner.refused("ERR_DB_RETRY", "trash", drop=1)
        assert database.sql("SELECT id FROM tasks") == [(tasks[7],)]
        assert database.sql("SELECT path FROM csv_export WHERE removed_at IS NULL") == [("f13",)]
        assert database.sql("SELECT path FROM file_trash") == [("t1",)]
        connection.rollback()
    assert runner("expire") == 2
    assert sorted(runner("trash", drop=1)) == ["f13", "t1"]
    assert database.value("SELECT COUNT(*) FROM file_trash") == 0


# --- series -----------------------------------------------------------------------------------------------

def make_series(database, count, series="backup:a"):
    """Tasks that each have made a file of the series, oldest first."""
    tasks = [database.insert(status="success") for _ in range(count)]
    for task in tasks:
        database.sql("INSERT INTO csv_export (filename, owner_id, task_id, path, role, series)"
                     " VALUES ('x', 1, %s, %s, 'admin', %s)", (task, f"{series}-{task}", series))
    return tasks


def kept(database, series="backup:a"):
    rows = database.sql("SELECT task_id FROM csv_export WHERE series = %s ORDER BY id", (series,))
    tasks = {task for task, in database.sql("SELECT id FROM tasks")}
    return [task for task, in rows if task in tasks]


def test_the_newest_of_a_series_stay(database, runner):
    tasks, others = make_series(database, 7), make_series(database, 3, "backup:b")
    assert runner("keep", series="backup:a", keep=7) == 0
    assert runner("keep", series="backup:a", keep=5, max=1) == 1
    assert runner("keep", series="backup:a", keep=5) == 1
    assert kept(database) == tasks[2:]
    assert sorted(runner("trash")) == [f"backup:a-{task}" for task in tasks[:2]]
    assert runner("keep", series="backup:a", keep=1) == 4
    assert runner("keep", series="backup:none", keep=1) == 0
    assert kept(database) == tasks[6:] and kept(database, "backup:b") == others


def test_two_who_thin_a_series_at_once(database, runner):
    tasks, other = make_series(database, 6), database.driver("runner")
    runner("transaction")
    assert runner("keep", series="backup:a", keep=2, max=2) == 2
    other.refused("ERR_DB_RETRY", "keep", series="backup:a", keep=2)
    runner("commit")
    assert other("keep", series="backup:a", keep=2) == 2
    assert kept(database) == tasks[4:]


def test_a_newer_one_is_deleted_meanwhile(database, runner):
    tasks = make_series(database, 5)
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM csv_export WHERE task_id = %s", (tasks[4],))
        runner.refused("ERR_DB_RETRY", "keep", series="backup:a", keep=2)
        connection.commit()
    assert runner("keep", series="backup:a", keep=2) == 2
    assert kept(database) == tasks[2:4]


def test_clearing(database, api):
    old = [database.insert(status="success", finished_at="2020-01-01 00:00:00", created_by=by) for by in (1, 1, 2)]
    new = database.insert(status="success", finished_at="2030-01-01 00:00:00")
    bad = database.insert(status="failure", finished_at="2020-01-01 00:00:00")
    waits = database.insert()
    make_file(database, old[0], "a")
    until = 1600000000000000
    assert api("clear", owner=1, before=until, status=["success"]) == 2
    assert database.sql("SELECT id FROM tasks ORDER BY id") == [(id,) for id in (old[2], new, bad, waits)]
    assert api("clear", owner=1, before=until) == 1
    assert api("clear", owner=0, before=until) == 1
    assert api("clear", owner=0, before=until, status=["fresh", "started"]) == 0
    assert database.value("SELECT COUNT(*) FROM file_trash") == 1


def test_clearing_very_many(database, api):
    database.sql("INSERT INTO tasks (type, data, created_by, status, finished_at)"
                 " SELECT 't', '{}', 1, 'success', '2020-01-01' FROM seq_1_to_1234")
    assert api("clear", owner=1, before=1600000000000000) == 1234
    assert database.value("SELECT COUNT(*) FROM tasks") == 0
