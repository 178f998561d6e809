# SPDX-License-Identifier: MIT
"""Lists: each filter against the same question asked in Python, and pages that neither skip nor repeat."""

import datetime
import fnmatch
import random

import pytest

from store.statements import states

EPOCH = datetime.datetime(1970, 1, 1)
MOMENTS = [None, "2026-01-01 00:00:00", "2026-01-01 00:00:00.000001", "2026-06-01 12:00:00"]


def instant(text):
    return int((datetime.datetime.fromisoformat(text) - EPOCH).total_seconds() * 1000000 + 0.5)


@pytest.fixture(scope="module")
def mixed(module_database):
    """Every kind of task; rows as dicts, newest first."""
    database, dice = module_database, random.Random(1)
    database.sql("DELETE FROM tasks")
    for _ in range(400):
        database.insert(
            type=dice.choice(["csv_export", "csv_import", "dummy", "x_y", "x%y", "xzy", "back=slash", "a*b"]),
            status=dice.choice(list(states())), created_by=dice.choice([1, 2, 3]),
            worker=dice.choice([None, "red:1", "red:2", "blue:1", "_:1"]),
            cancel_requested=dice.choice([0, 1]), run_at=dice.choice([None, "2001-01-01", "2099-01-01"]),
            created_at=dice.choice(MOMENTS[1:]), started_at=dice.choice(MOMENTS), finished_at=dice.choice(MOMENTS))
    rows = [database.row(task) for task, in database.sql("SELECT id FROM tasks ORDER BY id DESC")]
    for row in rows:
        if row["status"] == "fresh" and row["run_at"] and row["run_at"].year == 2099:
            row["status"] = "scheduled"
    return rows


@pytest.fixture
def lister(module_database, mixed):
    assert mixed
    driver = module_database.driver("api")
    yield driver
    module_database.end_drivers()


def like(pattern, text):
    """Only the asterisk is special."""
    if "*" not in pattern:
        return text == pattern
    quoted = pattern.replace("[", "[[]").replace("?", "[?]")
    return text is not None and fnmatch.fnmatchcase(text, quoted)


def matches(row, owner=0, **wanted):
    def at(name, sign):
        bound = wanted.get(f"{name}_{sign}")
        value = row[f"{name}_at"]
        if bound is None:
            return True
        if value is None:
            return False
        usec = int((value - EPOCH) / datetime.timedelta(microseconds=1))
        return usec < bound if sign == "before" else usec >= bound
    return ((not owner or row["created_by"] == owner) and
            ("status" not in wanted or row["status"] in wanted["status"]) and
            ("type" not in wanted or any(like(pattern, row["type"]) for pattern in wanted["type"])) and
            ("worker" not in wanted or any(like(pattern, row["worker"]) for pattern in wanted["worker"])) and
            ("created_by" not in wanted or row["created_by"] in wanted["created_by"]) and
            ("cancel_requested" not in wanted or row["cancel_requested"] == wanted["cancel_requested"]) and
            all(at(name, sign) for name in ("created", "started", "finished") for sign in ("before", "after")))


FILTERS = [
    {}, {"owner": 2}, {"created_by": [1, 3]}, {"owner": 1, "created_by": [2]}, {"cancel_requested": 1},
    {"cancel_requested": 0}, {"type": ["dummy"]}, {"type": ["csv_*"]}, {"type": ["*"]}, {"type": ["x_*", "dummy"]},
    {"type": ["x%*"]}, {"type": ["x%y"]}, {"type": ["*=*"]}, {"type": ["a**b"]}, {"type": ["nothing"]},
    {"worker": ["red:*"]}, {"worker": ["*:1"]}, {"worker": ["_*"]}, {"worker": ["*"]}, {"worker": ["red:1", "blue:1"]},
    *({"status": [status]} for status in states()), {"status": ["fresh", "scheduled"]}, {"status": ["fresh", "success"]},
    {"status": []},
    *({f"{name}_{sign}": instant(moment)} for name in ("created", "started", "finished")
      for sign in ("before", "after") for moment in MOMENTS[1:]),
    {"owner": 1, "status": ["success", "failure"], "type": ["csv_*"], "finished_after": instant(MOMENTS[1])},
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_filter(lister, mixed, wanted):
    expected = [row["id"] for row in mixed if matches(row, **wanted)]
    for limit in (500, 7):
        got, before = [], 0
        while True:
            page = lister("list", limit=limit, before=before, **wanted)
            assert len(page["tasks"]) <= limit
            got += [task["id"] for task in page["tasks"]]
            before = page["next"]
            if not before:
                break
        assert got == expected


@pytest.mark.parametrize("owner", [0, 1])
def test_pages_under_inserts_and_deletes(database, api, owner):
    """What existed throughout is there exactly once, in order, whatever comes and goes meanwhile."""
    dice = random.Random(owner)
    stay = [database.insert() for _ in range(60)]
    go = [database.insert() for _ in range(30)]
    stay += [database.insert() for _ in range(60)]
    seen, before = [], 0
    while True:
        page = api("list", limit=7, before=before, owner=owner)
        seen += [task["id"] for task in page["tasks"]]
        before = page["next"]
        if not before:
            break
        database.insert()
        if go:
            database.sql("DELETE FROM tasks WHERE id = %s", (go.pop(dice.randrange(len(go))),))
        # the row that the cursor stands on goes as well, where it is not one of those that stay
        if before not in stay:
            database.sql("DELETE FROM tasks WHERE id = %s", (before,))
    assert seen == sorted(set(seen), reverse=True)
    assert [task for task in seen if task in set(stay)] == sorted(stay, reverse=True)


def test_a_filter_that_matches_little_looks_at_a_bounded_number_of_rows(database, api):
    database.sql("INSERT INTO tasks (type, data, created_by) SELECT 't', '{}', 1 FROM seq_1_to_12000")
    first = database.value("SELECT MIN(id) FROM tasks")
    database.sql("UPDATE tasks SET type = 'rare' WHERE id = %s", (first,))
    pages, before, found = 0, 0, []
    while True:
        page = api("list", type=["rare"], before=before)
        pages += 1
        found += [task["id"] for task in page["tasks"]]
        before = page["next"]
        if not before:
            break
    assert found == [first]
    assert pages == 3


def test_a_strange_status_takes_nobody_else_with_it(database, api):
    """Plain SQL can write one; the log names the task."""
    good = [database.insert() for _ in range(2)]
    bad = database.insert(status="finished")
    more = database.insert()
    assert [task["id"] for task in api("list")["tasks"]] == [more, *reversed(good)]
    page = api("list", limit=2)
    assert [task["id"] for task in page["tasks"]] == [more]
    assert [task["id"] for task in api("list", limit=2, before=page["next"])["tasks"]] == [*reversed(good)]
    assert [task["id"] for task in api("get", ids=[good[0], bad, more])] == [good[0], 0, more]
