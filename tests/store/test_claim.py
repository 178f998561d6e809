# SPDX-License-Identifier: MIT
"""Claims: in order, by one at a time, at a cost that only depends on what is claimed."""

import json
import random
import time

import pytest

from store.conftest import WORKER, StoreError
from store.statements import statement

HOUR = 3600 * 1000000


def fresh(database, count, **columns):
    """COUNT rows by plain SQL, each with a turn of its own; their ids in order."""
    return [database.insert(**columns) for _ in range(count)]


def claim(driver, **arguments):
    return driver.once("claim", **{"worker": WORKER, "type": "t", **arguments})


def ids(claimed):
    return [task["id"] for task in claimed["tasks"]]


def test_a_claim_moves_the_row(database, runner):
    task = database.insert(data='{"a": 1}', max_attempts=7)
    got, = claim(runner)["tasks"]
    assert got == {"id": task, "fence": 1, "attempt": 1, "data": '{"a": 1}', "cancel_requested": 0}
    row = database.row(task)
    assert (row["status"], row["worker"], row["fence"], row["attempt"]) == ("started", WORKER, 1, 1)
    assert row["started_at"] and row["updated_on"] and not row["finished_at"]
    assert claim(runner)["tasks"] == []


def test_order_is_turn_then_id(database, runner):
    tasks = fresh(database, 6)
    database.sql("UPDATE tasks SET turn = 1000 - id DIV 2")
    wanted = sorted(tasks, key=lambda task: (1000 - task // 2, task))
    assert ids(claim(runner, max=4)) == wanted[:4]
    assert ids(claim(runner, max=4)) == wanted[4:]


def test_a_lane_is_one_type_and_priority(database, runner):
    wanted = fresh(database, 2, priority=3)
    fresh(database, 2, priority=4)
    fresh(database, 2, type="other", priority=3)
    assert ids(claim(runner, priority=3, max=10)) == wanted


@pytest.mark.parametrize("most", [0, 1])
def test_nothing_of_a_paused_type_is_claimed(database, runner, most):
    """By the statement itself, whether or not the runner has read of the pause."""
    wanted = fresh(database, 2)
    database.sql("INSERT INTO type_control (type, paused_at) VALUES ('t', UTC_TIMESTAMP(6)), ('other', NULL)")
    assert ids(claim(runner, running_per_user=most)) == []
    database.sql("UPDATE type_control SET paused_at = NULL")
    assert ids(claim(runner, max=1, running_per_user=most)) == wanted[:1]


def test_a_floor_is_where_the_next_claim_begins(database, runner):
    tasks = fresh(database, 5)
    first = claim(runner, max=2)
    assert ids(first) == tasks[:2] and first["more"]
    assert (first["turn"], first["id"]) == (database.value("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01',"
                                            " created_at) FROM tasks WHERE id = %s", (tasks[1],)), tasks[1])
    second = claim(runner, max=9, turn=first["turn"], id=first["id"])
    assert ids(second) == tasks[2:] and not second["more"]


def test_a_floor_within_a_turn_that_many_share(database, runner):
    tasks = fresh(database, 6)
    database.sql("UPDATE tasks SET turn = 5000")
    seen, floor = [], {"turn": 0, "id": 0}
    while True:
        got = claim(runner, max=2, **floor)
        seen += ids(got)
        if not got["more"]:
            break
        floor = {"turn": got["turn"], "id": got["id"]}
    assert seen == tasks


def test_locked_rows_are_passed_over(database, runner):
    tasks = fresh(database, 4)
    other = database.driver("runner")
    other("transaction")
    assert ids(other("claim", worker="other", type="t", max=2)) == tasks[:2]
    begin = time.monotonic()
    assert ids(claim(runner, max=4)) == tasks[2:]
    assert time.monotonic() - begin < 1.5  # a lock wait would be 2 s
    other("commit")
    assert {row["worker"] for row in map(database.row, tasks)} == {WORKER, "other"}


def test_what_was_rolled_back_is_there_again(database, runner):
    tasks = fresh(database, 2)
    runner("transaction")
    assert ids(runner("claim", worker=WORKER, type="t", max=2)) == tasks
    runner.say("fail")
    with pytest.raises(StoreError):
        runner.answer()
    assert [database.row(task)["fence"] for task in tasks] == [0, 0]
    assert ids(claim(runner, max=2)) == tasks


def test_an_open_claim_does_not_hold_up_an_insert(database, runner):
    fresh(database, 1)
    runner("transaction")
    runner("claim", worker=WORKER, type="t", max=10)
    with database.connect(init_command="SET innodb_lock_wait_timeout = 1") as connection:
        connection.cursor().execute("INSERT INTO tasks (type, data, created_by) VALUES ('t', '{}', 1)")
    runner("commit")


def test_two_claimers_share_everything_exactly_once(database, runner):
    tasks = fresh(database, 300)
    other = database.driver("runner")
    drivers, seen = [(runner, WORKER), (other, "other")], []
    while True:
        for driver, _ in drivers:
            driver("transaction")
        for driver, worker in drivers:
            driver.say("claim", worker=worker, type="t", max=7)
        got = [ids(driver.answer()) for driver, _ in drivers]
        for driver, _ in drivers:
            driver("commit")
        seen += got[0] + got[1]
        if not got[0] and not got[1]:
            break
    assert sorted(seen) == tasks


# --- what is not due ---------------------------------------------------------------------------------

def test_a_fresh_row_with_a_future_run_at_is_put_off(database, api, runner):
    """By plain SQL: fresh in the table, scheduled to everybody who asks."""
    early = database.insert(run_at="2099-01-01 00:00:00")
    due = database.insert(run_at="2001-01-01 00:00:00")
    assert [task["status"] for task in api("get", ids=[early, due])] == ["scheduled", "fresh"]
    assert ids(claim(runner, max=10)) == [due]
    row = database.row(early)
    assert (row["status"], row["fence"]) == ("scheduled", 0)
    assert row["turn"] == 4070908800000000
    assert claim(runner, max=10)["tasks"] == []


def test_due_tasks_become_fresh(database, runner):
    late = database.insert(status="scheduled", run_at="2001-01-01 00:00:00", turn=978307200000000)
    no_time = database.insert(status="scheduled", turn=5)
    # by plain SQL: its turn says now, its run_at says later
    early = database.insert(status="scheduled", run_at="2099-01-01 00:00:00")
    assert runner("promote") == 2
    assert [database.row(task)["status"] for task in (late, no_time, early)] == ["fresh", "fresh", "scheduled"]
    assert database.row(early)["turn"] == 4070908800000000
    assert runner("promote") == 0
    assert sorted(ids(claim(runner, max=9))) == [late, no_time]


def test_promotion_is_in_portions_and_takes_all_lanes(database, runner):
    for n in range(40):
        database.insert(status="scheduled", turn=n, type=f"t{n % 5}", priority=n % 3)
    done = [runner("promote", max=15) for _ in range(4)]
    assert done == [15, 15, 10, 0]
    assert database.value("SELECT COUNT(*) FROM tasks WHERE status = 'fresh'") == 40


def test_two_who_promote(database, runner):
    for n in range(20):
        database.insert(status="scheduled", turn=n)
    other = database.driver("runner")
    other("transaction")
    assert other("promote", max=12) == 12
    assert runner("promote", max=20) == 8
    other("commit")
    assert runner("promote", max=20) == 0


@pytest.mark.parametrize("full", [511, 512, 513, 700])
def test_any_number_of_users_at_their_limit(database, runner, full):
    """Behind more of their tasks than one claim reads."""
    database.sql("INSERT INTO tasks (type, data, created_by, status, worker) SELECT 't', '{}', seq, 'started', 'x'"
                 f" FROM seq_1_to_{full}")
    database.sql(f"INSERT INTO tasks (type, data, created_by) SELECT 't', '{{}}', seq FROM seq_1_to_{full}")
    free = database.insert(created_by=full + 1)
    assert ids(claim(runner, max=3, running_per_user=1)) == [free]
    assert ids(claim(runner, max=3, running_per_user=1)) == []


# --- looking -----------------------------------------------------------------------------------------

def test_a_look_sees_the_head_of_each_lane(database, runner):
    fresh(database, 3, type="a")
    fresh(database, 2, type="b", priority=9)
    fresh(database, 1, type="b", priority=0)
    database.sql("UPDATE tasks SET turn = id * 10")
    database.insert(type="a", status="scheduled", turn=database.value(
        "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))") + 60000000)
    database.insert(type="z", status="success", turn=1)
    seen = runner("look", types=["a", "b", "z"])
    first = database.value("SELECT MIN(id) FROM tasks") * 10
    assert seen["lanes"] == [{"type": "a", "priority": 5, "turn": first},
                             {"type": "b", "priority": 0, "turn": first + 50},
                             {"type": "b", "priority": 9, "turn": first + 30}]
    assert 50e6 < seen["due_usec"] <= 60e6
    database.insert(type="b", status="scheduled", turn=77)
    assert runner("look", types=["a", "b", "z"])["due_usec"] == 0


def test_an_empty_look(database, runner):
    fresh(database, 3, type="other")
    seen = runner("look", types=["a"])
    assert (seen["lanes"], seen["due_usec"]) == ([], None)


def test_a_look_is_not_crowded_out_by_types_of_nobody(database, runner):
    """Names that a site's mistake has put there come first in the index."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO tasks (type, data, created_by) VALUES (%s, '{}', 1)",
                           [(f"a{n:04}",) for n in range(2500)])
    task = database.insert(type="zz")
    assert [lane["type"] for lane in runner("look", types=["zz"])["lanes"]] == ["zz"]
    assert ids(claim(runner, type="zz")) == [task]


def test_looks_follow_the_lanes(database, runner):
    """From what the last one saw to whatever is there now; beyond 256 lanes by a scan."""
    chance = random.Random(6)
    every = [(status, f"t{n:02}", priority) for status in ("fresh", "scheduled") for n in range(20) for priority in range(8)]
    types = [f"t{n:02}" for n in range(20)]
    for count in (3, 3, 0, 1, 30, 29, 256, 257, 310, 257, 256, 255, 20, 2, 0):
        lanes = chance.sample(every, count)
        database.sql("DELETE FROM tasks")
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO tasks (status, type, priority, turn, data, created_by)"
                               " VALUES (%s, %s, %s, %s, '{}', 1)",
                               [(*lane, turn) for lane in lanes for turn in (chance.randrange(9), 10)])
        seen = runner("look", types=types)
        assert sorted(tuple(lane.values()) for lane in seen["lanes"]) == list(database.sql(
            "SELECT type, priority, MIN(turn) FROM tasks WHERE status = 'fresh' GROUP BY type, priority"
            " ORDER BY type, priority")), count
        assert (seen["due_usec"] == 0) == any(lane[0] == "scheduled" for lane in lanes)


def test_a_status_that_is_none_is_no_lane(database, runner):
    for status in ("", "fresi", "schedul", "scheduled2"):
        database.insert(status=status, type="a")
    database.insert(type="b")
    assert [lane["type"] for lane in runner("look", types=["a", "b"])["lanes"]] == ["b"]


def test_blanks_at_the_end_do_not_count(database, runner):
    """As in every comparison of the server."""
    database.insert(status="fresh ", type="a ")
    database.insert(type="a")
    database.insert(type="b")
    database.insert(status="scheduled  ", type="c", turn=1)
    for _ in range(2):
        seen = runner("look", types=["a", "b", "c"])
        assert ([lane["type"] for lane in seen["lanes"]], seen["due_usec"]) == (["a", "b"], 0)


def test_a_type_with_a_nul_hides_nobody(database, runner):
    database.insert(type="a\0x", priority=9)
    database.insert(type="a")
    for _ in range(2):
        assert [(lane["type"], lane["priority"]) for lane in runner("look", types=["a"])["lanes"]] == [("a", 5)]


# --- plans and their cost --------------------------------------------------------------------------------

@pytest.fixture
def crowded(database):
    """History, other types' backlog, tasks for later, and ten tasks to run."""
    many = "INSERT INTO tasks (type, data, created_by, status, priority, turn) SELECT {}, '{{}}', seq MOD 50, {}, {}, {}" \
           " FROM seq_1_to_4000"
    for kind, status, priority, turn in (("'t'", "'success'", "5", "seq"), ("'t'", "'failure'", "5", "seq"),
                                         ("'other'", "'fresh'", "5", "seq"), ("'t'", "'scheduled'", "5", "seq + 4e15"),
                                         ("'t'", "'fresh'", "4", "seq")):
        database.sql(many.format(kind, status, priority, turn))
    tasks = fresh(database, 10)
    database.sql("ANALYZE TABLE tasks")
    return tasks


def explain(database, sql, values):
    return database.sql("EXPLAIN " + sql.replace("?", "%s"), values)


def claim_values(task_type, floor):
    return (task_type, 5, floor[0], *floor, task_type, 5)


def plan_of(database, sql, values):
    plan, = [row for row in explain(database, sql, values) if row[2] == "tasks"]
    fields = ("id", "select_type", "table", "type", "possible_keys", "key", "key_len", "ref", "rows", "extra")
    return dict(zip(fields, plan))


@pytest.mark.parametrize("floor", [(0, 0), (5, 7)])
def test_plan_of_a_claim(database, crowded, floor):
    assert crowded
    plan = plan_of(database, statement("CLAIM_LANE"), claim_values("t", floor))
    assert plan["key"] == "claim" and plan["type"] in ("ref", "range"), plan
    assert "filesort" not in plan["extra"] and "temporary" not in plan["extra"], plan


def places(*lanes):
    """The values of LOOK_NEXT behind these (status, type, priority)."""
    return [value for status, kind, priority in lanes for value in (status, kind, priority, status, kind, status)]


def test_plan_of_a_look(database, crowded):
    assert crowded
    next_two = explain(database, statement("LOOK_NEXT", 2), places(("fresh", "", -1), ("fresh", "t", 4)))
    plans = [row for row in [*explain(database, statement("LOOK_FIRST"), ()), *next_two] if row[2]]
    assert len(plans) >= 3
    for plan in plans:
        if plan[2] == "tasks":
            assert plan[3] == "range" and plan[5] == "claim", plan
        assert "filesort" not in (plan[9] or "") and "temporary" not in (plan[9] or ""), plan


def test_plan_of_a_look_at_many_lanes(database, crowded):
    assert crowded
    plan = plan_of(database, statement("LOOK"), ())
    assert plan["key"] == "claim" and plan["type"] == "range", plan
    assert "Using index for group-by" in plan["extra"], plan
    assert "filesort" not in plan["extra"] and "temporary" not in plan["extra"], plan


@pytest.mark.parametrize("name, values", [
    ("DUE", ("t", 5, 2**62, 5)), ("HELD", (WORKER, 5)), ("WATCH", (5,)),
])
def test_plans_of_the_other_scans(database, crowded, name, values):
    assert crowded
    for row in explain(database, statement(name), values):
        assert row[5] in ("claim", "PRIMARY") or row[2] == "runners", row  # of these there are few
        assert "filesort" not in row[9] and "temporary" not in row[9], row


def rows_read(database, sql, values):
    """How many index entries and rows the server touched for a statement, which is rolled back."""
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET tx_isolation = 'READ-COMMITTED'")
        cursor.execute("FLUSH STATUS")
        cursor.execute(sql.replace("?", "%s"), values)
        cursor.fetchall()
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%%'")
        counted = {name: int(value) for name, value in cursor.fetchall()}
        connection.rollback()
    return sum(counted.values()), counted


def test_the_cost_of_a_claim_is_that_of_its_tasks(database, crowded):
    assert len(crowded) == 10
    turn, task = database.sql("SELECT turn, id FROM tasks WHERE type = 't' AND priority = 5 AND status = 'fresh'"
                              " ORDER BY turn, id LIMIT 4, 1")[0]
    for floor in ((0, 0), (turn, task)):
        total, counted = rows_read(database, statement("CLAIM_LANE"), claim_values("t", floor))
        assert total <= 15, (floor, counted)


def test_the_cost_of_a_look_is_that_of_the_lanes(database, crowded):
    assert crowded
    lanes = list(database.sql("SELECT DISTINCT status, type, priority FROM tasks"
                              " WHERE status IN ('fresh', 'scheduled')"))
    for name, values in ("LOOK", ()), ("LOOK_NEXT", places(("fresh", "", -1), *lanes)):
        total, counted = rows_read(database, statement(name, len(lanes) + 1), values)
        assert total <= 8 * len(lanes) + 10, (name, lanes, counted)


def test_a_look_needs_no_statistics(database, runner):
    """The server has those of the empty table that it opened, as after an installation."""
    def count(what):
        return sum(int(value) for _, value in database.sql("SHOW GLOBAL STATUS LIKE %s", (what,)))
    database.sql("DELETE FROM tasks")
    database.sql("ANALYZE TABLE tasks")
    runner("look", types=["t"])
    for status in ("fresh", "scheduled"):
        database.sql("INSERT INTO tasks (type, data, created_by, status) SELECT 't', '{}', 1, %s FROM seq_1_to_3000",
                     (status,))
    for lanes, statements in ("new", 3), ("known", 1):
        reads, executed = count("Handler_read%"), count("Com_stmt_execute")
        assert len(runner("look", types=["t"])["lanes"]) == 1
        assert count("Com_stmt_execute") - executed == statements, lanes
        assert count("Handler_read%") - reads < 100, lanes


def test_a_claim_behind_a_floor_passes_over_what_is_consumed(database, crowded):
    """A view that is held open keeps the entries of consumed tasks; behind the floor none of them is read."""
    assert crowded
    database.sql("INSERT INTO tasks (type, data, created_by, turn) SELECT 'busy', '{}', 1, seq FROM seq_1_to_3000")
    with database.connect(autocommit=False) as view, view.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute("SELECT COUNT(*) FROM tasks")
        database.sql("UPDATE tasks SET status = 'success' WHERE type = 'busy' AND turn <= 2900")
        turn, task = database.sql("SELECT turn, id FROM tasks WHERE type = 'busy' AND turn = 2900")[0]

        def seconds(floor):
            begin = time.perf_counter()
            rows_read(database, statement("CLAIM_LANE"), claim_values("busy", floor))
            return time.perf_counter() - begin
        with_floor = min(seconds((turn, task)) for _ in range(5))
        without = min(seconds((0, 0)) for _ in range(5))
    assert with_floor < without, (with_floor, without)


def test_data_of_any_size_is_claimed(database, runner):
    big = json.dumps("x" * 3000000)
    database.insert(data=big)
    database.insert(data="")
    assert [task["data"] for task in claim(runner, max=5)["tasks"]] == [big, ""]
