# SPDX-License-Identifier: MIT
"""A small site in front of the stack, to test what is hard to bring about with nginx alone: a visitor
who is not signed in where there is no password prompt, and a server that is gone for a while."""
import base64
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Of one connection, not of the answer (RFC 9110, section 7.6.1), and what would ask for a password.
DROPPED = {"connection", "keep-alive", "transfer-encoding", "content-length", "www-authenticate"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def _forward(self):
        relay = self.server.relay
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "POST":
            relay.keys.append(self.headers.get("Idempotency-Key"))
        if self.path.startswith("/v1/") and not relay.reachable:
            self.close_connection = True  # without a byte of an answer
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() not in DROPPED | {"host"}}
        if relay.signed_in or not self.path.startswith("/v1/"):
            headers["Authorization"] = relay.authorization
        upstream = http.client.HTTPConnection(relay.upstream, timeout=60)
        try:
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            self._answer(answer, answer.read())
        finally:
            upstream.close()

    def _answer(self, answer, body):
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in DROPPED | {"server", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _forward


class Relay:
    """With `with`: forwards to BASE_URL as USER (name, password)."""

    def __init__(self, base_url, user):
        self.upstream = urlsplit(base_url).netloc
        self.authorization = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        self.signed_in = True
        self.reachable = True
        self.keys = []  # the Idempotency-Key of each POST
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.relay = self
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()
