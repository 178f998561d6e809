# SPDX-License-Identifier: MIT
"""How claims end: once, with their files, also where nobody knows whether the COMMIT happened."""

import pytest

from history import CLAIMS
from stack import wait_until

from store.conftest import WORKER, StoreError
from store.relay import Relay

ERROR = '{"code":"x","message":"y"}'


@pytest.fixture
def claimed(database, runner):
    """claimed() -> id of a task that WORKER has."""
    def make(**columns):
        task = database.insert(**columns)
        assert [got["id"] for got in runner.once("claim", worker=WORKER, type="t")["tasks"]] == [task]
        return task
    return make


def files(database):
    return [path for path, in database.sql("SELECT path FROM csv_export ORDER BY path")]


def test_a_success_with_files(database, runner, api, claimed):
    task = claimed(created_by=3)
    runner.once("finish", id=task, fence=1, kind="success", owner=3, result='{"a":1}', progress='{"done":2}',
                log="one\ntwo\n", keep_usec=60000000, files=["aa/bb/1", "aa/bb/2"])
    row = database.row(task)
    assert (row["status"], row["result"], row["progress"], row["error"]) == ("success", '{"a":1}', '{"done":2}', None)
    assert (row["expires_at"] - row["finished_at"]).total_seconds() == 60
    assert files(database) == ["aa/bb/1", "aa/bb/2"]
    assert database.sql("SELECT DISTINCT owner_id, task_id, filename FROM csv_export") == [(3, task, "a.csv")]
    assert database.sql("SELECT outcome, log, worker FROM attempts") == [("success", "one\ntwo\n", WORKER)]
    assert api("get", ids=[task])[0]["files"] == 2


def test_an_end_that_is_too_long_for_a_statement(database, server):
    """It is refused, and the connection is there for the next one."""
    packet = database.value("SELECT @@GLOBAL.max_allowed_packet")
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SET GLOBAL max_allowed_packet = {1 << 20}")
        try:
            runner = database.driver("runner")
            runner("register", worker=WORKER)
        finally:
            cursor.execute(f"SET GLOBAL max_allowed_packet = {packet}")
    task = database.insert()
    runner.once("claim", worker=WORKER, type="t")
    connection = database.connection_of(runner)
    with pytest.raises(StoreError, match="max_allowed_packet, which is 1048576") as refused:
        runner.once("finish", id=task, fence=1, kind="success", result=f'"{"x" * (20 << 20)}"')
    assert (refused.value.code, refused.value.number) == ("ERR_DB_REFUSED", 1153)
    runner.once("finish", id=task, fence=1, kind="failure", error=ERROR)
    assert database.row(task)["status"] == "failure" and database.connection_of(runner) == connection


def test_a_retry_waits_for_its_time(database, runner, claimed):
    task = claimed()
    runner.once("finish", id=task, fence=1, kind="retry", error=ERROR, retry_usec=5000000)
    row = database.row(task)
    assert (row["status"], row["attempt"], row["error"], row["worker"]) == ("scheduled", 1, ERROR, WORKER)
    pause = database.value("SELECT TIMESTAMPDIFF(MICROSECOND, a.finished_at, run_at) FROM attempts a, tasks")
    assert 4900000 < pause < 5100000
    assert row["turn"] == database.value("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', run_at) FROM tasks")


def test_who_died_was_dropped(database, runner, claimed):
    task = claimed()
    runner.once("finish", id=task, fence=1, kind="retry", died=1, error=ERROR)
    assert database.sql("SELECT outcome FROM attempts") == [("dropped",)]
    assert database.row(task)["status"] == "scheduled"


def test_a_hand_back_is_unburned(database, runner, claimed):
    task = claimed()
    runner.once("finish", id=task, fence=1, kind="hand_back")
    row = database.row(task)
    assert (row["status"], row["attempt"], row["fence"]) == ("fresh", 0, 1)
    assert database.sql("SELECT outcome, attempt FROM attempts") == [("handed_back", 1)]
    # somebody has meddled with the count
    assert runner.once("claim", worker=WORKER, type="t")["tasks"][0]["fence"] == 2
    database.sql("UPDATE tasks SET attempt = 0")
    runner.once("finish", id=task, fence=2, kind="hand_back")
    assert database.row(task)["attempt"] == 0


def test_a_hand_back_keeps_its_turn(database, runner):
    """It is claimed before those that shared its turn, by whoever was past it, too; where its turn is not known, after
    all that have waited."""
    first, second, third, last = (database.insert(turn=turn) for turn in (1000, 1000, 1000, 1001))
    taken = runner.once("claim", worker=WORKER, type="t", max=2)
    assert [task["id"] for task in taken["tasks"]] == [first, second]
    for task in first, second:
        runner.once("finish", id=task, fence=1, kind="hand_back", turn=1000)
        assert runner("look", types=["t"])["lanes"][0]["turn"] < 1000  # lowers the floor that stands at this turn
    assert [task["id"] for task in runner.once("claim", worker=WORKER, type="t", max=9)["tasks"]] == [
        first, second, third, last]
    runner.once("finish", id=first, fence=2, kind="hand_back")
    assert database.row(first)["turn"] > 1001


@pytest.mark.parametrize("kind, outcome", [("retry", "failure"), ("hand_back", "handed_back")])
def test_who_was_asked_to_stop_does_not_come_back(database, runner, api, claimed, kind, outcome):
    """The task ended or was handed back before its runner had heard of the wish: it neither waits nor runs again."""
    task = claimed()
    database.sql("UPDATE tasks SET cancel_requested = 1, cancel_by = 7, cancel_reason = 'wrong year'")
    for _ in "first", "again, since the answer to the COMMIT was lost":
        runner.once("finish", id=task, fence=1, kind=kind, error=ERROR, retry_usec=3600000000, keep_usec=60000000)
        row = database.row(task)
        assert row["status"] == "cancelled"
        assert row["error"] == '{"code":"cancelled","message":"cancelled by user 7: wrong year"}'
        assert (row["expires_at"] - row["finished_at"]).total_seconds() == 60
        assert database.sql("SELECT outcome FROM attempts") == [(outcome,)]


def test_every_end_is_written_once(database, runner, claimed):
    for kind in ("success", "failure", "cancelled", "dropped", "retry", "hand_back"):
        task = claimed()
        runner.once("finish", id=task, fence=1, kind=kind, error=ERROR, files=[kind])
        row = database.row(task)
        # the same again is no error: it is what a runner says that does not know if it got through
        runner.once("finish", id=task, fence=1, kind=kind, error=ERROR, files=[kind])
        assert database.row(task) == row
        assert database.value(f"SELECT COUNT(*) FROM {CLAIMS} WHERE task_id = %s", (task,)) == 1
        assert files(database) == [kind]
        # another end than the one that stands is
        other = "failure" if kind == "success" else "success"
        with pytest.raises(StoreError) as caught:
            runner.once("finish", id=task, fence=1, kind=other, error=ERROR, files=["other"])
        assert caught.value.code == "ERR_FENCED"
        assert database.row(task) == row and files(database) == [kind]
        database.sql("DELETE FROM csv_export")
        database.sql("DELETE FROM tasks")


def test_the_second_runner_wins(database, runner, claimed):
    """Taken back and claimed by another: the first one's end is void, the other's counts."""
    task = claimed()
    runner("leave", worker=WORKER)
    other = database.driver("runner")
    other("register", worker="other")
    assert other("take_back") == [{"id": task, "fence": 1}]
    assert other.once("claim", worker="other", type="t")["tasks"][0]["fence"] == 2
    for kind in ("success", "failure", "hand_back", "retry"):
        with pytest.raises(StoreError) as caught:
            runner.once("finish", id=task, fence=1, kind=kind, error=ERROR, files=["late"])
        assert caught.value.code == "ERR_FENCED"
    runner("progress", id=task, fence=1, progress="{}")
    assert database.row(task)["progress"] is None
    other.once("finish", id=task, fence=2, kind="success", files=["good"])
    assert files(database) == ["good"]
    assert database.sql(f"SELECT fence, worker, outcome FROM {CLAIMS} ORDER BY fence") == [
        (1, WORKER, "dropped"), (2, "other", "success")]


def test_progress_waits_for_nobody(database, runner, claimed):
    """A row that another session holds: it is told that nothing was written."""
    task = claimed()
    with database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task,))
        assert runner.later("progress", id=task, fence=1, progress='{"done":1}')(timeout=1.5) is False
        other.rollback()
    assert database.row(task)["progress"] is None
    assert runner("progress", id=task, fence=1, progress='{"done":1}') is True
    assert database.row(task)["progress"] == '{"done":1}'


@pytest.mark.parametrize("values", [
    {"result": "x" * 16777216}, {"progress": "x" * 1001}, {"kind": "failure", "error": "x" * 65536}, {"log": "x" * 16777216},
    {"files": ["x" * 128]},
    {"files": ["twice", "twice"]},
])
def test_what_does_not_fit_is_refused_and_changes_nothing(database, runner, claimed, values):
    task = claimed()
    before = database.row(task)
    with pytest.raises(StoreError) as caught:
        runner.once("finish", **{"id": task, "fence": 1, "kind": "success", **values})
    assert caught.value.code == "ERR_DB_REFUSED"
    assert database.row(task) == before and files(database) == []
    runner.once("finish", id=task, fence=1, kind="success")


# --- many by one statement -------------------------------------------------------------------------------

def claim_many(database, runner, count):
    ids = [database.insert() for _ in range(count)]
    assert [task["id"] for task in runner.once("claim", worker=WORKER, type="t", max=count)["tasks"]] == ids
    return [{"id": task, "fence": 1, "result": f'{{"n":{n}}}', "progress": None if n % 3 else f'{{"done":{n}}}'}
            for n, task in enumerate(ids)]


def written(database):
    """[(id, status, result, progress, fence and outcome of its attempts)]"""
    return database.sql("SELECT t.id, status, result, progress, GROUP_CONCAT(CONCAT(claims.fence, outcome) ORDER BY claims.fence)"
                        f" FROM tasks t LEFT JOIN {CLAIMS} ON task_id = t.id GROUP BY t.id ORDER BY t.id")


@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, 256])
def test_many_successes_at_once(database, runner, count):
    """Each gets its own values, whatever the number."""
    ends = claim_many(database, runner, count)
    assert runner.once("finish_plain", ends=ends, keep_usec=60000000) == [0] * count
    assert written(database) == [(end["id"], "success", end["result"], end["progress"], "1success") for end in ends]
    [[kept]] = database.sql("SELECT DISTINCT TIMESTAMPDIFF(SECOND, finished_at, expires_at) FROM tasks")
    assert kept == 60
    before = database.sql("SELECT * FROM tasks ORDER BY id")
    assert runner.once("finish_plain", ends=ends, keep_usec=60000000) == [0] * count  # said again: no error
    assert database.sql("SELECT * FROM tasks ORDER BY id") == before


def test_many_successes_of_which_some_are_lost(database, runner):
    """Taken by another, written before, deleted, never ours: none of these is touched, the others end."""
    ends = claim_many(database, runner, 6)
    taken, before, deleted, wrong = ends[1], ends[2], ends[3], ends[4]
    database.sql("UPDATE tasks SET fence = 2 WHERE id = %s", (taken["id"],))
    runner.once("finish", id=before["id"], fence=1, kind="success", result=before["result"])
    database.sql("DELETE FROM tasks WHERE id = %s", (deleted["id"],))
    wrong["fence"] = 7
    assert runner.once("finish_plain", ends=ends) == [0, 1, 0, 1, 1, 0]
    assert written(database) == [
        (ends[0]["id"], "success", ends[0]["result"], ends[0]["progress"], "1success"),
        (taken["id"], "started", None, None, None),
        (before["id"], "success", before["result"], None, "1success"),
        (wrong["id"], "started", None, None, None),
        (ends[5]["id"], "success", ends[5]["result"], ends[5]["progress"], "1success")]


@pytest.mark.parametrize("fences", [(1, 2), (2, 1)])
def test_two_claims_of_one_task_among_many_successes(database, runner, fences):
    """Taken away and claimed again: the claim that is valid ends the task, with its own values."""
    ends = claim_many(database, runner, 3)
    ends[1:2] = [{"id": ends[1]["id"], "fence": fence, "result": f'{{"f":{fence}}}', "progress": None}
                 for fence in fences]
    database.sql("UPDATE tasks SET fence = 2 WHERE id = %s", (ends[1]["id"],))
    assert runner.once("finish_plain", ends=ends) == [0, fences[0] == 1, fences[1] == 1, 0]
    assert [row[1] for row in written(database)] == ["success"] * 3
    assert database.row(ends[1]["id"])["result"] == '{"f":2}'


def test_one_value_that_does_not_fit_refuses_all(database, runner):
    ends = claim_many(database, runner, 3)
    ends[1]["progress"] = "x" * 1001
    with pytest.raises(StoreError) as caught:
        runner.once("finish_plain", ends=ends)
    assert caught.value.code == "ERR_DB_REFUSED"
    assert {row[1] for row in written(database)} == {"started"}


def test_a_row_that_another_session_holds_is_told_of(database, runner):
    """At once; a task that is gone is held by nobody, and those that are free stay locked."""
    free, busy, gone = (database.insert() for _ in range(3))
    database.sql("DELETE FROM tasks WHERE id = %s", (gone,))
    with database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (busy,))
        runner("transaction")
        assert runner.later("lock", ids=[gone, busy, free] * 200)(timeout=1.5) == [0, 1, 0] * 200
        cursor.execute("SELECT id FROM tasks WHERE id IN (%s, %s) FOR UPDATE SKIP LOCKED", (busy, free))
        assert cursor.fetchall() == ((busy,),)
        other.rollback()
        runner("commit")


# --- a COMMIT without an answer --------------------------------------------------------------------------

@pytest.fixture
def relay(database, tmp_path):
    relay = Relay(database.server.socket, tmp_path / "relay")
    straight, database.server.socket = database.server.socket, relay.path
    yield relay
    database.server.socket = straight
    relay.close()


@pytest.fixture
def relayed(database, relay):
    """A runner whose connection goes through the relay."""
    assert relay
    driver = database.driver("runner")
    driver("register", worker="relayed")
    return driver


def commit(driver):
    """The transaction's own answer: the error's unknown flag, or False."""
    driver.say("commit")
    try:
        driver.answer()
        return False
    except StoreError as error:
        assert error.code == "ERR_DB_GONE"
        return error.unknown


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("kind", ["success", "failure", "retry", "hand_back"])
def test_an_end_of_unknown_outcome_is_said_again(database, relay, relayed, how, kind):
    task = database.insert()
    relayed.once("claim", worker="relayed", type="t")
    end = {"id": task, "fence": 1, "kind": kind, "error": ERROR, "files": ["a"]}
    relayed("transaction")
    relayed("finish", **end)
    relay.lose = how
    assert commit(relayed)
    assert relay.lost == 1
    if how == "after":
        wait_until(lambda: database.row(task)["status"] != "started")
    assert relayed.once("finish", **end) == (how == "after")  # it says so
    assert database.value(f"SELECT COUNT(*) FROM {CLAIMS}") == 1
    assert files(database) == ["a"]
    assert database.row(task)["status"] == {"retry": "scheduled", "hand_back": "fresh"}.get(kind, kind)


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_claim_of_unknown_outcome_is_found_by_asking(database, relay, relayed, how):
    task = database.insert()
    relayed("transaction")
    relayed("claim", worker="relayed", type="t")
    relay.lose = how
    assert commit(relayed)
    if how == "after":
        wait_until(lambda: relayed("held", worker="relayed"))
        assert relayed("held", worker="relayed") == [{"id": task, "fence": 1, "cancel_requested": 0}]
        relayed.once("finish", id=task, fence=1, kind="hand_back")
    assert database.row(task)["status"] == "fresh"
    assert database.row(task)["attempt"] == 0
    assert relayed("held", worker="relayed") == []


def test_a_commit_that_the_group_rolls_back_is_repeated(database, relay, relayed):
    """3101, of Group Replication: nothing was written, and the next try may be."""
    task = database.insert()
    relayed.once("claim", worker="relayed", type="t")
    relayed("transaction")
    relayed("finish", id=task, fence=1, kind="success", files=["a"])
    relay.refuse = (3101, "before")
    assert relayed("commit") == 2
    assert database.row(task)["status"] == "success" and files(database) == ["a"]


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_commit_on_a_member_that_the_group_has_lost(database, relay, relayed, how):
    """3100: it may have been written all the same, and another connection may lead to another member."""
    task = database.insert()
    relayed.once("claim", worker="relayed", type="t")
    relayed("transaction")
    relayed("finish", id=task, fence=1, kind="success", files=["a"])
    before = database.connection_of(relayed)
    relay.refuse = (3100, how)
    assert commit(relayed)
    relayed.once("finish", id=task, fence=1, kind="success", files=["a"])
    assert database.connection_of(relayed) != before
    assert database.row(task)["status"] == "success" and files(database) == ["a"]


def test_a_success_of_unknown_outcome_whose_task_was_deleted(database, relay, relayed, api):
    """The user was faster than the runner's second try: it is told that the claim is lost."""
    task = database.insert()
    relayed.once("claim", worker="relayed", type="t")
    relayed("transaction")
    relayed("finish", id=task, fence=1, kind="success", files=["a"])
    relay.lose = "after"
    assert commit(relayed)
    wait_until(lambda: database.row(task)["status"] == "success")
    api("delete", id=task)
    with pytest.raises(StoreError) as caught:
        relayed.once("finish", id=task, fence=1, kind="success", files=["a"])
    assert caught.value.code == "ERR_FENCED"
    assert files(database) == [] and relayed("trash") == ["a"]
