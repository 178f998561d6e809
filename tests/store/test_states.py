# SPDX-License-Identifier: MIT
"""The table of states against what the store does: every state with every event, and every two events at
once. What the table does not allow must change nothing at all."""

import itertools
import threading

import pytest

from store.conftest import WORKER, StoreError
from store.statements import moves, states

STATES = states()
MOVES = moves()
ERROR = '{"code":"x","message":"y"}'
FENCE = 5  # of every task here
TYPE = "t"


# Each event as its actor does it: (role, verb, arguments). The verbs of runners stand in a transaction.
EVENTS = {
    "claim": ("runner", "claim", {"worker": "other", "type": TYPE, "max": 10}),
    "schedule": ("runner", "claim", {"worker": "other", "type": TYPE, "max": 10}),  # of a row that is not due
    "promote": ("runner", "promote", {}),
    "succeed": ("runner", "finish", {"kind": "success", "result": "{}"}),
    "fail": ("runner", "finish", {"kind": "failure", "error": ERROR}),
    "stop": ("runner", "finish", {"kind": "cancelled", "error": ERROR}),
    "drop": ("runner", "finish", {"kind": "dropped", "error": ERROR}),
    "retry_later": ("runner", "finish", {"kind": "retry", "error": ERROR, "retry_usec": 3600000000}),
    "hand_back": ("runner", "finish", {"kind": "hand_back"}),
    "take_back": ("runner", "take_back", {}),
    "cancel": ("api", "cancel", {"by": 9, "reason": "why"}),
    "retry": ("api", "retry", {}),
}
# What is no move but depends on the state all the same.
OTHERS = {
    "delete": ("api", "delete", {}),
    "clear": ("api", "clear", {"owner": 1}),
    "expire": ("runner", "expire", {}),
    "progress": ("runner", "progress", {"progress": '{"done":1}'}),
}
ENDED = {state for state, ended in STATES.items() if ended}


def test_every_event_of_the_table_is_tried_here():
    assert set(EVENTS) == {event for event, _ in MOVES}


def make_task(database, state, event=None):
    """A task in STATE as it is there in earnest, ready for EVENT."""
    columns = {"status": state, "fence": FENCE, "attempt": 2, "worker": WORKER, "turn": 1000}
    if state in ENDED:
        columns |= {"finished_at": "2020-01-01 00:00:00", "expires_at": "2020-01-02 00:00:00", "progress": "{}",
                    "error": ERROR, "result": "{}", "started_at": "2020-01-01 00:00:00"}
    if state == "started":
        columns |= {"started_at": "2020-01-01 00:00:00"}
    if event == "schedule":
        columns |= {"run_at": "2099-01-01 00:00:00"}
    if state == "scheduled":
        columns |= {"run_at": "2001-01-01 00:00:00"}
    return database.insert(**columns)


class Actors:
    """A process for each role, twice, so that two can act at once."""

    def __init__(self, database):
        self.database = database
        self.drivers = {(role, n): database.driver(role) for role in ("api", "runner") for n in (0, 1)}
        database.sql("INSERT INTO runners (worker, host, pid, version, types, slots, lease_usec)"
                     " VALUES ('other', 'h', 1, '0', '[]', 1, 3600000000)")

    def runner_lives(self, lives):
        self.database.sql("DELETE FROM runners WHERE worker = %s", (WORKER,))
        if lives:
            self.database.sql("INSERT INTO runners (worker, host, pid, version, types, slots, lease_usec)"
                              " VALUES (%s, 'h', 1, '0', '[]', 1, 3600000000)", (WORKER,))

    def act(self, name, task, number=0, fence=FENCE):
        """Does it; what the store answered, or the code of its error."""
        role, verb, arguments = {**EVENTS, **OTHERS}[name]
        driver = self.drivers[role, number]
        if verb in ("finish", "progress"):
            arguments = {"id": task, "fence": fence, **arguments}
        elif verb in ("cancel", "retry", "delete"):
            arguments = {"id": task, **arguments}
        try:
            return (driver.once if verb in ("claim", "finish") else driver)(verb, **arguments)
        except StoreError as error:
            return error.code


@pytest.fixture
def actors(database):
    return Actors(database)


def expected(event, state):
    """The state afterwards."""
    return MOVES.get((event, state), state)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_a_state_and_an_event(database, actors, state, event):
    task = make_task(database, state, event)
    actors.runner_lives(event != "take_back")
    before = database.row(task)
    answer = actors.act(event, task)
    after = database.row(task)
    assert after["status"] == expected(event, state), (answer, after)
    if (event, state) in MOVES:
        check_move(database, event, before, after)
    else:
        if (event, state) == ("cancel", "started"):  # no move: the task is only asked
            assert answer["cancel_requested"] == 1
            before |= {"cancel_requested": 1, "cancel_by": 9, "cancel_reason": "why"}
        assert after == before, answer
        assert database.value("SELECT COUNT(*) FROM attempts") == 0


def check_move(database, event, before, after):
    """What a move does beside the status."""
    assert after["turn"] != before["turn"]
    assert after["fence"] == before["fence"] + (event == "claim")
    attempt = {"claim": 1, "hand_back": -1, "retry": -before["attempt"]}.get(event, 0)
    assert after["attempt"] == before["attempt"] + attempt
    assert (after["finished_at"] is not None) == (after["status"] in ENDED)
    attempts = database.sql("SELECT fence, attempt, worker, outcome, error IS NOT NULL FROM attempts")
    outcome = {"succeed": "success", "fail": "failure", "stop": "cancelled", "drop": "dropped",
               "retry_later": "failure", "hand_back": "handed_back", "take_back": "dropped"}.get(event)
    wanted = [(FENCE, 2, WORKER, outcome, int(event != "hand_back"))] if outcome and outcome != "success" else []
    assert attempts == wanted  # a success is in the task's own row
    if event == "claim":
        assert after["worker"] == "other"
    if event == "retry":
        assert [after[name] for name in ("error", "progress", "result", "started_at", "run_at", "expires_at",
                                         "cancel_by", "cancel_reason")] == [None] * 8
        assert after["cancel_requested"] == 0
    if event in ("fail", "stop", "drop", "retry_later"):
        assert after["error"] == ERROR
    if event == "take_back":
        assert "runner_lost" in after["error"] and WORKER in after["error"]


def test_a_take_back_without_attempts_left_drops(database, actors):
    task = make_task(database, "started")
    database.sql("UPDATE tasks SET max_attempts = 2")
    assert actors.act("take_back", task) == [{"id": task, "fence": FENCE}]
    row = database.row(task)
    assert row["status"] == MOVES["drop", "started"] and "runner_lost" in row["error"]
    assert database.sql("SELECT fence, attempt, outcome FROM attempts") == [(FENCE, 2, "dropped")]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", [event for event, (_, verb, _) in EVENTS.items() if verb == "finish"])
@pytest.mark.parametrize("fence", [FENCE - 1, FENCE + 1, 0])
def test_another_fence_changes_nothing(database, actors, state, event, fence):
    actors.runner_lives(True)
    task = make_task(database, state)
    before = database.row(task)
    assert actors.act(event, task, fence=fence) == "ERR_FENCED"
    assert database.row(task) == before
    assert database.value("SELECT COUNT(*) FROM attempts") == 0


@pytest.mark.parametrize("state", STATES)
def test_progress_belongs_to_the_claim(database, actors, state):
    actors.runner_lives(True)
    task = make_task(database, state)
    before = database.row(task)
    assert actors.act("progress", task, fence=FENCE + 1) is True  # nothing that would have to be said again
    assert database.row(task) == before
    actors.act("progress", task)
    after = database.row(task)
    assert after["progress"] == ('{"done":1}' if state == "started" else before["progress"])


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("how", ["delete", "clear", "expire"])
def test_only_what_has_ended_is_deleted(database, actors, state, how):
    actors.runner_lives(True)
    task = make_task(database, state)
    if state not in ENDED:  # though somebody wrote that its time is over
        database.sql("UPDATE tasks SET expires_at = '2020-01-01', finished_at = '2020-01-01'")
    database.sql("INSERT INTO csv_export (filename, owner_id, task_id, path) VALUES ('x', 1, %s, 'aa/bb/x')", (task,))
    database.sql("INSERT INTO attempts (task_id, fence, attempt, outcome) VALUES (%s, 1, 1, 'failure')", (task,))
    answer = actors.act(how, task)
    left = [database.value(f"SELECT COUNT(*) FROM {table}") for table in ("tasks", "csv_export", "attempts")]
    trash = database.sql("SELECT path FROM file_trash")
    if state in ENDED:
        assert (left, trash) == ([0, 0, 0], [("aa/bb/x",)])
    else:
        assert (left, trash) == ([1, 1, 1], [])
        assert answer == {"delete": "ERR_CONFLICT"}.get(how, 0)


@pytest.mark.parametrize("verb", ["retry", "cancel", "delete"])
def test_a_task_that_is_not_there(api, verb):
    api.refused("ERR_NOT_FOUND", verb, id=4711)


# --- two at once -----------------------------------------------------------------------------------------

def after_both(state, first, second):
    """The state after FIRST and then SECOND, each where the table allows it."""
    return after_one(second, after_one(first, state))


def after_one(name, state):
    if name in ("delete", "clear", "expire"):
        return None if state in ENDED else state
    return state if state is None or name == "progress" else expected(name, state)


# retry_later makes a task that is not due, so that nobody promotes it before its time; what a claim takes
# from a first claim has another fence.
RACERS = [name for name in (*EVENTS, *OTHERS) if name not in ("schedule", "clear", "progress")]


def test_as_many_expire_as_may(database, actors):
    """Whoever asks for so many takes fewer for the end of a backlog."""
    database.sql("INSERT INTO tasks (type, data, created_by, status, finished_at, expires_at)"
                 " SELECT 'dummy', '{}', 1, 'success', '2020-01-01', '2020-01-01' FROM seq_1_to_300")
    assert actors.drivers["runner", 0]("expire", max=200) == 200
    assert database.value("SELECT COUNT(*) FROM tasks") == 100


@pytest.mark.parametrize("state", STATES)
def test_two_events_at_once(database, actors, state):
    """The first one stands before its commit while the second one comes; then it commits. Either way it must
    look as if one had come after the other, or as if one of them had passed over a locked row."""
    wrong = []
    for first, second in itertools.product(RACERS, RACERS):
        database.sql("DELETE FROM attempts")
        database.sql("DELETE FROM tasks")
        task = make_task(database, state)
        actors.runner_lives("take_back" not in (first, second))
        race(actors, task, first, second)
        row = database.row(task)
        got = row and row["status"]
        legal = {after_both(state, first, second), after_both(state, second, first), after_one(first, state)}
        if got not in legal:
            wrong.append((first, second, got, legal))
        ended = database.sql("SELECT fence, COUNT(*) FROM attempts GROUP BY fence HAVING COUNT(*) > 1")
        if ended or row and not FENCE <= row["fence"] <= FENCE + 1:
            wrong.append((first, second, ended, row))
    assert not wrong, wrong


def race(actors, task, first, second):
    role, verb, arguments = {**EVENTS, **OTHERS}[first]
    driver = actors.drivers[role, 0]
    own = {"id": task, "fence": FENCE} if verb == "finish" else {"id": task}
    if verb in ("claim", "promote", "take_back", "expire"):
        own = {}
    driver("transaction")
    try:
        driver(verb, **own, **arguments)
    except StoreError:
        with pytest.raises(StoreError):
            driver.answer()
        actors.act(second, task, 1)
        return
    done = []
    rival = threading.Thread(target=lambda: done.append(actors.act(second, task, 1)))
    rival.start()
    rival.join(0.02)  # long enough to be in the middle of it; a lock is waited for up to 2 s
    driver("commit")
    rival.join(20)
    assert done
