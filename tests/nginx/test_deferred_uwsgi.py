# SPDX-License-Identifier: MIT
"""The same for a site behind uwsgi_pass: a small server of that protocol, which knows nothing of Backdesk."""

import hashlib
import os
import socketserver
import struct
import threading

import pytest

from nginx.deferred import Started
from stack import wait_until


class Uwsgi(socketserver.StreamRequestHandler):
    """One request: a header of 4 bytes, the variables, the body (the uwsgi protocol, modifier 0)."""

    def handle(self):
        _, size, _ = struct.unpack("<BHB", self.rfile.read(4))
        block, words = self.rfile.read(size), []
        while block:
            length, = struct.unpack_from("<H", block)
            words.append(block[2:2 + length].decode())
            block = block[2 + length:]
        seen = dict(zip(words[::2], words[1::2]))
        body = self.rfile.read(int(seen.get("CONTENT_LENGTH") or 0))
        text = f"{seen['REQUEST_METHOD']} {seen['REQUEST_URI']} {seen.get('HTTP_X_SEEN')} {hashlib.md5(body).hexdigest()}"
        self.wfile.write(f"HTTP/1.1 418 Teapot\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n{text}".encode())


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture(scope="module")
def uwsgi(whole_stack):
    path = str(whole_stack.state / "tmp" / "uwsgi.sock")
    server = Server(path, Uwsgi)
    os.chmod(path, 0o666)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    started = Started(whole_stack, "defer-uwsgi", {"/run/site/uwsgi.sock": path})
    yield started
    started.stop()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("method, body", [("GET", None), ("PUT", b"\x00\xff" * 50000)], ids=["get", "put"])
def test_uwsgi(stack, uwsgi, method, body):
    headers = {"Authorization": "Basic YWRhOmRlbW8=", "X-Seen": "yes"}
    target = "/report?x=%2F&y"
    direct = uwsgi.ask(method, target, body, **headers)
    assert direct[0] == 418 and direct[3].decode().startswith(f"{method} {target} yes ")
    status, _, answered, _ = uwsgi.ask(method, target, body, Prefer="respond-async", **headers)
    assert status == 202
    task = int(dict(answered)["Location"].rpartition("/")[2])
    wait_until(lambda: stack.task(task)["status"] == "success", 20)
    answer = stack.request("GET", f"/v1/tasks/{task}/result")
    assert (answer.status_code, answer.content) == (direct[0], direct[3])
    assert answer.raw.headers.getlist("Set-Cookie") == ["a=1", "b=2"]
    assert uwsgi.ask(method, target, body, Prefer="respond-async", **{"X-Seen": "yes"})[0] == 401
