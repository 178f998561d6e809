# SPDX-License-Identifier: MIT
"""New tasks: by plain SQL and by the API's verb."""

import datetime
import json

import pytest

from stack import wait_until
from store.conftest import StoreError

NOW = "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', UTC_TIMESTAMP(6))"
FAR = 4102444800000000  # 2100


def defaults(created, before, after):
    """What a row that names type, data and created_by looks like."""
    epoch = datetime.datetime(1970, 1, 1)
    turn = (created["created_at"] - epoch) // datetime.timedelta(microseconds=1)
    assert before <= turn <= after
    assert abs(created["turn"] - turn) < 1000000
    assert {key: value for key, value in created.items() if value is not None and key not in
            ("id", "created_at", "turn")} == {
        "type": "t", "data": "{}", "status": "fresh", "priority": 5, "created_by": 1, "attempt": 0, "fence": 0,
        "cancel_requested": 0}


@pytest.mark.parametrize("zone", ["+00:00", "+13:00", "-11:30"])
def test_an_insert_from_any_time_zone_is_complete(database, zone):
    with database.connect(init_command=f"SET time_zone = '{zone}'") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {NOW}")
        before, = cursor.fetchone()
        cursor.execute("INSERT INTO tasks (type, data, created_by) VALUES ('t', '{}', 1)")
        task = cursor.lastrowid
        cursor.execute(f"SELECT {NOW}")
        after, = cursor.fetchone()
    defaults(database.row(task), before, after)


def test_the_other_tables_write_utc_too(database):
    with database.connect(init_command="SET time_zone = '+13:00'") as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO csv_export (filename, owner_id, task_id, path) VALUES ('x', 1, 1, 'x')")
        cursor.execute("INSERT INTO file_trash (path) VALUES ('x')")
        cursor.execute("INSERT INTO attempts (task_id, fence, attempt, outcome) VALUES (1, 1, 1, 'success')")
        cursor.execute("SELECT ABS(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), created_at)) < 5 FROM csv_export"
                       " UNION ALL SELECT ABS(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), created_at)) < 5 FROM file_trash"
                       " UNION ALL SELECT ABS(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), finished_at)) < 5 FROM attempts")
        assert cursor.fetchall() == ((1,), (1,), (1,))


def test_broken_json_is_accepted(database, api):
    task = database.insert(data='{"seconds": ')
    assert api("get", ids=[task])[0]["data"] == '{"seconds": '


def test_a_submitted_task_reads_back(api):
    made, = api("submit", tasks=[{"type": "t", "data": '{"a": "ä\\u20ac"}', "priority": 9, "created_by": -7,
                                  "max_attempts": 4}])
    assert made["status"] == "fresh" and made["created_by"] == -7 and made["priority"] == 9
    assert (made["attempt"], made["max_attempts"], made["fence"], made["worker"]) == (0, 4, 0, None)
    assert made["data"] == '{"a": "ä\\u20ac"}'
    assert api("get", ids=[made["id"]]) == [made]


@pytest.mark.parametrize("run_at, status", [(None, "fresh"), (1, "fresh"), (-62135596800000000, "fresh"),
                                            (FAR, "scheduled"), (253402300799999999, "scheduled")])
def test_run_at(api, run_at, status):
    task = {"type": "t"} if run_at is None else {"type": "t", "run_at": run_at}
    made, = api("submit", tasks=[task])
    assert (made["status"], made["run_at"]) == (status, run_at)
    assert made["turn"] == run_at if status == "scheduled" else made["turn"] > 1


@pytest.mark.parametrize("count", [1, 2, 3, 511, 512, 513, 1000])
def test_many_at_once_keep_their_order(database, api, count):
    made = api("submit", tasks=[{"type": "t", "data": json.dumps({"n": n}), "created_by": n % 3 + 1}
                                for n in range(count)])
    assert [json.loads(task["data"])["n"] for task in made] == list(range(count))
    assert [task["created_by"] for task in made] == [n % 3 + 1 for n in range(count)]
    ids = [task["id"] for task in made]
    assert ids == sorted(set(ids))
    assert database.value("SELECT COUNT(*) FROM tasks") == count


@pytest.mark.parametrize("bad", [{"type": "x" * 65}, {"type": "t", "priority": 256}, {"type": "t", "priority": -1}])
@pytest.mark.parametrize("place", [0, 300, 599])
def test_all_or_none(database, api, bad, place):
    tasks = [{"type": "t"} for _ in range(600)]
    tasks[place] = bad
    error = api.refused("ERR_DB_REFUSED", "submit", tasks=tasks)
    assert error.number in (1264, 1406)
    assert database.value("SELECT COUNT(*) FROM tasks") == 0
    api("submit", tasks=[{"type": "t"}])


STEP = 3600 * 1000000


def test_turns(database, api):
    """Beside whoever is first, behind one's own, and before a crowd of one user; for more lanes than one statement asks."""
    database.sql("INSERT INTO tasks (type, data, created_by, turn) SELECT 'crowd', '{}', 1, 1000 FROM seq_1_to_20")
    database.sql("INSERT INTO tasks (type, data, created_by, turn) VALUES ('some', '{}', 2, 5000), ('some', '{}', 3, 4000),"
                 " ('some', '{}', 2, 4500), ('other', '{}', 2, 9000)")
    database.sql("INSERT INTO tasks (type, data, created_by, turn, priority) VALUES ('some', '{}', 3, 1, 9)")
    database.sql("INSERT INTO tasks (type, data, created_by, turn, status) VALUES ('none', '{}', 2, 1, 'success')")
    users, types = range(1, 41), ["crowd", "some", "none"]
    made = api("submit", tasks=[{"type": t, "created_by": u} for u in users for t in types] +
               [{"type": "none", "created_by": 40}])
    turns = {(task["type"], task["created_by"]): task["turn"] for task in made[:-1]}
    now = turns["none", 1]
    assert now == made[0]["created_at"] > STEP
    assert turns == {**{("crowd", u): 999 for u in users}, **{("some", u): 4000 for u in users},
                     **{("none", u): now for u in users}, ("crowd", 1): 1000 + STEP, ("some", 2): 5000 + STEP,
                     ("some", 3): 4000 + STEP}
    assert made[-1]["turn"] == now + STEP


def bounds(database):
    return dict(database.sql("SELECT user_id, bound FROM user_quota"))


def test_reservations(database, api):
    """Of any number of users at once, with rows or without; what is ahead only where there is room."""
    assert api("reserve", all=[]) == []
    assert api("reserve", all=[[5, 10, 2, 0], [7, 10, 1, 3], [0, 100, 3, 7]]) == [0, 3, 7]
    assert bounds(database) == {5: 2, 7: 4, 0: 10}
    assert api("reserve", all=[[5, 10, 1, 1], [6, 10, 1, 1], [0, 100, 3, 0]]) == [1, 1, 0]
    assert bounds(database) == {5: 4, 6: 2, 7: 4, 0: 13}
    assert api("reserve", all=[[u, 10, 1, 1] for u in range(1, 601)]) == [1] * 600
    assert bounds(database) == {**{u: 2 for u in range(1, 601)}, 5: 6, 6: 4, 7: 6, 0: 13}
    assert api("reserve", all=[[u, 10, 1, 1] for u in range(1, 601)]) == [1] * 600
    assert bounds(database) == {**{u: 4 for u in range(1, 601)}, 5: 8, 6: 6, 7: 8, 0: 13}


def test_reservations_at_the_limit(database, api):
    """What waits is counted there; all or none is reserved."""
    database.sql("INSERT INTO tasks (type, data, created_by) SELECT 't', '{}', 5 FROM seq_1_to_7")
    assert api("reserve", all=[[5, 10, 10, 0]]) == [0]
    assert api("reserve", all=[[5, 10, 1, 5]]) == [0]  # 7 wait: the others never came
    assert bounds(database) == {5: 8}
    error = api.refused("ERR_LIMIT", "reserve", all=[[4, 10, 1, 0], [5, 10, 4, 0], [6, 10, 1, 0]])
    assert str(error) == "user 5: 7 tasks wait already, 10 may"
    assert bounds(database) == {5: 8}


def test_who_reserves_for_the_same_users(database, api):
    """Rows are taken in one order: nobody waits for somebody who waits for him."""
    def deadlocks():
        return int(database.sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")[0][1])
    others = [database.driver("api") for _ in range(3)]
    tasks = [[u, 1000000, 1, 0] for u in (*range(1, 21), 0)]
    assert api("reserve", all=tasks) == [0] * 21
    before = deadlocks()
    for driver in (api, *others):
        for n in range(100):
            driver.say("reserve", all=[tasks[u] for u in range(20) if (u + n) % 3] + [tasks[20]])
    for driver in (api, *others):
        for _ in range(100):
            assert set(driver.answer()) == {0}
    assert deadlocks() == before
    assert bounds(database)[0] == 401


def test_who_waits_for_a_user_keeps_nobody_waiting(database, api):
    assert api("reserve", all=[[u, 10, 1, 0] for u in (7, 8)] + [[0, 100, 2, 0]]) == [0] * 3
    holder = database.connect()
    holder.begin()
    with holder.cursor() as cursor:
        cursor.execute("SELECT * FROM user_quota WHERE user_id = 7 FOR UPDATE")
    result = api.later("reserve", all=[[7, 10, 1, 0], [0, 100, 1, 0]])
    wait_until(database.lock_waits, 10)
    other = database.driver("api").later("reserve", all=[[8, 10, 1, 0], [0, 100, 1, 0]])
    wait_until(lambda: not other.is_waiting() or database.lock_waits() > 1, 10)
    assert not other.is_waiting() and other() == [0, 0]
    assert result.is_waiting()
    holder.close()
    assert result() == [0, 0]
    assert bounds(database) == {0: 4, 7: 2, 8: 2}


def test_a_row_that_is_held(database, api):
    """It is waited for."""
    assert api("reserve", all=[[u, 10, 1, 0] for u in (4, 5, 6)]) == [0] * 3
    holder = database.connect()
    holder.begin()
    with holder.cursor() as cursor:
        cursor.execute("UPDATE user_quota SET bound = 3 WHERE user_id = 5")
    assert api("recount", user=5, limit=10, spare=1) is True
    result = api.later("reserve", all=[[u, 10, 1, 1] for u in (4, 5, 6)])
    wait_until(database.lock_waits, 10)
    holder.commit()
    holder.close()
    assert result() == [1] * 3
    assert bounds(database) == {4: 3, 5: 5, 6: 3}


def test_recount(database, api):
    database.sql("INSERT INTO tasks (type, data, created_by) SELECT 't', '{}', 5 + seq MOD 2 FROM seq_1_to_14")
    assert api("recount", user=5, limit=10, spare=2) is True  # has no row
    assert bounds(database) == {}
    assert api("reserve", all=[[5, 100, 1, 2], [0, 100, 1, 0]]) == [2, 0]
    assert api("recount", user=5, limit=10, spare=2) is True
    assert api("recount", user=0, limit=100, spare=0) is True
    assert bounds(database) == {0: 14, 5: 9}
    assert api("recount", user=5, limit=10, spare=4) is False
    assert api("recount", user=0, limit=10, spare=0) is True  # no more than the limit is counted
    assert bounds(database) == {0: 10, 5: 7}


def test_ids_where_the_server_steps_by_more_than_one(database, api):
    """As the nodes of a cluster do."""
    database.sql("SET GLOBAL auto_increment_increment = 7")
    try:
        stepping = database.driver("api")
        made = stepping("submit", tasks=[{"type": "t", "data": str(n)} for n in range(40)])
        assert [task["data"] for task in made] == [str(n) for n in range(40)]
        assert all(b["id"] - a["id"] == 7 for a, b in zip(made, made[1:]) if b["id"] - a["id"] < 100)
    finally:
        database.sql("SET GLOBAL auto_increment_increment = 1")
    # a session that has learned another step before
    assert len(api("submit", tasks=[{"type": "t"}] * 5)) == 5


def test_two_who_submit_at_once(database, api):
    """Interleaved INSERTs of many rows: each gets its own."""
    other = database.driver("api")
    for _ in range(10):
        tasks = [[{"type": "t", "data": f'"{who}{n}"', "created_by": 1} for n in range(200)] for who in "ab"]
        api.say("submit", tasks=tasks[0])
        other.say("submit", tasks=tasks[1])
        for driver, sent in ((api, tasks[0]), (other, tasks[1])):
            assert [task["data"] for task in driver.answer()] == [task["data"] for task in sent]


def test_a_submission_that_is_not_committed_is_nowhere(database, api):
    api("transaction")
    api("submit", tasks=[{"type": "t"}])
    api.say("fail")
    with pytest.raises(StoreError) as caught:
        api.answer()
    assert caught.value.code == "ERR_CANCELLED"
    assert database.value("SELECT COUNT(*) FROM tasks") == 0


def test_unknown_ids_read_as_nothing(api):
    made, = api("submit", tasks=[{"type": "t"}])
    got = api("get", ids=[made["id"], 18446744073709551615, 0, made["id"]])
    assert [task["id"] for task in got] == [made["id"], 0, 0, made["id"]]
