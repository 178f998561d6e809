# SPDX-License-Identifier: MIT
"""The parent and its children: crashes, restarts under load, the end."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from api.conftest import NEVER
from api.fastcgi import PARAMS, STDIN, begin, pairs, params, record, stream
from load import Load
from proc import alive, descriptors, resident, stopped
from stack import wait_until

SANITIZED = "ASAN_OPTIONS" in os.environ  # what is freed stays for a while


def test_restart_under_load(stack):
    """SIGHUP replaces the children; no request fails, not even a POST on a kept connection."""
    import requests
    local = threading.local()

    def one():
        if not hasattr(local, "session"):
            local.session, local.turn = requests.Session(), 0
            local.session.trust_env, local.session.auth = False, ("ada", "demo")
        local.turn += 1
        if local.turn % 2:
            body = {"type": "dummy", "run_at": NEVER}
            answer = local.session.post(stack.base_url + "/v1/tasks", json=body, timeout=20)
            return None if answer.status_code == 202 else answer.text
        answer = local.session.get(stack.base_url + "/v1/tasks?limit=1", timeout=20)
        return None if answer.status_code == 200 else answer.text
    parent = stack.pid("tasks.fcgi")
    with Load(8, one) as load:
        for _ in range(8):
            before, log = load.count, stack.log("tasks.fcgi").count("the new children serve")
            os.kill(parent, signal.SIGHUP)
            wait_until(lambda: stack.log("tasks.fcgi").count("the new children serve") > log, 15)
            wait_until(lambda: load.count > before + 50, 15)
    assert load.failed == []
    assert load.count > 400


def test_kept_connections_survive_a_restart(pool):
    """Idle ones are passed on to the new children: the peer notices nothing."""
    one = pool(processes=2)
    connections = [one.connect() for _ in range(40)]
    for connection in connections:
        assert connection.request(path="/v1/tasks/types").status == 200
    for _ in range(3):
        old = one.children()
        one.signal(signal.SIGHUP)
        wait_until(lambda: not set(old) & set(one.children()), 10)
        for connection in connections:
            assert connection.request(path="/v1/tasks/types").status == 200
    for connection in connections:
        connection.close()


def test_new_configuration(stack, pool):
    """SIGHUP reads it; a bad one changes nothing."""
    one = pool(processes=1)
    good = one.config.read_text()
    one.config.write_text(good.replace("processes = 1", "processes = 3"))
    [old] = one.children()
    one.signal(signal.SIGHUP)
    wait_until(lambda: len(one.children()) == 3 and old not in one.children(), 20)
    children = one.children()
    one.config.write_text(good + "\nnonsense {\n}\n")
    one.signal(signal.SIGHUP)
    wait_until(lambda: "the configuration is not taken over" in one.log(), 10)
    assert "nonsense" in one.log()
    assert one.children() == children
    assert one.request(path="/v1/tasks/types").status == 200


@pytest.mark.parametrize("name", ["SIGKILL", "SIGABRT"])  # sanitizers handle SIGSEGV themselves
def test_child_dies(pool, name):
    """It is replaced, and the log says of what it died."""
    one = pool(processes=2)
    victim, other = wait_until(lambda: len(found := one.children()) == 2 and found)
    os.kill(victim, getattr(signal, name))
    wait_until(lambda: len(set(one.children()) - {victim}) == 2, 10)
    assert other in one.children()
    wait_until(lambda: f"child {victim} died by {name}" in one.log(), 5)
    for _ in range(10):
        assert one.request(path="/v1/tasks/types").status == 200


def test_child_that_dies_at_once(pool):
    """It is started again with growing pauses, not in a busy loop."""
    one = pool(processes=1)
    for _ in range(4):
        [child] = wait_until(one.children, 10)
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: child not in one.children(), 5)
    begun = time.monotonic()
    wait_until(one.children, 10)
    assert time.monotonic() - begun > 0.3


def test_end(pool):
    """SIGTERM: what is under way is answered, kept connections are served for the drain time, then 0."""
    one = pool(shutdown_grace='"2s"')
    kept, gone = one.connect(), one.connect()
    for connection in (kept, gone):
        assert connection.request(path="/v1/tasks/types").status == 200
    children = one.children()
    begun = time.monotonic()
    one.signal(signal.SIGTERM)
    wait_until(lambda: "ending" in one.log(), 5)
    assert kept.request(path="/v1/tasks/types").status == 200
    gone.close()
    assert one.process.wait(10) == 0
    assert 1.5 < time.monotonic() - begun < 6
    assert kept.closed()
    assert not any(alive(child) for child in children)


@contextmanager
def half_a_request(pool):
    """A connection whose request stops in the middle of its parameters: it holds a thread."""
    connection = pool.connect()
    message = begin() + stream(PARAMS, pairs(params(path="/v1/tasks/types"))) + record(STDIN)
    connection.send(message[:-20])
    yield connection
    connection.send(message[-20:])
    assert connection.receive().status == 200
    connection.close()


def test_half_a_request_holds_up_nobody(pool):
    """The thread that waits for its rest has left the watch to the other one."""
    one = pool(threads=2)
    with half_a_request(one):
        with one.connect() as kept:
            for _ in range(20):
                assert kept.request(path="/v1/tasks/types").status == 200
                assert one.request(path="/v1/tasks/health").status == 200


def test_lookups_and_creates_while_the_queue_is_never_empty(pool, make):
    """They are done for many at once, but do not wait until nobody asks for anything else."""
    one, task = pool(threads=2, database_connections=1), make("fresh")
    local = threading.local()

    def ask():
        if not hasattr(local, "connection"):
            local.connection = one.connect()
        return None if local.connection.request(path="/v1/tasks?limit=200").status == 200 else "no list"
    with Load(12, ask) as load:
        wait_until(lambda: load.count > 50)
        for _ in range(10):
            assert one.request(path=f"/v1/tasks/{task}").status == 200
            assert one.request(method="POST", body=b'{"type": "dummy", "run_at": "%s"}' % NEVER.encode()).status == 202
    assert load.failed == []


@pytest.mark.parametrize("uploads_before", [0, 1])
def test_a_lookup_does_not_wait_for_an_upload(pool, make, uploads_before):
    """All come at the same moment, and the uploads go on and on: whichever thread has the watch, and has queued it."""
    one, task = pool(threads=2 + 2 * uploads_before), make("fresh")
    [child] = one.children()
    for _ in range(1 + 9 * uploads_before):  # which thread gets which is chance
        asks, *sends = connections = [one.connect() for _ in range(2 + uploads_before)]
        for connection in connections:
            assert connection.request(path="/v1/tasks/types").status == 200
        os.kill(child, signal.SIGSTOP)
        wait_until(lambda: stopped(child))
        upload = params("POST", "/v1/tasks/uploads", CONTENT_TYPE="text/csv", CONTENT_LENGTH="")
        half = begin() + stream(PARAMS, pairs(upload)) + record(STDIN, b"a,b\n")
        for connection in sends[:uploads_before]:
            connection.send(half)
        asks.send(begin() + stream(PARAMS, pairs(params(path=f"/v1/tasks/{task}"))) + record(STDIN))
        for connection in sends[uploads_before:]:
            connection.send(half)
        os.kill(child, signal.SIGCONT)
        assert asks.receive().status == 200
        for connection in sends:
            connection.send(record(STDIN))
            assert connection.receive().status == 201
        for connection in connections:
            connection.close()


def test_a_peer_that_does_not_read(pool, make):
    """Its long answer fills the socket; others are answered meanwhile."""
    one, long, short = pool(threads=2), make("fresh", data='"%s"' % ("x" * 2000000)), make("fresh")
    with one.connect() as deaf:
        deaf.send(begin() + stream(PARAMS, pairs(params(path=f"/v1/tasks/{long}"))) + record(STDIN))
        begun = time.monotonic()
        for _ in range(10):
            assert one.request(path=f"/v1/tasks/{short}").status == 200
        assert time.monotonic() - begun < 5  # the pool waits ten seconds for a peer
        assert len(deaf.receive().body) > 2000000


def test_large_bodies_are_not_kept(pool):
    """However many came at once, whatever has come since."""
    one = pool(threads=16)
    [child] = one.children()
    body, connections = b" " * 7000000 + b"{}", [one.connect() for _ in range(16)]
    assert one.request(method="POST", body=b"{}").status == 422
    with ThreadPoolExecutor(16) as executor:
        answers = list(executor.map(lambda one: one.request(method="POST", body=body), connections))
    assert {answer.status for answer in answers} == {422}
    wait_until(lambda: SANITIZED or resident(child) < 40 << 20, 5, message=f"{resident(child)} bytes")
    for connection in connections:
        connection.close()


def test_the_end_while_all_threads_are_held(pool):
    """Signals are taken all the same."""
    one = pool(threads=1, shutdown_grace='"1s"')
    [child] = one.children()
    kept = one.connect()
    assert kept.request(path="/v1/tasks/types").status == 200
    with half_a_request(one):
        one.signal(signal.SIGTERM)
        wait_until(lambda: f"tasks.fcgi[{child}] info: drain time is over" in one.log(), 10)
        assert kept.closed()
    assert one.process.wait(10) == 0


def test_end_without_connections_is_quick(pool):
    one = pool(shutdown_grace='"20s"')
    assert one.request(path="/v1/tasks/types").status == 200
    begun = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() - begun < 3


def test_second_sigterm(pool):
    one = pool(shutdown_grace='"60s"')
    kept = one.connect()
    assert kept.request(path="/v1/tasks/types").status == 200
    one.signal(signal.SIGTERM)
    wait_until(lambda: ": ending\n" in one.log(), 20)
    one.signal(signal.SIGTERM)
    assert one.process.wait(20) == 0
    kept.close()


def test_children_do_not_outlive_the_parent(pool):
    one = pool(processes=2)
    children = one.children()
    one.signal(signal.SIGKILL)
    one.process.wait(5)
    wait_until(lambda: not any(alive(child) for child in children), 10)


def test_descriptors(pool):
    """A child has the socket, what it opened itself, and nothing of its parent's or starter's."""
    one = pool()
    [child] = one.children()
    assert one.request(path="/v1/tasks/types").status == 200
    targets = descriptors(child).values()
    kinds = sorted(target.split(":")[0] for target in targets)
    assert kinds.count("socket") <= 1 + 2 + 4  # the listener, the pair of the hand-over, the database, a peer
    assert not [kind for kind in kinds if kind == "pipe"]
    assert sum("signalfd" in target for target in targets) == 1


def test_asked_again_while_the_new_children_fail(pool):
    """A SIGHUP that comes meanwhile is not forgotten: it may bring the repair."""
    one = pool(processes=20)
    started, old = one.log().count("new configuration: starting"), set(one.children())
    one.signal(signal.SIGHUP)
    [new] = wait_until(lambda: list(set(one.children()) - old)[:1], 10, every=0)
    os.kill(new, signal.SIGSTOP)  # most likely before it serves
    one.signal(signal.SIGHUP)
    os.kill(new, signal.SIGKILL)
    wait_until(lambda: one.log().count("new configuration: starting") == started + 2, 10)
    wait_until(lambda: len(one.children()) == 20 and not old & set(one.children()), 20)
    assert one.request(path="/v1/tasks/types").status == 200
