# SPDX-License-Identifier: MIT
"""Prefer: wait=N: answers that wait for the end of a task, and hold no thread."""

import base64
import http.client
import json
import signal
import subprocess
import threading
import time
from contextlib import closing

import pytest

from api.conftest import NEVER, assert_problem, later
from api.fastcgi import Answer
from stack import wait_until


def held(stack, task, seconds, user="ada", method="GET", **headers):
    """The answer to a GET that waits, and how long it took."""
    begun = time.monotonic()
    answer = stack.request(method, f"/v1/tasks/{task}", user, headers={"Prefer": f"wait={seconds}", **headers})
    return answer, time.monotonic() - begun


def ask(connection, task, seconds=30):
    connection.start(path=f"/v1/tasks/{task}", HTTP_PREFER=f"wait={seconds}")


def silent(connection, seconds):
    """Nothing comes for so long."""
    connection.socket.settimeout(seconds)
    try:
        connection.socket.recv(1)
        return False
    except TimeoutError:
        return True
    finally:
        connection.socket.settimeout(10)


def test_get(stack):
    task = stack.create("dummy", {"seconds": 1})["id"]
    answer, took = held(stack, task, 30)
    assert answer.status_code == 200
    assert answer.json()["status"] == "success"
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert "Retry-After" not in answer.headers
    assert answer.headers["ETag"] and took < 10
    assert answer.json() == stack.task(task)


def test_time_is_up(stack, make):
    task = make("fresh")
    answer, took = held(stack, task, 1)
    assert (answer.status_code, answer.json()["status"]) == (200, "fresh")
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.headers["Retry-After"]
    assert 1 <= took < 4


@pytest.mark.parametrize("status, prefer, applied", [
    ("success", "wait=30", "wait=30"), ("failure", "respond-async, wait=90", "wait=60"), ("fresh", "wait=0", "wait=0"),
    ("fresh", "wait=x", None), ("fresh", "respond-async", None), ("fresh", "", None)])
def test_at_once(stack, make, status, prefer, applied):
    begun = time.monotonic()
    answer = stack.request("GET", f"/v1/tasks/{make(status)}", headers={"Prefer": prefer})
    assert answer.status_code == 200
    assert answer.headers.get("Preference-Applied") == applied
    assert time.monotonic() - begun < 3


def test_several_lines_are_one_list(stack, make):
    """RFC 9110 section 5.3."""
    lines = [("Authorization", f"Basic {base64.b64encode(b'ada:demo').decode()}"), ("Prefer", "handling=lenient"),
             ("X-Between", "x"), ("Prefer", "wait=1")]
    with closing(http.client.HTTPConnection(stack.base_url.removeprefix("http://"), timeout=30)) as connection:
        connection.putrequest("GET", f"/v1/tasks/{make('success')}")
        for name, value in lines:
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().headers["Preference-Applied"] == "wait=1"


def test_post(stack):
    answer = stack.request("POST", "/v1/tasks", json={"type": "dummy", "data": {"seconds": 0.5}},
                           headers={"Prefer": "wait=30"})
    assert answer.status_code == 202
    assert answer.json()["status"] == "success"
    assert answer.headers["Location"] == answer.json()["links"]["self"]
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert "Retry-After" not in answer.headers


def test_post_with_key(stack):
    headers = {"Prefer": "wait=30", "Idempotency-Key": f"wait-{time.time_ns()}"}
    first, again = (stack.request("POST", "/v1/tasks", json={"type": "dummy", "data": {"seconds": 0.5}},
                                  headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_array_does_not_wait(stack):
    answer = stack.request("POST", "/v1/tasks", json=[{"type": "dummy", "run_at": NEVER}] * 2,
                           headers={"Prefer": "wait=30"})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


def test_refusals_do_not_wait(stack, make):
    answer, took = held(stack, make("fresh", "grace"), 30)
    assert_problem(answer, 404)
    assert took < 3


def test_cancelled_meanwhile(stack, make):
    task = make("fresh")
    timer = later(0.5, stack.request, "POST", f"/v1/tasks/{task}/cancel")
    answer, took = held(stack, task, 30)
    timer.join()
    assert answer.json()["status"] == "cancelled" and took < 10


def test_deleted_meanwhile(stack, make):
    task = make("fresh")
    timer = later(0.5, stack.sql, "DELETE FROM tasks WHERE id = %s", [task])
    answer, took = held(stack, task, 30)
    timer.join()
    assert_problem(answer, 404)
    assert took < 10


def test_etag_and_head(stack, make):
    task = make("fresh")
    tag = stack.request("GET", f"/v1/tasks/{task}").headers["ETag"]
    answer, took = held(stack, task, 1, **{"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"") and took >= 1
    timer = later(0.5, stack.request, "POST", f"/v1/tasks/{task}/cancel")
    answer, took = held(stack, task, 30, **{"If-Match": tag, "If-None-Match": tag})
    timer.join()
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled") and took < 10
    answer, _ = held(stack, make("fresh"), 1, method="HEAD")
    assert (answer.status_code, answer.content, answer.headers["Preference-Applied"]) == (200, b"", "wait=1")


def test_no_thread_is_held(stack, make, pool):
    """Far more wait than there are threads; others are served; all hear of their task's end."""
    one, task, other = pool(threads=2), make("fresh"), make("fresh")
    waiting = [one.connect() for _ in range(60)]
    for number, connection in enumerate(waiting):
        ask(connection, other if number % 2 else task)
    for _ in range(20):
        begun = time.monotonic()
        assert one.request(path=f"/v1/tasks/{task}").status == 200
        assert time.monotonic() - begun < 3
    assert silent(waiting[0], 0.3)
    stack.sql("UPDATE tasks SET status = 'success' WHERE id = %s", [task])
    for connection in waiting[::2]:
        assert connection.receive().json()["status"] == "success"
    assert silent(waiting[1], 0.3)
    stack.sql("UPDATE tasks SET status = 'failure' WHERE id = %s", [other])
    for connection in waiting[1::2]:
        assert connection.receive().json()["status"] == "failure"
    for connection in waiting:  # which are kept
        assert connection.request(path=f"/v1/tasks/{task}").status == 200
        connection.close()


def test_bound(make, pool):
    one, task = pool(waiters=2), make("fresh")
    waiting = [one.connect() for _ in range(2)]
    for connection in waiting:
        ask(connection, task)
        assert silent(connection, 0.3)
    answer = one.request(path=f"/v1/tasks/{task}", HTTP_PREFER="wait=30")
    assert answer.status == 200 and "Preference-Applied" not in answer.headers
    waiting.pop().close()  # leaving makes room

    def waits():
        with one.connect() as connection:
            ask(connection, task)
            return silent(connection, 0.5)
    wait_until(waits, 5)
    for connection in waiting:
        connection.close()


def test_none_allowed(make, pool):
    answer = pool(waiters=0).request(path=f"/v1/tasks/{make('fresh')}", HTTP_PREFER="wait=30")
    assert answer.status == 200 and "Preference-Applied" not in answer.headers


def test_those_who_leave(make, pool):
    """Many times, with nothing left behind."""
    one, task = pool(waiters=40, processes=1), make("fresh")
    for _ in range(5):
        waiting = [one.connect() for _ in range(40)]
        for connection in waiting:
            ask(connection, task)
        assert silent(waiting[-1], 0.2)
        for connection in waiting:
            connection.close()

        def has_room():
            with one.connect() as connection:
                ask(connection, task, 1)
                return "Preference-Applied" in connection.receive().headers
        wait_until(has_room, 10)
    assert "died" not in one.log()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_end_of_the_pool(make, pool, name):
    """Those who wait are answered at once, with the task as it is."""
    one, task = pool(shutdown_grace='"20s"'), make("fresh")
    waiting = [one.connect() for _ in range(10)]
    for connection in waiting:
        ask(connection, task)
    assert silent(waiting[-1], 0.3)
    one.signal(getattr(signal, name))
    for connection in waiting:
        answer = connection.receive()
        assert (answer.status, answer.json()["status"]) == (200, "fresh")
        assert "Preference-Applied" not in answer.headers
        if name == "SIGHUP":  # the connection lives on
            assert connection.request(path="/v1/tasks/types").status == 200
        connection.close()
    if name == "SIGTERM":
        assert one.process.wait(10) == 0


def test_database_restarts_meanwhile(stack, make):
    """A short absence costs nobody his answer."""
    task = make("fresh")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(held(stack, task, 30)[0]))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    stack.kill_database()
    stack.start_database()
    stack.sql("UPDATE tasks SET status = 'success' WHERE id = %s", [task])
    thread.join()
    assert answers[0].status_code == 200 and answers[0].json()["status"] == "success"


def test_one_request_of_a_shell_does_not_wait(stack):
    task = stack.create("dummy", run_at=NEVER)["id"]
    program = stack.state / "app" / "libexec" / "backdesk" / "tasks.fcgi"
    done = subprocess.run([program, "--config", stack.config], capture_output=True, timeout=20, stdin=subprocess.DEVNULL,
                          env={**stack.daemon_environment(), "REQUEST_METHOD": "GET", "BACKDESK_USER": "1",
                               "REQUEST_URI": f"/v1/tasks/{task}", "HTTP_PREFER": "wait=30"})
    answer = Answer(done.stdout)
    assert answer.status == 200 and "Preference-Applied" not in answer.headers
    assert json.loads(answer.body)["id"] == task
