# SPDX-License-Identifier: MIT
"""Requests of the site as the pool takes them in, what it keeps of them, and stored responses as it gives
them back. Nothing is replayed here: the type is paused."""

import base64
import hashlib
import http.client
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.conftest import USERS, Pool, assert_problem
from stack import wait_until

PREFER = {"Prefer": "respond-async"}


@pytest.fixture(scope="module", autouse=True)
def paused(swept_stack):
    swept_stack.taskctl("pause", "http_request")
    yield
    swept_stack.taskctl("resume", "http_request")


def captured(pool, body=None, user=1, **params):
    """One deferred request as nginx hands it over; params None take one away."""
    with pool.connect(30) as connection:
        return connection.request(method="GET", path="/x", user=user, body=body, **{
            "BACKDESK_DEFER": "prefer", "BACKDESK_METHOD": "GET", "BACKDESK_URI": "/x?y=1", "BACKDESK_HOST": "site",
            "BACKDESK_SCHEME": "http", "BACKDESK_ADDR": "192.0.2.7", "HTTP_PREFER": "respond-async", **params})


def row(stack, task_id):
    [(sealed, path, size, job)] = stack.sql(
        "SELECT sealed, body_path, body_bytes, job_of FROM http_requests WHERE task_id = %s", [task_id])
    return sealed, path, size, job


def test_capture(stack):
    """By nginx, from a client to the row."""
    body = bytes(range(256)) * 1000
    answer = stack.request("PATCH", "/demo/slow?seconds=0&x=%2F..%2F", data=body,
                           headers={**PREFER, "X-Request-Id": "r1", "Cookie": "sid=secret",
                                    "Content-Type": "application/x-any", "X-Accel-Redirect": "/no"})
    assert answer.status_code == 202
    task = answer.json()
    assert answer.headers["Location"] == f"/v1/tasks/{task['id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Retry-After"]
    data = task["data"]
    headers = dict(data.pop("headers"))
    assert data == {"site": "demo", "method": "PATCH", "target": "/demo/slow?seconds=0&x=%2F..%2F",
                    "host": stack.base_url.removeprefix("http://"), "scheme": "http", "address": "127.0.0.1",
                    "body_bytes": len(body), "user": 1, "interface": "prefer", "mode": "store"}
    assert headers["X-Request-Id"] == "r1" and headers["Content-Type"] == "application/x-any"
    assert {"Cookie", "Authorization", "Prefer", "Host", "Content-Length", "X-Accel-Redirect"}.isdisjoint(headers)
    sealed, path, size, job = row(stack, task["id"])
    assert size == len(body) and job is None
    assert (stack.shared_dir / path).read_bytes() == body
    assert b"secret" not in sealed and sealed[0] == 1


def test_seal_opens_with_the_key_only_there(stack):
    """The row by other means: AES-256-GCM, bound to site, method and URI."""
    aead = pytest.importorskip("cryptography.hazmat.primitives.ciphers.aead")
    task = stack.request("GET", "/demo/slow", headers={**PREFER, "Cookie": "a=1"}).json()
    sealed = row(stack, task["id"])[0]
    key = bytes.fromhex((stack.state / "etc/defer.key").read_text().strip())
    text = aead.AESGCM(key).decrypt(sealed[5:17], sealed[17:], sealed[:5] + b"demo\0GET\0/demo/slow\0")
    assert ["Cookie", "a=1"] in json.loads(text)


def test_nobody_is_refused(stack, pool):
    one = pool()
    before = stack.sql("SELECT COUNT(*) FROM tasks")
    for user in ("", "0", "x", "1x", "-1"):
        answer = captured(one, user=user, HTTP_AUTHORIZATION="Bearer bd_x")
        assert answer.status == 401 and "WWW-Authenticate" in answer.headers
    assert stack.sql("SELECT COUNT(*) FROM tasks") == before


@pytest.mark.parametrize("params", [
    {"BACKDESK_URI": "http://evil.example/"}, {"BACKDESK_URI": ""}, {"BACKDESK_URI": "*"}, {"BACKDESK_URI": "/a b"},
    {"BACKDESK_URI": "/a\r\nX: y"}, {"BACKDESK_METHOD": ""}, {"BACKDESK_METHOD": "GET /"}, {"BACKDESK_METHOD": "G" * 33},
    {"BACKDESK_HOST": "a b"}, {"BACKDESK_HOST": "a/b"}, {"BACKDESK_HOST": ""}, {"HTTP_X_A": "a\r\nb"},
])
def test_bad_requests(pool, params):
    assert captured(pool(), **params).status == 400


def test_host_is_what_nginx_has_chosen(pool):
    """A port is taken from the client, nothing else."""
    one = pool()
    for sent, kept in (("site:8080", "site:8080"), ("SITE:1", "SITE:1"), ("evil", "site"), ("site.evil", "site"),
                       ("site:8080x", "site"), ("site:", "site"), ("", "site"), ("site:123456", "site")):
        answer = captured(one, BACKDESK_HTTP_HOST=sent)
        assert answer.json()["data"]["host"] == kept, sent


def test_address(pool):
    """Kept is what the runner takes; a client on a Unix socket has none."""
    one = pool()
    for sent, kept in (("192.0.2.7", "192.0.2.7"), ("2001:DB8::1", "2001:DB8::1"), ("unix:", ""), ("", "")):
        assert captured(one, BACKDESK_ADDR=sent).json()["data"]["address"] == kept, sent


def test_unknown_site(pool):
    one = pool()
    assert captured(one, BACKDESK_SITE="demo").status == 202
    assert captured(one, BACKDESK_SITE="other").status == 500
    assert "$backdesk_site" in one.log()


def test_body_limit(stack):
    one = Pool(stack, "small", {"api.processes": 1, "defer.max_body": '"64KiB"'})
    try:
        files = sum(1 for _ in stack.shared_dir.rglob("*.body*"))
        assert captured(one, body=b"x" * 65536, CONTENT_LENGTH="").status == 202
        assert captured(one, body=b"x" * 65537, CONTENT_LENGTH="").status == 413
        refused = captured(one, body=b"x" * 65537)
        assert refused.status == 413
        assert refused.json()["detail"] == "The body is larger than 65536 bytes, the setting defer.max_body."
        assert captured(one, body=b"x" * 100, CONTENT_LENGTH="99").status == 400
        assert sum(1 for _ in stack.shared_dir.rglob("*.body*")) == files + 1
    finally:
        one.stop()


def test_forget(stack):
    answer = stack.request("GET", "/demo/slow", headers={"Prefer": "respond-async, forget"})
    assert answer.status_code == 202 and answer.content == b"" and "Location" not in answer.headers
    [(data,)] = stack.sql("SELECT data FROM tasks ORDER BY id DESC LIMIT 1")
    assert json.loads(data)["mode"] == "forget"


def test_not_asked(stack):
    """Preferences of another kind change nothing, and reach the site."""
    for prefer in ("wait=5", "respond-asynchronous", "x=respond-async", "return=minimal"):
        answer = stack.request("GET", "/demo/slow", headers={"Prefer": prefer})
        assert answer.status_code == 200 and answer.json()["headers"]["Prefer"] == prefer


def test_idempotency_key(stack):
    """The same request once, however many ask; a key's scope is one method and URI; another body is refused."""
    key = {**PREFER, "Idempotency-Key": os.urandom(8).hex()}

    def post(path="/demo/slow?k=1", body=b"one"):
        return stack.request("POST", path, headers=key, data=body)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(), range(16)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 15
    assert_problem(post(body=b"two"), 422, "key_reused")
    assert post("/demo/slow?k=2").json()["id"] != answers[0].json()["id"]
    headers = dict(answers[0].json()["data"]["headers"])
    assert headers["Idempotency-Key"] == key["Idempotency-Key"]
    strange = {**PREFER, "Idempotency-Key": "\u00e9"}
    assert stack.request("POST", "/demo/slow", headers={k: v.encode("latin-1") for k, v in strange.items()}).status_code == 202


def test_limits(stack):
    one = Pool(stack, "full", {"api.processes": 1, "queue.waiting_total": 1})
    try:
        answer = captured(one)
        assert answer.status == 503 and "Retry-After" in answer.headers and answer.json()["code"] == "queue_full"
    finally:
        one.stop()


def test_always(stack):
    browser = stack.request("GET", "/demo/always", headers={"Accept": "text/html,*/*"})
    assert browser.status_code == 303 and browser.headers["Location"].startswith("/tasks/waiting.html#")
    program = stack.request("GET", "/demo/always")
    assert program.status_code == 202 and program.headers["Location"].startswith("/v1/tasks/")
    assert "Preference-Applied" not in program.headers


def test_cannot_be_posted(stack):
    answer = stack.request("POST", "/v1/tasks", json={"type": "http_request", "data": {}})
    assert answer.status_code == 422


# --- what belongs to a request goes with it ----------------------------------------------------------


def test_deletion(stack):
    task = stack.request("POST", "/demo/slow", headers=PREFER, data=b"body").json()
    path = stack.shared_dir / row(stack, task["id"])[1]
    assert stack.request("POST", f"/v1/tasks/{task['id']}/cancel").status_code == 202
    assert path.exists()
    assert stack.request("DELETE", f"/v1/tasks/{task['id']}").status_code == 204
    assert not stack.sql("SELECT 1 FROM http_requests WHERE task_id = %s", [task["id"]])
    wait_until(lambda: not path.exists(), 10)


def test_retry(stack):
    """As long as it is kept."""
    task = stack.request("POST", "/demo/slow", headers=PREFER, data=b"body").json()
    url = f"/v1/tasks/{task['id']}"
    assert stack.request("POST", f"{url}/cancel").status_code == 202
    assert stack.request("POST", f"{url}/retry").status_code == 202
    assert stack.request("POST", f"{url}/cancel").status_code == 202
    stack.sql("UPDATE http_requests SET sealed = NULL WHERE task_id = %s", [task["id"]])
    assert_problem(stack.request("POST", f"{url}/retry"), 409, "not_retryable")
    stack.sql("DELETE FROM http_requests WHERE task_id = %s", [task["id"]])
    assert_problem(stack.request("POST", f"{url}/retry"), 409, "not_retryable")


# --- responses ----------------------------------------------------------------------------------------


@pytest.fixture
def respond(stack, make):
    """respond(body, headers, status, ...) -> the id of a task with this stored response."""
    def insert(body=b"hello", headers=(), status=200, reason="OK", user="ada", method="GET", job=False, **columns):
        task = make("success", user, type="http_request", data=json.dumps({"method": method, "target": "/demo/a/b?x=1"}),
                    result=json.dumps({"status": status, "bytes": len(body)}), finished_at="2026-01-01 00:00:00", **columns)
        head = json.dumps({"status": status, "reason": reason, "headers": [list(pair) for pair in headers]})
        path = stack.shared_dir / "zz" / f"{task}-1-{os.urandom(16).hex()}.response"
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        path.write_bytes(head.encode() + b"\n" + body)
        path.chmod(0o644)
        stack.sql("INSERT INTO csv_export (filename, owner_id, task_id, format, path, bytes, purpose)"
                  " VALUES ('response', %s, %s, 'http', %s, %s, 'response')",
                  [USERS[user], task, f"zz/{path.name}", path.stat().st_size])
        stack.sql("INSERT INTO http_requests (task_id, job_of) VALUES (%s, %s)", [task, USERS[user] if job else None])
        return task
    return insert


def raw(stack, path, method="GET", user="ada"):
    """Status line, header lines and body as they came."""
    connection = http.client.HTTPConnection(stack.base_url.removeprefix("http://"), timeout=30)
    credentials = base64.b64encode(f"{user}:demo".encode()).decode()
    connection.request(method, path, headers={"Authorization": f"Basic {credentials}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_response_as_it_was(stack, respond):
    body = os.urandom(300000)
    sent = [("Content-Type", "image/x"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/"), ("ETag", '"e"'),
            ("Content-Encoding", "gzip"), ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT"), ("X-Latin", "\u00e9"),
            ("Vary", "Accept"), ("Vary", "Cookie"), ("Cache-Control", "private, no-transform"), ("Content-Length", "300000")]
    task = respond(body, sent, 418, "I'm a teapot")
    for _ in range(2):
        answer, got = raw(stack, f"/v1/tasks/{task}/result")
        assert (answer.status, answer.reason) == (418, "I'm a teapot")
        assert hashlib.sha256(got).digest() == hashlib.sha256(body).digest()
        assert set(sent) <= set(answer.getheaders())
        assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2; Path=/"]
        assert answer.headers["Backdesk-Task"] == str(task)
        assert "X-Content-Type-Options" not in answer.headers
    head, got = raw(stack, f"/v1/tasks/{task}/result", "HEAD")
    assert head.status == 418 and got == b"" and head.headers["Content-Length"] == "300000"
    assert_problem(stack.request("GET", f"/v1/tasks/{task}/result", "grace"), 404, "not_found")
    assert raw(stack, f"/v1/tasks/{task}/result", user="admin")[1] == body
    assert stack.request("GET", f"/v1/tasks/{task}").json()["links"]["result"]


@pytest.mark.parametrize("said, control", [
    ([], "private, no-cache"), (["public, max-age=60"], "private, max-age=60"), (["no-store"], "private, no-store"),
    (['private="a, b", s-maxage=9', "immutable"], "private, immutable")])
def test_response_is_not_for_shared_caches(stack, respond, said, control):
    """Each user sees what is his at this URL, and others do not."""
    task = respond(headers=[("Cache-Control", value) for value in said] + [("CDN-Cache-Control", "public")])
    answer, _ = raw(stack, f"/v1/tasks/{task}/result")
    assert answer.headers.get_all("Cache-Control") == [control]
    assert "CDN-Cache-Control" not in answer.headers


def test_response_of_another_user(stack, respond):
    """An admin who looks at it does not become that user, and no script of it runs in his name."""
    task = respond(b"<script>", [("Content-Type", "text/html"), ("set-cookie", "session=ada"), ("Clear-Site-Data", '"*"'),
                                 ("Content-Security-Policy", "default-src *"), ("X-Site", "yes")])
    answer, body = raw(stack, f"/v1/tasks/{task}/result", user="admin")
    assert (answer.status, body) == (200, b"<script>")
    assert "Set-Cookie" not in answer.headers and "Clear-Site-Data" not in answer.headers
    assert answer.headers["X-Site"] == "yes" and answer.headers["Content-Type"] == "text/html"
    assert answer.headers.get_all("Content-Security-Policy") == ["default-src 'none'; sandbox"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Content-Disposition"] == "attachment"
    answer, _ = raw(stack, f"/v1/tasks/{task}/result")
    assert answer.headers["Set-Cookie"] == "session=ada" and answer.headers["Clear-Site-Data"] == '"*"'
    assert answer.headers["Content-Security-Policy"] == "default-src *" and "Content-Disposition" not in answer.headers


def test_response_does_not_steer(stack, respond):
    """Neither nginx nor the connection: what would is left out, whatever its case."""
    bad = [("X-Accel-Redirect", "/_backdesk_files/x"), ("x-accel-buffering", "no"), ("X-Accel-Charset", "x"), ("Status", "500"),
           ("status", "500"), ("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Keep-Alive", "x"), ("Upgrade", "h2c"),
           ("Content-Length", "9"), ("Backdesk-Task", "9"), ("Trailer", "x"), ("Bad Name", "x"), ("X-Fine", "yes")]
    task = respond(b"abc", bad)
    answer, body = raw(stack, f"/v1/tasks/{task}/result")
    assert answer.status == 200 and body == b"abc"
    names = [name.lower() for name, _ in answer.getheaders()]
    assert "x-fine" in names and not any(name.startswith("x-accel") or name in ("status", "upgrade", "bad name") for name in names)
    assert answer.headers.get_all("Backdesk-Task") == [str(task)] and answer.headers.get_all("Content-Length") == ["3"]


@pytest.mark.parametrize("status", [204, 304, 301, 404, 500, 599])
def test_statuses(stack, respond, status):
    task = respond(b"" if status in (204, 304) else b"x", [("Location", "/elsewhere"), ("Content-Length", "77")], status, "")
    answer, body = raw(stack, f"/v1/tasks/{task}/result")
    assert answer.status == status and answer.headers["Backdesk-Task"] == str(task)
    assert answer.headers["Location"] == "/elsewhere"
    assert body == (b"" if status in (204, 304) else b"x")


def test_response_leads_where_it_did(stack, respond):
    """Though it is given at another URL."""
    answer, _ = raw(stack, f"/v1/tasks/{respond(headers=[('location', '../c?y=2'), ('Content-Location', '?z')])}/result")
    assert (answer.headers["Location"], answer.headers["Content-Location"]) == ("/demo/c?y=2", "/demo/a/b?z")
    answer, _ = raw(stack, f"/v1/tasks/{respond(headers=[('Location', 'https://example.com/x')])}/result")
    assert answer.headers["Location"] == "https://example.com/x"


def test_response_of_head(stack, respond):
    task = respond(b"", [("Content-Length", "1234"), ("ETag", '"h"')], method="HEAD")
    got, body = raw(stack, f"/v1/tasks/{task}/result")
    assert got.status == 200 and body == b"" and got.headers["ETag"] == '"h"'
    head, body = raw(stack, f"/v1/tasks/{task}/result", "HEAD")
    assert head.headers["Content-Length"] == "1234" and body == b""


def test_response_is_no_download(stack, respond):
    task = respond()
    [(file,)] = stack.sql("SELECT id FROM csv_export WHERE task_id = %s", [task])
    assert_problem(stack.request("GET", f"/v1/tasks/{task}/download"), 404)
    assert_problem(stack.request("GET", f"/v1/tasks/exports/{file}/download"), 404)
    assert all(export["id"] != file for export in stack.request("GET", "/v1/tasks/exports").json()["exports"])
    assert "download" not in stack.request("GET", f"/v1/tasks/{task}").json()["links"]


def test_broken_responses(stack, respond):
    task = respond()
    [(path,)] = stack.sql("SELECT path FROM csv_export WHERE task_id = %s", [task])
    file = stack.shared_dir / path
    file.write_bytes(b'{"status":99}\nx')
    assert_problem(stack.request("GET", f"/v1/tasks/{task}/result"), 500, "internal")
    file.unlink()
    assert_problem(stack.request("GET", f"/v1/tasks/{task}/result"), 410, "file_gone")


def test_wait(stack, respond):
    """A response that is there in time is the answer; else 202 as without."""
    started = time.monotonic()
    answer = stack.request("GET", "/demo/slow", headers={"Prefer": "respond-async, wait=1"})
    assert answer.status_code == 202 and time.monotonic() - started >= 0.9
    assert "wait=1" in answer.headers["Preference-Applied"]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(stack.request, "GET", "/demo/slow?w=1", headers={"Prefer": "respond-async, wait=20"})
        [(task,)] = wait_until(lambda: stack.sql("SELECT id FROM tasks WHERE type = 'http_request' AND data LIKE '%%?w=1%%'"))
        other = respond(b"ready", [("X-From", "site")], 201, "Created")
        stack.sql("UPDATE csv_export SET task_id = %s WHERE task_id = %s", [task, other])
        stack.sql("UPDATE tasks SET status = 'success', finished_at = UTC_TIMESTAMP(6) WHERE id = %s", [task])
        answer = waiting.result()
    assert answer.status_code == 201 and answer.content == b"ready" and answer.headers["X-From"] == "site"
    assert answer.headers["Backdesk-Task"] == str(task)


# --- jobs ------------------------------------------------------------------------------------------------


def job(stack, method, path, user="ada", prefix="", **options):
    return stack.request(method, f"{prefix}/_api/job{path}", user, **options)


def is_error(answer, status):
    body = answer.json()
    return answer.status_code == status and body["error"] is True and body["code"] == status and body["errorMessage"]


def test_job_pending(stack):
    answer = stack.request("POST", "/demo/slow", headers={"x-arango-async": "store"}, data=b"x")
    assert answer.status_code == 202 and answer.content == b""
    task = answer.headers["x-arango-async-id"]
    assert row(stack, task)[3] == 1
    for prefix in ("", "/_db/_system"):
        assert job(stack, "GET", f"/{task}", prefix=prefix).status_code == 204
        assert job(stack, "PUT", f"/{task}", prefix=prefix).status_code == 204
    assert task in job(stack, "GET", "/pending").json() and task not in job(stack, "GET", "/done").json()
    for method, path in (("GET", ""), ("PUT", ""), ("PUT", "/cancel"), ("DELETE", "")):
        for user in ("grace", "admin"):
            assert is_error(job(stack, method, f"/{task}{path}", user), 404)
    assert job(stack, "PUT", f"/{task}/cancel").json() == {"result": True}
    assert job(stack, "GET", f"/{task}").status_code == 200
    assert is_error(job(stack, "PUT", f"/{task}"), 410)
    assert is_error(job(stack, "PUT", f"/{task}"), 404)


def test_job_without_store(stack):
    answer = stack.request("GET", "/demo/slow", headers={"x-arango-async": "true"})
    assert answer.status_code == 202 and "x-arango-async-id" not in answer.headers and answer.content == b""
    [(task,)] = stack.sql("SELECT MAX(id) FROM tasks")
    assert job(stack, "GET", f"/{task}").status_code == 404
    assert stack.request("GET", "/demo/slow", headers={"x-arango-async": "other"}).status_code == 200


def test_job_whose_response_is_gone(stack, respond):
    task = respond(b"payload", [], job=True)
    [path] = (stack.shared_dir / "zz").glob(f"{task}-*")
    path.unlink()
    assert is_error(job(stack, "PUT", f"/{task}"), 410)


def test_job_taken_once(stack, respond):
    task = respond(b"payload", [("X-From", "site")], 201, "Created", job=True)
    assert job(stack, "GET", f"/{task}").status_code == 200
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: job(stack, "PUT", f"/{task}"), range(4)))
    [taken] = [answer for answer in answers if answer.status_code == 201]
    assert all(is_error(answer, 404) for answer in answers if answer is not taken)
    assert taken.content == b"payload" and taken.headers["x-arango-async-id"] == str(task)
    assert taken.headers["X-From"] == "site"
    assert stack.request("GET", f"/v1/tasks/{task}").status_code == 404


def test_job_of_preference_is_none(stack, respond):
    assert is_error(job(stack, "PUT", f"/{respond()}"), 404)


def test_job_lists(stack, respond):
    job(stack, "DELETE", "/all")
    done = [str(respond(job=True)) for _ in range(3)]
    assert job(stack, "GET", "/done").json() == done
    assert job(stack, "GET", "/done?count=2").json() == done[:2]
    assert job(stack, "GET", "/done?count=0").json() == []
    assert is_error(job(stack, "GET", "/done?count=x"), 400)
    assert job(stack, "GET", "/done", "grace").json() == []


def test_job_deletion(stack, respond):
    task = respond(job=True)
    assert job(stack, "DELETE", f"/{task}").json() == {"result": True}
    assert is_error(job(stack, "DELETE", f"/{task}"), 404)
    old, new = respond(job=True, created_at="2020-01-01 00:00:00"), respond(job=True)
    assert is_error(job(stack, "DELETE", "/expired"), 400)
    assert is_error(job(stack, "DELETE", "/expired?stamp=x"), 400)
    assert job(stack, "DELETE", "/expired?stamp=1600000000.5").json() == {"result": True}
    assert job(stack, "GET", f"/{old}").status_code == 404 and job(stack, "GET", f"/{new}").status_code == 200
    pending = stack.request("GET", "/demo/slow", headers={"x-arango-async": "store"}).headers["x-arango-async-id"]
    foreign = respond(job=True, user="grace")
    assert job(stack, "DELETE", "/all").json() == {"result": True}
    assert job(stack, "GET", f"/{pending}").status_code == 404 and job(stack, "GET", f"/{new}").status_code == 404
    assert job(stack, "GET", f"/{foreign}", "grace").status_code == 200
    assert stack.task(pending)["status"] == "fresh"


@pytest.mark.parametrize("method, path, status", [
    ("GET", "", 400), ("GET", "/", 400), ("GET", "/word", 400), ("GET", "/1/2", 400), ("PUT", "", 400),
    ("PUT", "/1/other", 400), ("PUT", "/word", 404), ("PUT", "/word/cancel", 404), ("PUT", "/999999999", 404),
    ("DELETE", "/word", 404), ("DELETE", "/999999999", 404), ("DELETE", "", 400), ("GET", "/999999999", 404)])
def test_job_mistakes(stack, method, path, status):
    assert is_error(job(stack, method, path), status)


def test_job_methods(stack):
    answer = job(stack, "POST", "/1")
    assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD, PUT, DELETE"
    assert job(stack, "GET", "/1", None).status_code == 401
    assert stack.request("GET", "/_api/jobs").status_code == 404
