# SPDX-License-Identifier: MIT
"""The protocol: kept connections, broken ones, bodies that are not what they claim, many connections and
few threads."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.fastcgi import BEGIN, PARAMS, STDIN, Connection, begin, pairs, params, record, stream
from proc import descriptors
from stack import wait_until

BODY = json.dumps({"type": "dummy", "run_at": "2099-01-01T00:00:00Z"}).encode()


@pytest.fixture
def connect(stack):
    """connect() -> a connection to the stack's own pool."""
    opened = []

    def one(timeout=15):
        opened.append(Connection(stack.state / "run" / "tasks.sock", timeout))
        return opened[-1]
    yield one
    for connection in opened:
        connection.close()


def test_kept(connect):
    connection = connect()
    for _ in range(50):
        assert connection.request(path="/v1/tasks/types").status == 200
        assert connection.request(method="POST", body=BODY).status == 202
        assert connection.request(path="/v1/tasks/nothing", body=b"x" * 100000).status == 404


def test_not_kept(connect):
    connection = connect()
    connection.start(path="/v1/tasks/types", flags=0)
    assert connection.receive().status == 200
    assert connection.closed()


def test_records_may_be_cut_anywhere(connect):
    connection = connect()
    for byte in begin() + stream(PARAMS, pairs(params("POST", body=BODY))) + stream(STDIN, BODY):
        connection.send(bytes([byte]))
    assert connection.receive().status == 202


def test_one_record_for_each_byte(connect):
    connection = connect()
    connection.send(begin(), stream(PARAMS, pairs(params("POST", body=BODY))))
    connection.send(*(record(STDIN, bytes([byte])) for byte in BODY), record(STDIN))
    assert connection.receive().status == 202
    assert connection.request(path="/v1/tasks/types").status == 200


@pytest.mark.parametrize("length, status", [
    (len(BODY), 202), ("", 202), (None, 202), (len(BODY) - 1, 400), (len(BODY) + 1, 400), (0, 400), ("x", 400),
    ("-1", 400), ("1e3", 400), (" 5", 400), ("99999999999999999999", 400), (9 << 20, 413)])
def test_content_length(connect, length, status):
    connection = connect()
    answer = connection.request(method="POST", body=BODY, CONTENT_LENGTH=length)
    assert answer.status == status
    assert connection.request(path="/v1/tasks/types").status == 200


def test_body_breaks_off(connect, stack):
    """Neither a record nor the stream comes to its end: no task, and an answer for whoever still listens."""
    before = stack.sql("SELECT COUNT(*) FROM tasks")
    for rest in (record(STDIN, BODY), record(STDIN, BODY)[:-5], b""):
        connection = connect()
        connection.send(begin(), stream(PARAMS, pairs(params("POST", body=BODY))), rest)
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.receive().status == 400
        assert connection.closed()
    assert stack.sql("SELECT COUNT(*) FROM tasks") == before


def test_too_large_is_answered(connect):
    """Also where the pool reads only part of it."""
    connection = connect()
    body = b" " * (10 << 20)
    said = connection.request(method="POST", body=body)
    assert (said.status, said.json()["detail"]) == (413, "The body is larger than 8388608 bytes, the setting api.max_body.")
    assert connection.request(method="POST", body=body, CONTENT_LENGTH="").status == 413
    assert connection.request(path="/v1/tasks/types").status == 200


@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100, b"\xff" * 100, record(BEGIN, b"", 1), record(BEGIN, b"\0" * 8, 0),
    record(BEGIN, b"\0\x09\0\0\0\0\0\0"), record(BEGIN, b"\0\1\0\0\0\0\0\0", version=2), record(PARAMS),
    record(STDIN, b"x"),
    begin() + record(STDIN), begin() + record(PARAMS, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
    begin() + record(PARAMS, b"\x05"), begin() + begin(), b"\x01"])
def test_garbage(connect, garbage):
    """The connection is closed, and the pool lives."""
    connection = connect()
    connection.send(garbage)
    connection.socket.shutdown(socket.SHUT_WR)
    try:
        while connection.socket.recv(65536):
            pass
    except ConnectionResetError:
        pass
    assert connect().request(path="/v1/tasks/types").status == 200


def test_strange_parameters(connect):
    connection = connect()
    assert connection.request(method="").status in (404, 405)
    assert connection.request(path="", REQUEST_URI=None, DOCUMENT_URI=None).status == 404
    assert connection.request(path="/v1/tasks/types", HTTP_X="y" * 100000).status == 200
    assert connection.request(path="/v1/tasks/types", DOCUMENT_URI=None).status == 200
    assert connection.request(path="/v1/tasks/types", DOCUMENT_URI=None, REQUEST_URI="/v1/%74asks/types?").status == 200
    assert connection.request(path="/v1/tasks", DOCUMENT_URI=None, REQUEST_URI="/v1/tasks?limit=0",
                              QUERY_STRING=None).status == 400
    assert connection.request(path="/v1/tasks", DOCUMENT_URI=None, REQUEST_URI="/v1/%zz").status == 404


def test_peer_goes_away(connect):
    """In the middle of its request, or before its answer."""
    for parts in ((), (begin(),), (begin(), stream(PARAMS, pairs(params()))[:40]),
                  (begin(), stream(PARAMS, pairs(params())), record(STDIN))):
        for _ in range(20):
            connection = connect()
            connection.send(*parts)
            connection.close()
    assert connect().request(path="/v1/tasks/types").status == 200


def test_many_connections_few_threads(pool):
    """200 kept connections on 2 threads: all are answered, and so is a newcomer."""
    small = pool(threads=2)
    connections = [small.connect() for _ in range(200)]
    for _ in range(3):
        for connection in connections:
            connection.start(path="/v1/tasks/types")
        for connection in connections:
            assert connection.receive().status == 200
    begun = time.monotonic()
    assert small.request(path="/v1/tasks/health").status == 200
    assert time.monotonic() - begun < 1
    for connection in connections:
        connection.close()


def test_silent_connections_hold_no_thread(pool):
    small = pool(threads=1)
    silent = [small.connect() for _ in range(50)]
    for _ in range(20):
        assert small.request(path="/v1/tasks/types").status == 200
    for connection in silent:
        connection.close()


def test_more_connections_than_may_be(pool):
    """Those beyond the limit wait in the kernel until another one goes."""
    small = pool(threads=2, connections=8)
    held = [small.connect() for _ in range(8)]
    for connection in held:
        assert connection.request(path="/v1/tasks/types").status == 200
    late = small.connect()
    late.start(path="/v1/tasks/types")
    late.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        late.receive()
    held.pop().close()
    late.socket.settimeout(10)
    assert late.receive().status == 200
    for connection in (late, *held):
        connection.close()


def test_through_nginx(stack):
    """More clients than threads, all at once."""
    with ThreadPoolExecutor(100) as executor:
        answers = list(executor.map(lambda _: stack.request("GET", "/v1/tasks/types").status_code, range(400)))
    assert set(answers) == {200}


def test_combined_lookups(stack, connect, make):
    """Everybody gets the task of his own id, however they are asked for together."""
    ids = [make(user=("ada", "grace")[n % 2]) for n in range(40)]

    def ask(n):
        with Connection(stack.state / "run" / "tasks.sock") as connection:
            for m in range(30):
                task = ids[(n * 7 + m) % len(ids)]
                answer = connection.request(path=f"/v1/tasks/{task}", user=1 + (n + m) % 3)
                mine = stack_owner[task] == 1 + (n + m) % 3
                assert answer.status == (200 if mine else 404)
                assert not mine or answer.json()["id"] == task
        return True
    stack_owner = {task: 1 + n % 2 for n, task in enumerate(ids)}
    with ThreadPoolExecutor(32) as executor:
        assert all(executor.map(ask, range(64)))


def test_no_descriptor_is_lost(stack, pool):
    one = pool()
    [child] = one.children()
    assert one.request(path="/v1/tasks/health").status == 200
    before = len(descriptors(child))
    for _ in range(100):
        assert one.request(path="/v1/tasks/health").status == 200
        with one.connect() as connection:
            connection.send(b"\xff" * 20)
    wait_until(lambda: len(descriptors(child)) <= before, 5)
