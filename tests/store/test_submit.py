# SPDX-License-Identifier: MIT
"""New tasks: by plain SQL and by the API's verb."""

import datetime
import json

import pytest

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
