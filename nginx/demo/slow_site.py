#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The demo's site, on a Unix socket: any method on any path is answered after `seconds` with what came in.

?seconds=S    how long it takes (0)          ?status=N    the answer's status (200)
?bytes=B      the same B bytes every time, in place of {"method", "target", "headers", "body" (base64)}
"""

import base64
import json
import os
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

CHUNK = bytes(range(256)) * 256


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            wishes = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
            seconds, status = float(wishes.get("seconds", 0)), int(wishes.get("status", 200))
            size = int(wishes["bytes"]) if "bytes" in wishes else None
            if not (0 <= seconds <= 3600 and 200 <= status <= 599 and (size is None or 0 <= size <= 1 << 32)):
                raise ValueError
        except ValueError:
            self.reply(400, "text/plain", [b"seconds, status and bytes are numbers.\n"])
            return
        time.sleep(seconds)
        if size is not None:
            parts = (CHUNK[:min(len(CHUNK), size - at)] for at in range(0, size, len(CHUNK)))
            self.reply(status, "application/octet-stream", parts, size)
            return
        got = {"method": self.command, "target": self.path, "headers": dict(self.headers.items()),
               "body": base64.b64encode(body).decode()}
        self.reply(status, "application/json", [json.dumps(got).encode() + b"\n"])

    def reply(self, status, kind, parts, size=None):
        parts = parts if size is not None else list(parts)
        self.send_response(status)
        if status not in (204, 304):
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(size if size is not None else sum(map(len, parts))))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            for part in parts:
                self.wfile.write(part)

    def address_string(self):
        return "nginx"

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


os.umask(0o077)
Server(sys.argv[1], Site).serve_forever()
