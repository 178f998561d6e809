# SPDX-License-Identifier: MIT
"""The database is away: 503 within two seconds, whatever is asked; then everything works again by itself."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from api.conftest import NEVER, assert_problem
from load import Load
from proc import stopped
from stack import wait_until

REQUESTS = [
    ("GET", "/v1/tasks", {}), ("GET", "/v1/tasks/1", {}), ("DELETE", "/v1/tasks/1", {}),
    ("POST", "/v1/tasks/1/retry", {}), ("POST", "/v1/tasks/1/cancel", {}), ("GET", "/v1/tasks/1/attempts", {}),
    ("GET", "/v1/tasks/1/download", {}), ("GET", "/v1/tasks/exports", {}), ("GET", "/v1/tasks/exports/1/download", {}),
    ("DELETE", "/v1/tasks/exports/1", {}), ("GET", "/v1/tasks/health", {}),
    ("GET", "/v1/tasks/stats", {}),
    ("DELETE", "/v1/tasks?finished_before=2000-01-01T00:00:00Z", {}),
    ("POST", "/v1/tasks", {"json": {"type": "dummy", "run_at": NEVER}})]


def assert_away(stack, slack=0.5):
    """All at once, several times over."""
    wait_until(lambda: stack.request("GET", "/v1/tasks/stats").status_code == 503)  # they are kept for a second
    def one(request):
        method, path, options = request
        begun = time.monotonic()
        answer = stack.request(method, path, **options)
        took = time.monotonic() - begun
        return method, path, answer, took
    with ThreadPoolExecutor(33) as executor:
        for method, path, answer, took in executor.map(one, REQUESTS * 3):
            problem = assert_problem(answer, 503)
            assert problem["code"] in ("unavailable", "busy")
            assert int(answer.headers["Retry-After"]) >= 1
            assert took < 2 + slack, (method, path, took)
    # what needs no database works
    assert stack.request("GET", "/v1/tasks/types").status_code == 200
    assert stack.request("GET", "/v1/tasks/nothing").status_code == 404


def assert_back(stack):
    wait_until(lambda: stack.request("GET", "/v1/tasks/health").status_code == 200, 15)
    assert stack.request("GET", "/v1/tasks").status_code == 200
    # each process finds out by itself
    wait_until(lambda: {stack.request("POST", "/v1/tasks", json={"type": "dummy", "run_at": NEVER}).status_code
                        for _ in range(10)} == {202}, 5)


def test_killed_and_started(stack):
    task = stack.create("dummy", {"seconds": 0}, run_at=NEVER)
    stack.kill_database()
    try:
        assert_away(stack)
    finally:
        stack.start_database()
    assert_back(stack)
    assert stack.task(task["id"]) == task


def test_frozen(stack):
    pid = stack.pid("mariadbd")
    assert_back(stack)
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: stopped(pid), 5)
        assert_away(stack)
        assert_away(stack)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert_back(stack)


def test_connections_killed(stack):
    """A lost connection costs nobody an answer, as long as the server is there."""
    assert_back(stack)
    for _ in range(3):
        for (number,) in stack.root_sql(
                "SELECT id FROM information_schema.processlist WHERE user = 'backdesk_api'"):
            stack.root_sql(f"KILL CONNECTION {number}")
        time.sleep(1.1)  # idle for longer than a connection is trusted untested
        for method, path, status in [("GET", "/v1/tasks/health", 200), ("GET", "/v1/tasks/1234567", 404),
                                     ("GET", "/v1/tasks", 200), ("GET", "/v1/tasks/exports", 200)]:
            assert stack.request(method, path).status_code == status
        assert stack.request("POST", "/v1/tasks", json={"type": "dummy", "run_at": NEVER}).status_code == 202


def test_a_right_that_is_missing(stack):
    """To clients it is no database; the log says what it is."""
    assert_back(stack)
    before = len(stack.log("tasks.fcgi"))
    stack.root_sql("REVOKE INSERT ON backdesk.tasks FROM backdesk_api@localhost")
    try:
        answer = stack.request("POST", "/v1/tasks", json={"type": "dummy", "run_at": NEVER})
        assert assert_problem(answer, 503)["code"] == "unavailable"
    finally:
        stack.root_sql("GRANT INSERT ON backdesk.tasks TO backdesk_api@localhost")
    said = stack.log("tasks.fcgi")[before:]
    assert "the database refuses: " in said and "INSERT command denied" in said and "is away" not in said
    assert_back(stack)


def test_row_that_is_held(stack):
    """Who waits for a row that somebody holds is told to come again; nobody else notices. (One only: as many as
    there are connections would leave none for others.)"""
    assert_back(stack)
    task = stack.create("dummy", {"seconds": 0}, run_at=NEVER)
    connection = stack.connect()
    connection.begin()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM tasks WHERE id = %s FOR UPDATE", (task["id"],))
    with ThreadPoolExecutor(1) as executor:
        held = [executor.submit(stack.request, "POST", f"/v1/tasks/{task['id']}/cancel")]
        while not all(one.done() for one in held):
            assert stack.request("GET", "/v1/tasks", "grace").status_code == 200
    connection.rollback()
    connection.close()
    for one in held:
        assert int(assert_problem(one.result(), 503) and one.result().headers["Retry-After"]) >= 1
    assert stack.request("POST", f"/v1/tasks/{task['id']}/cancel").status_code == 202


def test_frozen_under_many_creates(stack):
    """Each is a transaction of its own, and all are refused in time: the first one that waits tells the others."""
    pid = stack.pid("mariadbd")
    array = [{"type": "dummy", "run_at": NEVER}] * 600
    assert_back(stack)

    def one(_):
        begun = time.monotonic()
        return stack.request("POST", "/v1/tasks", json=array).status_code, time.monotonic() - begun
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: stopped(pid), 5)
        with ThreadPoolExecutor(16) as executor:
            for status, took in executor.map(one, range(32)):
                assert status == 503 and took < 4, (status, took)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert_back(stack)


@contextmanager
def held(stack, *statements):
    """Somebody does this and says no more."""
    connection = stack.connect()
    connection.begin()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    try:
        yield
    finally:
        connection.close()


def test_creates_that_wait_are_no_sign_of_death(stack, pool):
    """Somebody holds the row by which all creates are counted: everything else goes on."""
    one = pool({"queue.waiting_total": 1000000})
    stack.sql("INSERT IGNORE INTO user_quota (user_id) VALUES (0)")
    with held(stack, "SELECT bound FROM user_quota WHERE user_id = 0 FOR UPDATE"), ThreadPoolExecutor(1) as executor:
        for _ in range(3):
            create = executor.submit(one.request, method="POST", body=b'{"type": "dummy", "run_at": "%s"}' % NEVER.encode())
            while not create.done():
                assert one.request(path="/v1/tasks").status == 200
            assert create.result().status == 503
    assert one.request(method="POST", body=b'{"type": "dummy", "run_at": "%s"}' % NEVER.encode()).status == 202
    assert "is away" not in one.log()


@pytest.mark.parametrize("user, there, hold", [
    (7001, True, "SELECT bound FROM user_quota WHERE user_id = 7001 FOR UPDATE"),
    (7005, False, "INSERT INTO user_quota (user_id) VALUES (7005)")])
def test_the_row_of_one_user(stack, pool, user, there, hold):
    """Somebody holds the row by which the creates of one user are counted, or has made it and says no more: nobody else
    notices, though they share transactions with him."""
    one, waits, others = pool(), [], []
    stack.sql("DELETE FROM user_quota WHERE user_id = %s", [user])
    if there:
        stack.sql("INSERT INTO user_quota (user_id) VALUES (%s)", [user])

    def create(who):
        begun = time.monotonic()
        answer = one.request(method="POST", user=who, body=b'{"type": "dummy", "run_at": "%s"}' % NEVER.encode())
        return answer.status, time.monotonic() - begun

    def create_on(who):
        while len(waits) < 12:  # of his six creates those that share a transaction wait together
            status, took = create(who)
            if who != user:
                others.append((status, took))
            elif status != 503 or took > 0.5:
                waits.append((status, took))
    with held(stack, hold), ThreadPoolExecutor(12) as executor:
        list(executor.map(create_on, [user, 7002, user, 7003] * 3))
    assert {status for status, _ in waits} == {503}
    assert {status for status, _ in others} == {202}
    assert max(took for _, took in others) < 2
    wait_until(lambda: create(user)[0] == 202, 3)
    assert "is away" not in one.log()


def test_a_row_that_is_held_while_there_is_room(stack, pool):
    """Nobody need look into it, nor for the count of what waits, which is due after a second."""
    one = pool({"queue.waiting_per_user": 1000})

    def create():
        return one.request(method="POST", user=7004, body=b'{"type": "dummy", "run_at": "%s"}' % NEVER.encode()).status
    assert create() == 202
    with held(stack, "SELECT bound FROM user_quota WHERE user_id = 7004 FOR UPDATE"):
        for _ in range(12):
            assert create() == 202
            time.sleep(0.1)  # till the count is due
        assert create() == 202


def test_a_count_that_takes_too_long(stack, pool):
    """The server ends it, nobody else notices, and who asks again at once does not begin it anew."""
    one = pool()
    assert one.request(path="/v1/tasks").status == 200
    with held(stack, "LOCK TABLES task_counters WRITE"), ThreadPoolExecutor(8) as executor:
        answers = executor.map(lambda _: one.request(path="/v1/tasks/stats"), range(8))
        assert one.request(path="/v1/tasks").status == 200
        for answer in answers:
            assert answer.status == 503 and answer.json()["code"] == "busy"
        assert not stack.root_sql("SELECT 1 FROM information_schema.processlist WHERE info LIKE '%FROM task_counters%'"
                                  " AND user = 'backdesk_api'")
        assert one.request(path="/v1/tasks").status == 200
    assert wait_until(lambda: one.request(path="/v1/tasks/stats").status == 200)
    assert "is away" not in one.log()


def test_a_slow_count_holds_one_thread(stack, pool):
    """Others are told what was counted before."""
    one, over = pool(threads=2), threading.Event()
    assert one.request(path="/v1/tasks/stats").status == 200

    def ask(_):
        while not over.is_set():
            assert one.request(path="/v1/tasks/stats").status in (200, 503)
    with held(stack, "LOCK TABLES task_counters WRITE"), ThreadPoolExecutor(4) as executor:
        asking = executor.map(ask, range(4))
        wait_until(lambda: stack.root_sql("SELECT 1 FROM information_schema.processlist WHERE"
                                          " info LIKE '%FROM task_counters%' AND user = 'backdesk_api'"))
        begun = time.monotonic()
        assert one.request(path="/v1/tasks/types").status == 200
        took = time.monotonic() - begun
        over.set()
        list(asking)
    assert took < 0.4


def test_clearing_much_leaves_room_for_others(stack, pool):
    one = pool(database_connections=1)
    stack.sql("INSERT INTO tasks (type, data, created_by, status, finished_at)"
              " SELECT 'dummy', '{}', 3, 'success', UTC_TIMESTAMP(6) FROM seq_1_to_10000")
    with ThreadPoolExecutor(1) as executor:
        clear = executor.submit(one.request, method="DELETE", path=f"/v1/tasks?finished_before={NEVER}", user=3)
        served = 0
        while not clear.done():
            assert one.request(path="/v1/tasks").status == 200
            served += 1
        assert clear.result().json() == {"deleted": 10000}
        assert served > 5


def test_restart_under_load(stack):
    """What was answered with 202 is there afterwards; everything else got 503."""
    acknowledged = []

    def one():
        answer = stack.request("POST", "/v1/tasks", json={"type": "dummy", "run_at": NEVER})
        if answer.status_code == 202:
            acknowledged.append(answer.json()["id"])
        return None if answer.status_code in (202, 503) else answer.text
    with Load(8, one) as load:
        for _ in range(2):
            before = len(acknowledged)
            wait_until(lambda: len(acknowledged) > before + 100, 20)
            stack.kill_database()
            stack.start_database()
        before = len(acknowledged)
        wait_until(lambda: len(acknowledged) > before + 100, 20)
    assert load.failed == []
    marks = ", ".join(["%s"] * len(acknowledged))
    assert stack.sql(f"SELECT COUNT(*) FROM tasks WHERE id IN ({marks})", acknowledged) == [(len(set(acknowledged)),)]


@pytest.mark.parametrize("settings", [{"database.socket": '"/nonexistent/mysql.sock"'},
                                      {"database.name": '"nothing"'},
                                      {'account "api".password': '"wrong"'}])
def test_pool_starts_without_database(stack, settings):
    from api.conftest import Pool
    one = Pool(stack, "away", {"api.processes": 1, **settings})
    try:
        for path in ("/v1/tasks/health", "/v1/tasks", "/v1/tasks/1"):
            answer = one.request(path=path)
            assert answer.status == 503
            assert answer.headers["Retry-After"]
        assert one.request(path="/v1/tasks/types").status == 200
    finally:
        one.stop()
