# SPDX-License-Identifier: MIT
"""Deferred requests replayed: what the site gets, what is kept of its answer, and what becomes of a request whose
runner, worker or site dies at any stage. They are deferred by the stack's own pool."""

import base64
import gzip
import json
import os
import signal
import subprocess
import time

import pytest

from api.fastcgi import Connection
from history import CLAIMS
from proc import alive, children, title
from runner.conftest import LEASE, Paused
from runner.site import Site, ok
from stack import wait_until


class Replays:
    """The queue with a site behind it."""

    def __init__(self, queue, site):
        self.queue = queue
        self.site = site

    def defer(self, target="/", method="GET", body=None, **params):
        """A deferred request, as nginx hands it to the pool; the task's id."""
        with Connection(self.queue.stack.state / "run/tasks.sock") as pool:
            answer = pool.request(method=method, path="/", body=body, **{
                "BACKDESK_DEFER": "prefer", "BACKDESK_METHOD": method, "BACKDESK_URI": target,
                "BACKDESK_HOST": "site.test", "BACKDESK_SCHEME": "http", "BACKDESK_ADDR": "192.0.2.7",
                "HTTP_PREFER": "respond-async", "CONTENT_TYPE": None, **params})
        assert answer.status == 202, answer.body
        return self.queue.sql("SELECT MAX(id) FROM tasks")[0][0]

    def start(self, name="red", **settings):
        """A runner that replays to the site."""
        found = {'site "demo".socket': f'"{self.site.path}"', "runner.types": "{http_request, dummy}",
                 "runner.replays": 64}
        return self.queue.start(name, **{**found, **settings})

    def wait(self, task, *statuses, timeout=20):
        return self.queue.wait(task, *statuses, timeout=timeout)

    def at_site(self, key, count=1):
        """Until COUNT requests /wait?KEY wait there."""
        wait_until(lambda: self.site.waiting.get(key, 0) >= count, 10, message=f"{key} does not come")

    def kept(self, task):
        """(status, reason, headers, body) of the stored response; None where there is none."""
        found = self.queue.sql("SELECT path, purpose FROM csv_export WHERE task_id = %s", (task,))
        if not found:
            return None
        [(path, purpose)] = found
        assert purpose == "response"
        head, _, body = (self.queue.stack.shared_dir / path).read_bytes().partition(b"\n")
        head = json.loads(head)
        return head["status"], head["reason"], [tuple(pair) for pair in head["headers"]], body

    def sealed(self, task):
        """What the row has left: (sealed, path of the body)."""
        return self.queue.sql("SELECT sealed IS NOT NULL, body_path FROM http_requests WHERE task_id = %s", (task,))[0]


@pytest.fixture
def replays(queue):
    site = Site(queue.stack.state / "tmp/site.sock")
    yield Replays(queue, site)
    site.release(*site.waiting)
    site.stop()
    os.unlink(site.path)


def test_the_request_as_it_was(replays):
    body = bytes(range(256)) * 2000
    target = "/a/../b//c/%2e%2e/?x=%2F..&y=caf\xe9&z=a+b"
    task = replays.defer(target, "PATCH", body, HTTP_COOKIE="sid=secret", HTTP_AUTHORIZATION="Basic eA==",
                         HTTP_X_EMPTY="", HTTP_X_LATIN=b"caf\xe9", HTTP_TRACEPARENT="00-1-2-01",
                         HTTP_CONNECTION="keep-alive", HTTP_X_BACKDESK_USER="100", HTTP_X_FORWARDED_FOR="10.0.0.1")
    path = replays.sealed(task)[1]
    assert path
    replays.start()
    row = replays.wait(task)
    assert (row["status"], row["attempt"], row["result"]) == ("success", 1, {"status": 200, "bytes": 4})
    [one] = replays.site.seen
    assert (one.method, one.target, one.body) == ("PATCH", target.encode().decode("latin-1"), body)
    assert dict(one.headers) == {
        "Host": "site.test", "Content-Length": str(len(body)), "Cookie": "sid=secret", "Authorization": "Basic eA==",
        "X-Empty": "", "X-Latin": "caf\xe9", "Traceparent": "00-1-2-01", "X-Forwarded-For": "10.0.0.1",
        "X-Task-Id": str(task), "X-Backdesk-Client": "192.0.2.7", "X-Backdesk-User": "1",
        "Idempotency-Key": one.get("Idempotency-Key")[0]}
    # nothing of it is left
    assert replays.sealed(task) == (0, None)
    wait_until(lambda: path not in replays.queue.files(), 10)
    assert row["progress"]["done"] == 4 and row["progress"]["unit"] == "bytes"


GZIP = gzip.compress(b"text" * 100, mtime=0)
ANSWERS = {  # name: (method, raw answer, status, reason, headers, body)
    "plain": ("GET", ok(b"a\0\r\n\r\nb"), 200, "OK", [("Content-Length", "7")], b"a\0\r\n\r\nb"),
    "empty": ("GET", ok(b""), 200, "OK", [("Content-Length", "0")], b""),
    "twice": ("GET", ok(b"", more=b"Set-Cookie: a=1\r\nset-cookie: b=\xe9\r\nVary: x\r\nVary: y\r\n"), 200, "OK",
              [("Content-Length", "0"), ("Set-Cookie", "a=1"), ("set-cookie", "b=\xe9"), ("Vary", "x"), ("Vary", "y")],
              b""),
    "gzip": ("GET", ok(GZIP, more=b"Content-Encoding: gzip\r\n"), 200, "OK",
             [("Content-Length", str(len(GZIP))), ("Content-Encoding", "gzip")], GZIP),
    "chunks": ("POST", b"HTTP/1.1 201 Made it\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nA: b\r\n\r\n"
                       b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n", 201, "Made it", [("A", "b")], b"abcdefg"),
    "interim": ("POST", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok(b"x"),
                200, "OK", [("Content-Length", "1")], b"x"),
    "named": ("GET", ok(b"", more=b"Connection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nX-Other: 2\r\n"),
              200, "OK", [("Content-Length", "0"), ("X-Other", "2")], b""),
    "until_closed": ("GET", b"HTTP/1.0 200 OK\r\n\r\nall that comes", 200, "OK", [], b"all that comes"),
    "no_reason": ("GET", b"HTTP/1.1 418\r\nContent-Length: 0\r\n\r\n", 418, "", [("Content-Length", "0")], b""),
    "no_content": ("DELETE", b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, "No Content", [("X", "y")], b""),
    "not_modified": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n", 304, "Not Modified",
                     [("Content-Length", "9"), ("ETag", '"x"')], b""),
    "head": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", 200, "OK",
             [("Content-Length", "1000000000")], b""),
    "elsewhere": ("GET", ok(b"", "302 Found", b"Location: http://127.0.0.1:1/\r\n"), 302, "Found",
                  [("Content-Length", "0"), ("Location", "http://127.0.0.1:1/")], b""),
    "error": ("POST", ok(b"sorry", "500 Oh"), 500, "Oh", [("Content-Length", "5")], b"sorry"),
    "asks": ("GET", ok(b"who?", "401 No", b"WWW-Authenticate: Basic realm=x\r\n"), 401, "No",
             [("Content-Length", "4"), ("WWW-Authenticate", "Basic realm=x")], b"who?"),
    "control": ("GET", ok(b"", more=b"X-Note: a\x1b[31mb\x7f\x01c\r\nX-Tab: a\tb\r\n\x02X: 1\r\n"), 200, "OK",
                [("Content-Length", "0"), ("X-Note", "a [31mb  c"), ("X-Tab", "a\tb")], b""),
    "large": ("OPTIONS", ok(os.urandom(3000000)), 200, "OK", [("Content-Length", "3000000")], None),
}


def test_the_response_as_it_came(replays):
    replays.site.answers = {name: answer[1] for name, answer in ANSWERS.items()}
    tasks = {name: replays.defer(f"/raw/{name}", answer[0]) for name, answer in ANSWERS.items()}
    replays.start()
    for name, (method, raw, status, reason, headers, body) in ANSWERS.items():
        row = replays.wait(tasks[name])
        body = raw.partition(b"\r\n\r\n")[2] if body is None else body
        assert (row["status"], row["result"]) == ("success", {"status": status, "bytes": len(body)}), (name, row["error"])
        assert replays.kept(tasks[name]) == (status, reason, headers, body), name
    assert len(replays.site.seen) == len(ANSWERS)
    given = replays.queue.stack.request("GET", f"/v1/tasks/{tasks['chunks']}/result")
    assert (given.status_code, given.reason, given.content, given.headers["A"]) == (201, "Made it", b"abcdefg", "b")
    given = replays.queue.stack.request("GET", f"/v1/tasks/{tasks['control']}/result")
    assert (given.status_code, given.headers["X-Note"]) == (200, "a [31mb  c")


def test_what_is_not_kept(replays):
    """A body over the limit, announced or not; a response that nobody wants; statuses that are failures."""
    chunks = b"".join(b"400\r\n" + b"x" * 1024 + b"\r\n" for _ in range(40)) + b"0\r\n\r\n"
    replays.site.answers = {"announced": ok(b"x" * 40000), "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + chunks, "limit": ok(b"x" * 32768), "bad": ok(b"", "404 No"), "worse": ok(b"", "500 No")}
    too_large = [replays.defer(f"/raw/{name}", "POST") for name in ("announced", "chunks")]
    limit, fails, works = (replays.defer(f"/raw/{name}") for name in ("limit", "worse", "bad"))
    forgotten = replays.defer("/raw/announced", HTTP_PREFER="respond-async, forget")
    replays.start(**{"defer.max_result": '"32KiB"', 'site "demo".fail_status': "{5xx, 418}"})
    for task in too_large:
        row = replays.wait(task)
        assert (row["status"], row["error"]["code"], row["attempt"]) == ("failure", "too_large", 1)
        assert replays.sealed(task)[0] == 1
    assert replays.wait(limit)["result"] == {"status": 200, "bytes": 32768}
    row = replays.wait(fails)
    assert (row["status"], row["error"]) == ("failure", {"code": "upstream_status", "message": "the site answered 500 No"})
    assert replays.wait(works)["result"] == {"status": 404, "bytes": 0}
    row = replays.wait(forgotten)
    assert (row["status"], row["result"], replays.kept(forgotten)) == ("success", {"status": 200, "bytes": 40000}, None)
    replays.queue.check_files()


def test_a_busy_site_is_asked_again(replays):
    """As late as it says, if the request may reach it twice; the last answer is the result."""
    once, thrice, post = replays.defer("/busy?1"), replays.defer("/busy?3"), replays.defer("/busy?9", "POST")
    replays.start(**{'type "http_request".max_attempts': 2})
    row = replays.wait(once)
    assert (row["status"], row["attempt"], row["result"]["status"]) == ("success", 2, 200)
    starts = replays.queue.sql(f"SELECT started_at, finished_at FROM {CLAIMS} WHERE task_id = %s ORDER BY fence", (once,))
    assert (starts[1][0] - starts[0][1]).total_seconds() >= 1
    keys = {one.get("Idempotency-Key")[0] for one in replays.site.seen if one.target == "/busy?1"}
    assert len(keys) == 1
    row = replays.wait(thrice)
    assert (row["status"], row["attempt"], replays.kept(thrice)[3]) == ("success", 2, b"later")
    row = replays.wait(post)
    assert (row["status"], row["attempt"], row["result"]["status"]) == ("success", 1, 503)


def test_nobody_listens(replays):
    """Then nothing has reached the site, and every request may be sent again."""
    replays.site.stop()
    os.unlink(replays.site.path)
    tasks = [replays.defer("/", method) for method in ("GET", "POST")]
    runner = replays.start(**{'type "http_request".max_attempts': 100})
    wait_until(lambda: all(len(replays.queue.attempts(task)) > 1 for task in tasks), 10)
    assert f"cannot connect to {replays.site.path}" in runner.said()
    replays.site.start()
    for task in tasks:
        assert replays.wait(task)["status"] == "success"
    assert len(replays.site.seen) == 2


@pytest.mark.parametrize("path", ["/cut", "/half"])
def test_the_site_hangs_up(replays, path):
    get, put, post = (replays.defer(path, method) for method in ("GET", "PUT", "POST"))
    marked = replays.defer(path + "?safe", "POST")
    replays.start(**{'site "demo".retry_unsafe': f'{{"{path}?safe"}}', 'type "http_request".max_attempts': 2})
    for task in (get, put, marked):
        row = replays.wait(task)
        assert (row["status"], row["attempt"], row["error"]["code"]) == ("failure", 2, "upstream_failed")
    row = replays.wait(post)
    assert (row["status"], row["attempt"], row["error"]["code"]) == ("dropped", 1, "upstream_failed")
    assert "a POST is not sent twice" in row["error"]["message"]
    assert sum(one.method == "POST" and one.target == path for one in replays.site.seen) == 1
    # its owner may try it again: what it consisted of is still there
    answer = replays.queue.stack.request("POST", f"/v1/tasks/{post}/retry")
    assert answer.status_code == 202
    wait_until(lambda: sum(one.method == "POST" and one.target == path for one in replays.site.seen) == 2, 10)
    replays.wait(post)


def carrier(runner):
    """The process that carries the replays."""
    def find():
        return [pid for pid in children(runner.pid) if title(pid) == "taskrunner-many"]
    return wait_until(find, 10)


def test_the_worker_is_killed(replays):
    """With all that it carries, each by its own rule."""
    runner = replays.start()
    tasks = {key: replays.defer(f"/wait?{key}", method) for key, method in (("g", "GET"), ("d", "DELETE"), ("p", "POST"))}
    for key in tasks:
        replays.at_site(key)
    [pid] = carrier(runner)
    os.kill(pid, signal.SIGKILL)
    row = replays.wait(tasks["p"])
    assert (row["status"], row["attempt"]) == ("dropped", 1) and "SIGKILL" in row["error"]["message"]
    for key in ("g", "d"):
        wait_until(lambda k=key: replays.site.count(f"/wait?{k}") == 2, 10)
    replays.site.release("g", "d")
    for key in ("g", "d"):
        row = replays.wait(tasks[key])
        assert (row["status"], row["attempt"]) == ("success", 2)
    assert replays.site.count("/wait?p") == 1
    replays.queue.check_files()


def test_the_runner_is_killed(replays):
    first = replays.start("first")
    get, post = replays.defer("/wait?g"), replays.defer("/wait?p", "POST")
    replays.at_site("g")
    replays.at_site("p")
    first.signal(signal.SIGKILL)
    replays.start("second")
    row = replays.wait(post, timeout=LEASE + 10)
    assert (row["status"], row["attempt"], row["error"]["code"]) == ("dropped", 1, "runner_lost")
    assert "is not sent twice" in row["error"]["message"]
    replays.at_site("g")
    wait_until(lambda: replays.site.count("/wait?g") == 2, LEASE + 10)
    replays.site.release("g")
    row = replays.wait(get)
    assert (row["status"], row["attempt"]) == ("success", 2)
    assert replays.site.count("/wait?p") == 1


def test_cancelled_and_out_of_time(replays):
    """One of many is aborted, and only that one."""
    runner = replays.start(**{'site "demo".timeout': '"2s"'})
    keep, cancel, late, safe = (replays.defer(f"/wait?{key}", method) for key, method in
                                (("keep", "GET"), ("cancel", "POST"), ("late", "POST"), ("safe", "GET")))
    for key in ("keep", "cancel", "late", "safe"):
        replays.at_site(key)
    pids = carrier(runner)
    assert replays.queue.stack.request("POST", f"/v1/tasks/{cancel}/cancel").status_code == 202
    assert replays.wait(cancel)["status"] == "cancelled"
    wait_until(lambda: "cancel" in replays.site.hung_up, 5)
    assert "keep" not in replays.site.hung_up
    replays.site.release("keep")
    assert replays.wait(keep)["status"] == "success"
    for task in (late, safe):
        row = replays.wait(task)
        assert (row["status"], row["error"]["code"], row["attempt"]) == ("failure", "timeout", 1)
    assert carrier(runner) == pids


def test_a_worker_that_hangs_is_killed(replays):
    """A task that is to stop waits no longer than the grace time; the others are tried again."""
    runner = replays.start(**{"runner.cancel_grace": '"500ms"'})
    cancel, other = replays.defer("/wait?cancel"), replays.defer("/wait?other")
    replays.at_site("cancel")
    replays.at_site("other")
    [pid] = carrier(runner)
    with Paused(pid):
        replays.queue.stack.request("POST", f"/v1/tasks/{cancel}/cancel")
        assert replays.wait(cancel)["status"] == "cancelled"
    assert not alive(pid)
    wait_until(lambda: replays.site.count("/wait?other") == 2, 10)
    replays.site.release("other")
    assert replays.wait(other)["status"] == "success"


def test_told_to_end(replays):
    """What may be sent again is handed back, the rest is dropped when the grace time is over."""
    runner = replays.start(**{"runner.shutdown_grace": '"1s"'})
    get, post, done = (replays.defer(f"/wait?{key}", method) for key, method in
                       (("g", "GET"), ("p", "POST"), ("done", "POST")))
    for key in ("g", "p", "done"):
        replays.at_site(key)
    runner.signal(signal.SIGTERM)
    replays.site.release("done")
    assert runner.wait(10) == 0
    assert replays.queue.status(get) == "fresh"
    assert replays.queue.row(done)["status"] == "success"
    row = replays.queue.row(post)
    assert (row["status"], row["error"]["code"]) == ("dropped", "runner_stopped")


def test_a_new_configuration_takes_over(replays):
    """What runs goes on in the old process; what comes goes to a new one at once."""
    runner = replays.start()
    old = replays.defer("/wait?old")
    replays.at_site("old")
    [before] = carrier(runner)
    text = runner.config.read_text()
    runner.config.write_text(text.replace("replays = 64", "replays = 1"))
    runner.signal(signal.SIGHUP)
    wait_until(lambda: "read again" in runner.said(), 10)
    new, next_one = replays.defer("/wait?new"), replays.defer("/wait?next")
    replays.at_site("new")
    assert len(carrier(runner)) == 2 and not replays.site.waiting.get("next")
    replays.site.release("new", "next", "old")
    for task in (old, new, next_one):
        assert replays.wait(task)["status"] == "success"
    wait_until(lambda: len(carrier(runner)) == 1 and before not in carrier(runner), 10)


def test_a_new_configuration_again_and_again(replays):
    """More often than there may be processes: the newest of the old ones goes on until one has ended."""
    runner = replays.start()
    slow = [f"slow{i}" for i in range(5)]
    tasks = []
    for i, key in enumerate(slow):
        tasks.append(replays.defer(f"/wait?{key}"))
        replays.at_site(key)
        runner.signal(signal.SIGHUP)
        wait_until(lambda n=i + 1: runner.said().count("read again") == n, 10)
    before = carrier(runner)
    assert len(before) == 4
    tasks.append(replays.defer("/wait?quick"))
    replays.at_site("quick")
    replays.site.release("quick")
    assert replays.wait(tasks[-1])["status"] == "success"
    replays.site.release(*slow)
    assert {replays.wait(task)["status"] for task in tasks} == {"success"}
    wait_until(lambda: not set(before) & set(children(runner.pid)), 10)
    tasks.append(replays.defer("/wait?new"))
    replays.at_site("new")
    assert len(carrier(runner)) == 1
    replays.site.release("new")
    assert replays.wait(tasks[-1])["status"] == "success"


def test_a_new_configuration_with_another_site(replays):
    """Those of older ones, as many as there may be, do not know it: its requests wait until one of them has ended."""
    runner = replays.start()
    slow = [f"slow{i}" for i in range(4)]
    other = Site(replays.queue.stack.state / "tmp/other.sock")
    for i, key in enumerate(slow):
        replays.defer(f"/wait?{key}")
        replays.at_site(key)
        if key == slow[-1]:
            runner.config.write_text(runner.config.read_text().replace(replays.site.path, other.path))
        runner.signal(signal.SIGHUP)
        wait_until(lambda n=i + 1: runner.said().count("read again") == n, 10)
    task = replays.defer("/wait?new")
    replays.queue.wait(replays.queue.make())  # the runner has found it, too
    replays.site.release(slow[0])
    wait_until(lambda: other.waiting.get("new"), 10)
    other.release("new")
    assert replays.wait(task)["status"] == "success"
    assert "new" not in replays.site.waiting
    other.stop()
    os.unlink(other.path)


def test_a_hundred_at_once(replays):
    """In one process; and a backlog of replays holds up no other task, nor the other way round."""
    runner = replays.start(**{"runner.replays": 100, "runner.workers": 1})
    long = replays.queue.make(data={"seconds": 30})
    tasks = [replays.defer("/wait?all", "POST") for _ in range(130)]
    replays.at_site("all", 100)
    assert replays.queue.status(long) == "started"
    assert len(carrier(runner)) == 1 and len(children(runner.pid)) == 2
    replays.queue.stack.request("POST", f"/v1/tasks/{long}/cancel")
    replays.wait(long)
    assert replays.wait(replays.queue.make())["status"] == "success"
    assert replays.site.most == 100
    begin = time.monotonic()
    replays.site.release("all")
    for task in tasks:
        assert replays.wait(task)["status"] == "success"
    assert replays.site.count("/wait?all") == 130
    print(f"130 answers written in {time.monotonic() - begin:.2f} s")
    replays.queue.check_files()


def test_what_cannot_be_replayed(replays):
    data = {"site": "demo", "method": "GET", "target": "/", "host": "h", "scheme": "http", "address": "", "headers": [],
            "body_bytes": 0, "user": 1, "interface": "prefer", "mode": "store"}
    made = [replays.queue.make("http_request", row) for row in (
        data, {}, "[]", "{", {**data, "target": "http://x/"}, {**data, "host": "a/b"}, {**data, "method": "G T"},
        {**data, "headers": [["a b", "c"]]}, {**data, "headers": [["A", "b\r\nC: d"]]}, {**data, "target": "/\u0100"})]
    elsewhere, nowhere = replays.defer("/here", HTTP_COOKIE="a=1"), replays.defer("/")
    replays.queue.sql("UPDATE tasks SET data = REPLACE(data, '\"/here\"', '\"/there\"') WHERE id = %s", (elsewhere,))
    replays.queue.sql("UPDATE tasks SET data = REPLACE(data, '\"demo\"', '\"other\"') WHERE id = %s", (nowhere,))
    bodyless = replays.defer("/", "POST", b"x" * 100000)
    (replays.queue.stack.shared_dir / replays.sealed(bodyless)[1]).unlink()
    replays.start()
    codes = [*["invalid_data"] * len(made), "sealed", "unknown_site", "body_gone"]
    for task, code in zip([*made, elsewhere, nowhere, bodyless], codes):
        row = replays.wait(task)
        assert (row["status"], row["error"]["code"], row["attempt"]) == ("failure", code, 1), row["data"]
    assert not replays.site.seen


def test_another_key(replays):
    task = replays.defer("/", HTTP_COOKIE="a=1")
    key = replays.queue.stack.state / "etc/defer.key"
    other = key.with_name("other.key")
    other.write_text("ab" * 32)
    subprocess.run(["chmod", "--reference", key, other], check=True)
    subprocess.run(["chown", "--reference", key, other], check=True)
    replays.start(**{"defer.key_file": f'"{other}"'})
    row = replays.wait(task)
    assert (row["status"], row["error"]["code"]) == ("failure", "sealed")
    assert "another key" in row["error"]["message"]


def test_through_nginx(replays):
    """The demo's site: as many at once as come, each answer byte for byte that of a direct request."""
    stack = replays.queue.stack
    ada = "Basic " + base64.b64encode(b"ada:demo").decode()
    paths = [f"/demo/slow?seconds=0.{n % 10}&bytes={n * 997}&status={200 + n % 3}" for n in range(60)]
    tasks = [replays.defer(path, "POST", b"x" * n, HTTP_AUTHORIZATION=ada) for n, path in enumerate(paths)]
    wrong = replays.defer("/demo/slow?seconds=0", HTTP_AUTHORIZATION="Basic " + base64.b64encode(b"ada:no").decode())
    outside = [replays.defer(path, HTTP_AUTHORIZATION=ada) for path in ("/", "/v1/tasks", "/demo/../v1/tasks")]
    replays.start(**{'site "demo".socket': f'"{stack.state}/run/replay/site.sock"'})
    for n, (task, path) in enumerate(zip(tasks, paths)):
        assert replays.wait(task)["status"] == "success"
        status, reason, headers, body = replays.kept(task)
        direct = stack.request("POST", path.replace("seconds=0", "seconds=0&"), data=b"x" * n)
        assert (status, reason) == (direct.status_code, direct.reason) and body == direct.content
        names = [name for name, _ in headers]
        assert set(names) == set(direct.headers) - {"Connection"} and len(names) == len(set(names))
    assert replays.wait(wrong)["result"]["status"] == 401
    for task in outside:
        assert replays.wait(task)["result"]["status"] == 404
    replays.queue.check_files()
