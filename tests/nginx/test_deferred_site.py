# SPDX-License-Identifier: MIT
"""Sites that know nothing of Backdesk, made asynchronous by the examples as they are installed: each response
that was deferred is, byte for byte, the direct one, but for what caches are told."""

import gzip
import hashlib
import http.server
import threading

import pytest

from nginx.deferred import Started

LARGE = bytes(range(256)) * 4096 * 50

# path: (status, headers, body); the site's whole content
PAGES = {
    "plain": (200, [("Content-Type", "text/plain")], b"hello\n"),
    "empty": (200, [("Content-Type", "text/plain")], b""),
    "twice": (200, [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2"), ("Link", "<a>"), ("Link", "<b>")], b"x"),
    "gzip": (200, [("Content-Encoding", "gzip"), ("ETag", '"g"'), ("Vary", "Accept-Encoding")], gzip.compress(b"z" * 1000)),
    "nothing": (204, [], b""),
    "many": (200, [("Set-Cookie", f"c{n}=" + "x" * 100) for n in range(33)], b"headers"),
    "moved": (302, [("Location", "/elsewhere?x=1")], b"there"),
    "absent": (404, [("Content-Type", "text/html")], b"<h1>absent</h1>"),
    "teapot": (418, [("X-Latin", "caf\u00e9")], b"short and stout"),
    "broken": (500, [], b"\x00\xff broken"),
    "chunks": (200, [("Content-Type", "application/x-chunks"), ("Transfer-Encoding", "chunked")], b"abc" * 40000),
    "large": (200, [("Content-Type", "application/octet-stream"), ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")], LARGE),
}


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    got = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/session":
            good = self.headers.get("Cookie") == "sid=good"
            status, headers, content = (200 if good else 401), [("X-User-Id", "1")] if good else [], b""
        else:
            status, headers, content = PAGES[self.path.partition("?")[0].rpartition("/")[2]]
            Site.got.append((self.command, self.path, hashlib.sha256(body).hexdigest(), self.headers))
        chunked = ("Transfer-Encoding", "chunked") in headers
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not chunked and status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD" or status == 204:
            return
        if chunked:
            for at in range(0, len(content), 50000):
                part = content[at:at + 50000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            content = b"0\r\n\r\n"
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = answer

    def log_message(self, *arguments):
        pass


def essence(headers):
    """Without what belongs to the moment or to the connection, and the mark."""
    passing = ("date", "connection", "transfer-encoding", "backdesk-task", "content-length")
    return sorted((name.lower(), value) for name, value in headers if name.lower() not in passing)


@pytest.fixture(scope="module")
def proxied(whole_stack):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    started = Started(whole_stack, "defer-proxy", {"127.0.0.1:3000": f"127.0.0.1:{server.server_port}"})
    yield started
    started.stop()
    server.shutdown()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("page", PAGES)
def test_as_if_it_had_been_direct(stack, proxied, page, method):
    path = f"/report/{page}?a=%20b"
    direct = proxied.ask(method, path, Cookie="sid=good")
    task, later = proxied.deferred(method, path, Cookie="sid=good")
    assert later[:2] == direct[:2]
    assert essence(later[2]) == sorted([*essence(direct[2]), ("cache-control", "private, no-cache")])
    assert hashlib.sha256(later[3]).digest() == hashlib.sha256(direct[3]).digest()
    assert dict(later[2])["Backdesk-Task"] == str(task)
    length = dict(direct[2]).get("Content-Length")
    assert length is None or dict(later[2])["Content-Length"] == length


def test_body_and_headers_reach_the_site(stack, proxied):
    """The same as of a direct request, but for the runner's own marks."""
    headers = {"Cookie": "sid=good", "X-Request-Id": "r7", "Content-Type": "application/x-large", "Prefer": "return=minimal"}
    proxied.ask("PUT", "/report/plain?x=//..%2f", LARGE, **headers)
    headers["Prefer"] = "respond-async, return=minimal"
    status, _, answered, _ = proxied.ask("PUT", "/report/plain?x=//..%2f", LARGE, **headers)
    assert status == 202
    stack.finish(int(dict(answered)["Location"].rpartition("/")[2]))
    direct, later = Site.got[-2:]
    assert direct[:3] == later[:3]
    own = {"x-task-id", "idempotency-key", "x-backdesk-client", "x-backdesk-user", "content-length"}
    direct, later = ({name.lower(): value for name, value in one[3].items() if name.lower() not in own | {"accept-encoding"}}
                     for one in (direct, later))
    assert direct == later
    assert set(name.lower() for name in Site.got[-1][3]) >= own


def test_a_large_upload_beside_it(proxied):
    """The question who sends it has no limit of its own, whichever locations it goes through."""
    status, _, _, body = proxied.ask("POST", "/v1/tasks/uploads", LARGE[:2 << 20], Cookie="sid=good",
                                     **{"Content-Type": "text/csv"})
    assert status == 201, body


def test_secrets_are_wiped(stack, proxied):
    task, _ = proxied.deferred("POST", "/report/plain", b"body", Cookie="sid=good")
    assert stack.sql("SELECT sealed, body_path FROM http_requests WHERE task_id = %s", [task]) == [(None, None)]
    answer = stack.request("POST", f"/v1/tasks/{task}/retry")
    assert answer.status_code == 409 and answer.json()["code"] == "not_retryable"


def test_who_waits_gets_what_nginx_has_room_for(proxied):
    """A response with more headers than nginx takes in a location that says nothing of buffers is no 502."""
    status, _, answered, body = proxied.ask("GET", "/report/many", Prefer="respond-async, wait=20", Cookie="sid=good")
    assert status == 202 and b'"status":"success"' in body
    result = proxied.ask("GET", dict(answered)["Location"] + "/result", Cookie="sid=good")
    assert (result[0], result[3]) == (200, b"headers")


def test_refused_before_and_after(stack, proxied):
    """Wrong at capture: nothing is queued. Revoked before the replay: its own 401 is the result."""
    before = stack.sql("SELECT COUNT(*) FROM tasks")
    assert proxied.ask("GET", "/report/plain", Prefer="respond-async", Cookie="sid=bad")[0] == 401
    assert proxied.ask("GET", "/report/plain", Prefer="respond-async")[0] == 401
    assert stack.sql("SELECT COUNT(*) FROM tasks") == before
    # what lets API tokens through to the pool does not protect the site
    assert proxied.ask("GET", "/report/plain", Authorization="Bearer x")[0] == 401
    assert dict(proxied.ask("GET", "/v1/tasks", Authorization="Bearer x")[2])["WWW-Authenticate"].startswith("Bearer")
    assert proxied.ask("GET", "/report/plain", Prefer="respond-async, wait=20", Cookie="sid=good")[3] == b"hello\n"


def test_check_nginx(stack, proxied):
    done = stack.taskctl("check-nginx", str(proxied.place / "etc/nginx.conf"), config=proxied.config)
    assert done.stdout.endswith("nginx.conf: 1 location defers\n") and not done.stderr
    other = stack.variant("shorter", {'site "demo".socket': f'"{proxied.place}/replay.soc"'})  # there begins another name
    done = stack.taskctl("check-nginx", str(proxied.place / "etc/nginx.conf"), config=other, check=False)
    assert done.returncode == 1 and 'site "demo" socket: no server of nginx listens' in done.stderr
    done = stack.taskctl("check-nginx", str(proxied.place / "etc/nginx.conf"), check=False)
    assert done.returncode == 1 and 'site "demo" socket: no server of nginx listens' in done.stderr
