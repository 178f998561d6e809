# SPDX-License-Identifier: MIT
"""Uploads: streamed into files, bounded, their owner's; and the tasks that stand on them."""

import hashlib
import os
import resource
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.conftest import assert_problem
from api.fastcgi import Answer, PARAMS, STDIN, begin, pairs, params, record, stream
from proc import children
from stack import wait_until

PATH = "/v1/tasks/uploads"
MIB = 1 << 20


@pytest.fixture(autouse=True)
def swept(stack):
    yield
    for path, in stack.sql("SELECT path FROM uploads"):
        (stack.shared_dir / path).unlink(missing_ok=True)
    stack.sql("DELETE FROM uploads")


def send(stack, data, user="ada", **headers):
    return stack.request("POST", PATH, user, data=data, headers={"Content-Type": "text/csv", **headers})


def files(stack):
    return sorted(p for p in stack.shared_dir.rglob("*") if p.is_file() and (".upload" in p.name))


def test_what_was_sent_is_kept(stack):
    before = files(stack)
    data = b"id\n\x00\xff" + bytes(range(256)) * 4096
    answer = send(stack, data)
    assert answer.status_code == 201 and set(answer.json()) == {"upload", "bytes", "expires_at"}
    upload = answer.json()["upload"]
    (owner, path, size, sha256), = stack.sql("SELECT owner_id, path, bytes, sha256 FROM uploads WHERE id = %s", (upload,))
    assert (owner, size, answer.json()["bytes"]) == (1, len(data), len(data))
    assert (stack.shared_dir / path).read_bytes() == data and sha256 == hashlib.sha256(data).hexdigest()
    assert [p.name for p in files(stack) if p not in before] == [f"1-0-{upload}.upload"]


@pytest.mark.parametrize("data", [b"", b"x", iter([b"a" * 70000, b"b" * 70000])])
def test_sizes(stack, data):
    """Also none at all, and chunked."""
    answer = send(stack, data)
    assert answer.status_code == 201 and answer.json()["bytes"] in (0, 1, 140000)


def test_nobody_and_cross_site(stack):
    assert send(stack, b"a", user=None).status_code == 401
    assert_problem(send(stack, b"a", **{"Sec-Fetch-Site": "cross-site"}), 403, "cross_site")
    assert_problem(stack.request("GET", PATH), 405)


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large(stack, pool, chunked):
    """The pool's own limit, with and without a Content-Length; nginx has another."""
    one = pool(max_upload='"1MiB"')
    for size, status in ((MIB, 201), (MIB + 1, 413), (20 * MIB, 413)):
        more = {"CONTENT_LENGTH": ""} if chunked else {}
        answer = one.request(method="POST", path=PATH, body=b"x" * size, **more)
        assert answer.status == status, size
    assert answer.json()["detail"] == "The body is larger than 1048576 bytes, the setting api.max_upload."
    assert len(files(stack)) == 1


def test_the_user_has_limits(stack, pool):
    one = pool(uploads_per_user=2, upload_bytes_per_user='"1MiB"')
    assert one.request(method="POST", path=PATH, body=b"x" * (MIB - 10)).status == 201
    for size, status in ((11, 429), (10, 201), (0, 429)):
        answer = one.request(method="POST", path=PATH, body=b"x" * size)
        assert answer.status == status, size
    assert answer.json()["code"] == "too_many_uploads" and int(answer.headers["Retry-After"]) > 60
    assert one.request(method="POST", path=PATH, body=b"x", user=2).status == 201


def test_the_limits_hold_for_many_at_once(stack, pool):
    one = pool(uploads_per_user=1)
    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda _: one.request(method="POST", path=PATH, body=b"x"), range(16)))
    assert sorted(answer.status for answer in answers) == [201] + 15 * [429]
    assert len(files(stack)) == 1


@pytest.mark.parametrize("refused, status", [({"Authorization": "Bearer x"}, 401), ({"Sec-Fetch-Site": "cross-site"}, 403)])
def test_a_refusal_reaches_who_still_sends(stack, refused, status):
    for _ in range(5):
        assert_problem(send(stack, b"x" * 64 * MIB, user=None if status == 401 else "ada", **refused), status)


def test_a_broken_body_leaves_nothing(stack, pool):
    one = pool()
    with one.connect() as connection:
        connection.start(method="POST", path=PATH, body=b"x" * 1000, CONTENT_LENGTH=1001)
        assert connection.receive().status == 400
    with one.connect() as connection:
        connection.send(begin(), stream(PARAMS, pairs(params("POST", PATH, CONTENT_LENGTH=MIB))),
                        2 * record(STDIN, b"x" * 60000))  # more than the pool reads at a time
        wait_until(lambda: files(stack))
    wait_until(lambda: not files(stack))
    assert not stack.sql("SELECT 1 FROM uploads")


@pytest.mark.parametrize("size, status", [(MIB, 201), (MIB + 1, 507)])
def test_a_full_disk(stack, size, status):
    """In one request from a shell, whose files may not grow beyond 1 MiB."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
    done = subprocess.run(
        [stack.state / "app" / "libexec" / "backdesk" / "tasks.fcgi", "--config", str(stack.config)], input=b"x" * size,
        capture_output=True, timeout=20, preexec_fn=limit, restore_signals=False,
        env={**stack.daemon_environment(), "REQUEST_METHOD": "POST", "REQUEST_URI": PATH, "BACKDESK_USER": "1"})
    answer = Answer(done.stdout)
    assert answer.status == status, done.stderr
    assert status == 201 or answer.json()["code"] == "storage_failed" and b"a body of user 1" in done.stderr
    assert status == 201 or f"files directory {stack.shared_dir}".encode() in done.stderr
    assert len(files(stack)) == (status == 201)


def test_never_in_memory(pool):
    """A file larger than the pool's memory may grow passes through."""
    one = pool()
    child, = one.children()

    def resident():
        with open(f"/proc/{child}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    one.request(method="POST", path=PATH, body=b"x")
    before = resident()
    assert one.request(method="POST", path=PATH, body=b"x" * 64 * MIB).status == 201
    assert resident() - before < 8 * 1024


# --- tasks ------------------------------------------------------------------------------------------------

def create(stack, upload, user="ada", key=None, **members):
    return stack.request("POST", "/v1/tasks", user, headers={"Idempotency-Key": key} if key else {}, json={
        "type": "csv_import", "data": {"import": "books", "upload": upload}, "run_at": "2099-01-01T00:00:00Z", **members})


def test_an_upload_is_its_owners(stack):
    upload = send(stack, b"title\n").json()["upload"]
    assert create(stack, upload).status_code == 202
    assert create(stack, upload, "admin", created_by=1).status_code == 202
    for answer in (create(stack, upload, "grace"), create(stack, upload, "admin"), create(stack, "f" * 32)):
        problem = assert_problem(answer, 422, "invalid_task")
        assert [error["pointer"] for error in problem["errors"]] == ["/data/upload"]
    many = [{"type": "csv_import", "data": {"upload": upload}, "run_at": "2099-01-01T00:00:00Z"} for _ in range(3)]
    many[1]["data"] = {"upload": "0" * 32}
    problem = assert_problem(stack.request("POST", "/v1/tasks", json=many), 422, "invalid_task")
    assert [error["pointer"] for error in problem["errors"]] == ["/1/data/upload"]
    stack.sql("UPDATE uploads SET expires_at = UTC_TIMESTAMP(6)")
    assert_problem(create(stack, upload), 422, "invalid_task")


def test_a_replay_needs_no_upload(stack):
    """The answer of the first time comes again, also when what it stood on has gone; a refusal takes up no key."""
    upload = send(stack, b"title\n").json()["upload"]
    problem = assert_problem(create(stack, "f" * 32, key="import"), 422, "invalid_task")
    assert [error["pointer"] for error in problem["errors"]] == ["/data/upload"]
    first = create(stack, upload, key="import")
    assert first.status_code == 202 and "Idempotency-Replayed" not in first.headers
    stack.sql("UPDATE uploads SET expires_at = UTC_TIMESTAMP(6)")
    again = create(stack, upload, key="import")
    assert again.status_code == 202 and again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert_problem(create(stack, upload, key="another"), 422, "invalid_task")


def test_expiry(stack):
    """Files go with their rows, but not while an unfinished task stands on them."""
    free, used = (send(stack, b"title\n").json()["upload"] for _ in range(2))
    task = create(stack, used).json()["id"]
    stack.sql("UPDATE uploads SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR")
    wait_until(lambda: [p.name for p in files(stack)] == [f"1-0-{used}.upload"], 30)
    assert stack.sql("SELECT id, expires_at > UTC_TIMESTAMP(6) FROM uploads") == [(used, 1)]
    stack.request("POST", f"/v1/tasks/{task}/cancel")
    stack.sql("UPDATE uploads SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR")
    wait_until(lambda: not files(stack) and not stack.sql("SELECT 1 FROM uploads"), 30)


def test_from_beginning_to_end(stack):
    """What the export gives goes back in, and the next export is the same; by plain SQL too."""
    site = stack.env["SITE_DATABASE"]
    first = stack.finish(stack.create("csv_export", {"export": "books"}, "grace")["id"], "grace")
    before = stack.request("GET", first["links"]["download"], "grace").content
    rows = stack.sql("SELECT COUNT(*) FROM books WHERE owner_id = 2", database=site)[0][0]
    upload = send(stack, before, "grace").json()["upload"]
    stack.sql("DELETE FROM books WHERE owner_id = 2", database=site)
    task = stack.finish(stack.create("csv_import", {"import": "books", "upload": upload}, "grace")["id"], "grace")
    assert task["result"] == {"read": rows, "inserted": rows, "replaced": 0, "skipped": 0, "rejected": 0}
    again = stack.finish(stack.create("csv_export", {"export": "books"}, "grace")["id"], "grace")
    assert stack.request("GET", again["links"]["download"], "grace").content == before
    stack.sql("INSERT INTO tasks (type, data, created_by, max_attempts) VALUES ('csv_import', %s, 1, 1)",
              (f'{{"upload": "{upload}"}}',))
    stolen = stack.sql("SELECT MAX(id) FROM tasks")[0][0]
    assert stack.finish(stolen)["error"]["code"] == "upload_gone"


def test_slow_clients_hold_no_thread(stack):
    """nginx takes the body in; the pool hears of it when all is there."""
    host, _, port = stack.base_url.rpartition("//")[2].partition(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(40)]
    head = (f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic YWRhOmRlbW8=\r\n"
            "Content-Length: 1000000\r\n\r\n").encode()
    try:
        for connection in slow:
            connection.sendall(head + b"x" * 1000)
        assert stack.request("GET", "/v1/tasks?limit=1", timeout=5).status_code == 200
    finally:
        for connection in slow:
            connection.close()


def test_a_worker_is_killed_twice(stack):
    """The next attempt goes on where the last batch was committed."""
    site, count = stack.env["SITE_DATABASE"], 60000
    data = "title,price\n" + "".join(f"killed {n},{'x' if n % 1000 == 0 else n % 100}\n" for n in range(count))
    upload = send(stack, data.encode()).json()["upload"]

    def ledger(column):
        return stack.sql(f"SELECT COALESCE(MAX({column}), 0) FROM backdesk_imports WHERE upload = %s", (upload,),
                         database=site)[0][0]
    try:
        task = stack.create("csv_import", {"upload": upload}, max_attempts=9)["id"]
        for fence in (1, 2):
            wait_until(lambda: ledger("fence") == fence and ledger("rows_read") > (fence - 1) * count // 3, every=0.005)
            for child in children(stack.pid("taskrunner")):
                os.kill(child, signal.SIGKILL)
            wait_until(lambda: stack.task(task)["status"] != "started")
        ended = stack.finish(task)
        assert ended["status"] == "success" and ended["attempt"] == 3, ended
        good = count - count // 1000
        assert ended["result"] == {"read": count, "inserted": good, "replaced": 0, "skipped": 0, "rejected": count - good}
        assert stack.sql("SELECT COUNT(*), COUNT(DISTINCT title) FROM books WHERE title LIKE 'killed %%'",
                         (), database=site) == [(good, good)]
        report = stack.request("GET", ended["links"]["download"]).text.splitlines()
        assert [line.split(",")[0] for line in report[1:]] == [str(n + 1) for n in range(0, count, 1000)]
    finally:
        stack.sql("DELETE FROM books WHERE title LIKE 'killed %%'", (), database=site)
