# SPDX-License-Identifier: MIT
"""GET /v1/tasks and its filters, paging, and clearing what has finished."""

import urllib.parse

import pytest

from api.conftest import assert_problem


@pytest.fixture
def set_of(stack, make):
    """A set of ada's tasks of a type of their own, by name."""
    kind = f"set{stack.sql('SELECT COALESCE(MAX(id), 0) FROM tasks')[0][0]}"
    day = "2026-03-{:02} 12:00:00".format
    return kind, {
        "fresh": make("fresh", type=kind, created_at=day(1)),
        "later": make("scheduled", type=kind, created_at=day(2), run_at="2099-01-01 00:00:00"),
        "inserted": make("fresh", type=kind, created_at=day(3), run_at="2099-01-01 00:00:00"),
        "started": make("started", type=kind, created_at=day(4), started_at=day(14), worker="blue:u-1",
                        cancel_requested=1),
        "success": make("success", type=kind, created_at=day(5), started_at=day(15), finished_at=day(25),
                        worker="blue:u-2"),
        "failure": make("failure", type=kind + "_x", created_at=day(6), started_at=day(16), finished_at=day(26),
                        worker="red:u-3"),
        "dropped": make("dropped", type=kind, created_at=day(7), started_at=day(17), finished_at=day(27), worker="u-4"),
        "foreign": make("success", "grace", type=kind, created_at=day(8)),
    }


def ids(stack, query, user="ada"):
    answer = stack.request("GET", "/v1/tasks?" + query, user)
    assert answer.status_code == 200, answer.text
    return [task["id"] for task in answer.json()["tasks"]]


MINE = ["fresh", "later", "inserted", "started", "success", "dropped"]


@pytest.mark.parametrize("query, names", [
    ("type=KIND", MINE),
    ("type=KIND*", MINE + ["failure"]),
    ("type=KIND,KIND_x", MINE + ["failure"]),
    ("type=*ND_x".replace("ND", "IND"), []),
    ("type=KIND&status=fresh", ["fresh"]),
    ("type=KIND&status=scheduled", ["later", "inserted"]),
    ("type=KIND*&status=success,failure", ["success", "failure"]),
    ("type=KIND&worker=blue:u-1", ["started"]),
    ("type=KIND*&worker=blue:*", ["started", "success"]),
    ("type=KIND*&worker=*u-*", ["started", "success", "failure", "dropped"]),
    ("type=KIND*&worker=u-4,red:*", ["failure", "dropped"]),
    ("type=KIND&worker=%25", []),
    ("type=KIND,%C3%A9,%F0%9F%98%80*", MINE),
    ("type=KIND&worker=%C3%A9,%F0%9F%98%80*", []),
    ("type=KIND&worker=_-4", []),
    ("type=KIND&cancel_requested=true", ["started"]),
    ("type=KIND&cancel_requested=false", [name for name in MINE if name != "started"]),
    ("type=KIND&created_before=2026-03-02T12:00:00Z", ["fresh"]),
    ("type=KIND&created_after=2026-03-05T12:00:00Z", ["success", "dropped"]),
    ("type=KIND&created_after=2026-03-05T13:00:00%2B01:00", ["success", "dropped"]),
    ("type=KIND&created_after=2026-03-05T13:00:00+01:00", ["success", "dropped"]),
    ("type=KIND*&created_after=2026-03-04T00:00:00Z&created_before=2026-03-06T00:00:00Z", ["started", "success"]),
    ("type=KIND*&started_before=2026-03-16T00:00:00Z", ["started", "success"]),
    ("type=KIND*&started_after=2026-03-16T00:00:00Z", ["failure", "dropped"]),
    ("type=KIND*&finished_before=2026-03-26T00:00:00Z", ["success"]),
    ("type=KIND*&finished_after=2026-03-26T00:00:00Z", ["failure", "dropped"]),
    ("type=KIND&created_by=1", MINE),
    ("type=KIND&created_by=2", []),
    ("type=KIND&created_by=1,2", MINE),
])
def test_filters(stack, set_of, query, names):
    kind, tasks = set_of
    assert ids(stack, query.replace("KIND", kind)) == sorted((tasks[name] for name in names), reverse=True)


def test_admin_sees_all(stack, set_of):
    kind, tasks = set_of
    assert ids(stack, f"type={kind}*", "admin") == sorted(tasks.values(), reverse=True)
    assert ids(stack, f"type={kind}&created_by=2", "admin") == [tasks["foreign"]]


@pytest.mark.parametrize("query", [
    "limit=0", "limit=501", "limit=-1", "limit=x", "limit=1.5", "limit=", "limit=%201", "limit=99999999999999999999",
    "status=done", "status=", "status=fresh,", "status=FRESH", "type=", "type=a,,b", "worker=", "created_by=x",
    "created_by=-1", "created_by=1,", "created_by=1x", "cancel_requested=1", "cancel_requested=TRUE",
    "cancel_requested=", "created_before=", "created_before=yesterday", "created_after=2026-02-30T00:00:00Z",
    "started_before=2026-01-01", "started_after=1", "finished_before=2026-01-01T00:00:00",
    "finished_after=2026-01-01T24:00:00Z", "type=" + ",".join("abcdefghijklmnopqrstuvwxyzABCDEFGHI")])
def test_bad_value(stack, query):
    assert_problem(stack.request("GET", "/v1/tasks?" + query), 400, "bad_parameter")


@pytest.mark.parametrize("method, query, known", [
    ("GET", "status=failed", "scheduled, fresh, started, success, failure, cancelled, dropped"),
    ("DELETE", "finished_before=2020-01-01T00:00:00Z&status=fresh", "success, failure, cancelled, dropped")])
def test_bad_status(stack, method, query, known):
    problem = assert_problem(stack.request(method, "/v1/tasks?" + query), 400, "bad_parameter")
    word = query.rsplit("=", 1)[1]
    assert problem["detail"] == f'status cannot be "{word}" here, but {known}.'


def test_pages(stack, make):
    kind = f"pages{make()}"
    made = [make(type=kind) for _ in range(23)]
    for _ in range(7):
        make(type=kind, user="grace")
    seen, url, pages = [], f"/v1/tasks?type={kind}&limit=5", 0
    while url:
        answer = stack.request("GET", url)
        body = answer.json()
        assert len(body["tasks"]) <= 5
        seen += [task["id"] for task in body["tasks"]]
        assert (body["next"] is None) == ("next" not in answer.links)
        if body["next"]:
            assert all(c.isalnum() or c in "-_" for c in body["next"])
            made_by_hand = f"/v1/tasks?type={kind}&limit=5&after={body['next']}"
            assert stack.request("GET", made_by_hand).content == \
                stack.request("GET", answer.links["next"]["url"]).content
        url = answer.links.get("next", {}).get("url")
        pages += 1
        if pages == 2:
            make(type=kind)  # what comes meanwhile does not move the pages
        assert pages < 50
    assert seen == sorted(made, reverse=True)


def test_page_of_large_tasks(stack, make):
    """It is cut by bytes, and the next ones bring the rest."""
    kind = f"large{make()}"
    made = [make(type=kind) for _ in range(60)]
    made += [make(type=kind, data='{"x": "%s"}' % ("y" * 100_000)) for _ in range(90)]
    seen, query, sizes = [], f"type={kind}&limit=500", []
    while query:
        answer = stack.request("GET", "/v1/tasks?" + query)
        sizes.append(len(answer.content))
        seen += [task["id"] for task in answer.json()["tasks"]]
        query = answer.json()["next"] and f"type={kind}&limit=500&after={answer.json()['next']}"
    assert seen == sorted(made, reverse=True)
    assert len(sizes) > 1 and max(sizes) < 6_000_000


def next_of(stack, query, user="ada"):
    return stack.request("GET", f"/v1/tasks?{query}", user).json()["next"]


def test_cursor_is_bound(stack, make):
    """To its filters, its user, its list; not to the limit or the order of the parameters."""
    kind = f"bound{make()}"
    for user in ("ada", "grace"):
        for _ in range(4):
            make(type=kind, user=user)
    cursor = next_of(stack, f"type={kind}&status=success&limit=2")
    assert cursor
    assert ids(stack, f"limit=1&status=success&after={cursor}&type={kind}")
    for query, user, path in [
            (f"type={kind}&limit=2", "ada", ""), (f"type={kind}x&status=success", "ada", ""),
            (f"type={kind}&status=success", "grace", ""), (f"type={kind}&status=success", "admin", ""),
            ("", "ada", "/exports")]:
        assert_problem(stack.request("GET", f"/v1/tasks{path}?{query}&after={cursor}", user), 400, "bad_cursor")


def test_cursor_is_checked(stack, make):
    kind = f"checked{make()}"
    for _ in range(3):
        make(type=kind)
    cursor = next_of(stack, f"type={kind}&limit=1")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    wrong = ["", cursor[:-1], cursor + "A", "A" * len(cursor), cursor.swapcase(), cursor + "=", "../" + cursor, "%00",
             urllib.parse.quote("ä" * 11)]
    for place, letter in enumerate(cursor):
        wrong.append(cursor[:place] + letters[letters.index(letter) ^ 1] + cursor[place + 1:])
        wrong.append(cursor[:place] + letters[letters.index(letter) ^ 32] + cursor[place + 1:])
    for text in wrong:
        answer = stack.request("GET", f"/v1/tasks?type={kind}&limit=1&after={text}")
        assert answer.status_code == 400, text
    assert ids(stack, f"type={kind}&limit=1&after={cursor}")


def test_clear(stack, make):
    kind = f"clear{make()}"
    old = {status: make(status, type=kind, finished_at="2020-01-01 00:00:00")
           for status in ("success", "failure", "cancelled", "dropped")}
    new = make("success", type=kind)
    stack.sql("UPDATE tasks SET finished_at = '2020-06-01' WHERE id = %s", [new])
    running = make("started", type=kind)
    foreign = make("success", "grace", type=kind, finished_at="2020-01-01 00:00:00")
    answer = stack.request("DELETE", "/v1/tasks?finished_before=2020-03-01T00:00:00Z&status=failure,dropped")
    assert (answer.status_code, answer.json()) == (200, {"deleted": 2})
    assert ids(stack, f"type={kind}") == sorted([old["success"], old["cancelled"], new, running], reverse=True)
    answer = stack.request("DELETE", "/v1/tasks?finished_before=2020-03-01T00:00:00Z", "admin")
    assert answer.json() == {"deleted": 0}
    answer = stack.request("DELETE", "/v1/tasks?finished_before=2020-03-01T00:00:00Z")
    assert answer.json() == {"deleted": 2}
    assert ids(stack, f"type={kind}", "admin") == sorted([new, running, foreign], reverse=True)


@pytest.mark.parametrize("query", ["", "?status=success", "?finished_before=", "?finished_before=now",
                                   "?finished_before=2020-01-01T00:00:00Z&status=fresh",
                                   "?finished_before=2020-01-01T00:00:00Z&status=started",
                                   "?finished_before=2020-01-01T00:00:00Z&status="])
def test_clear_without_bound(stack, query):
    assert_problem(stack.request("DELETE", "/v1/tasks" + query), 400, "bad_parameter")
