# SPDX-License-Identifier: MIT
"""A site for replays: a server on a Unix socket that notes each request byte for byte, and answers, keeps
waiting or hangs up as the path says."""

import os
import socket
import threading
import urllib.parse


class Seen:
    """A request as it came."""

    def __init__(self, head, body):
        line, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = line.split(" ")
        self.headers = [tuple(header.split(":", 1)) for header in lines]
        self.headers = [(name, value.strip()) for name, value in self.headers]
        self.body = body

    def get(self, name):
        """The values of a header."""
        return [value for n, value in self.headers if n.lower() == name.lower()]


def ok(body=b"done", status="200 OK", more=b""):
    return b"HTTP/1.1 " + status.encode() + b"\r\nContent-Length: %d\r\n" % len(body) + more + b"\r\n" + body


class Site:
    """/raw/NAME answers with answers[NAME]; /wait?KEY waits for release(KEY); /cut hangs up; /half hangs up in the
    middle of its answer; /busy?N answers 503 N times. Every other path is answered with "done"."""

    def __init__(self, path):
        self.path = str(path)
        self.answers = {}
        self.seen = []
        self.waiting = {}
        self.hung_up = set()
        self.most = 0
        self.lock = threading.Condition()
        self.released = set()
        self.listener = None
        self.start()

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(512)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def release(self, *keys):
        with self.lock:
            self.released.update(keys)
            self.lock.notify_all()

    def count(self, path):
        """How many requests of PATH, query and all, have come."""
        return sum(one.target == path for one in self.seen)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                part = connection.recv(65536)
                if not part:
                    return
                data += part
            head, _, body = data.partition(b"\r\n\r\n")
            one = Seen(head, b"")
            length = int((one.get("Content-Length") or ["0"])[0])
            while len(body) < length:
                body += connection.recv(65536)
            one.body = body
            self.seen.append(one)
            try:
                self._answer(connection, one)
            except (BrokenPipeError, ConnectionResetError):
                pass

    def _answer(self, connection, one):
        url = urllib.parse.urlsplit(one.target)
        if url.path.startswith("/raw/"):
            connection.sendall(self.answers[url.path[5:]])
        elif url.path == "/wait":
            if self._wait(connection, url.query):
                connection.sendall(ok())
        elif url.path == "/half":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        elif url.path == "/busy":
            busy = self.count(one.target) <= int(url.query)
            connection.sendall(ok(b"later", "503 Busy", b"Retry-After: 1\r\n") if busy else ok())
        elif url.path != "/cut":
            connection.sendall(ok())

    def _wait(self, connection, key):
        """False where the client has hung up meanwhile."""
        connection.settimeout(0.05)
        with self.lock:
            self.waiting[key] = self.waiting.get(key, 0) + 1
            self.most = max(self.most, sum(self.waiting.values()))
        gone = False
        while not gone and key not in self.released:
            try:
                gone = connection.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                gone = True
        with self.lock:
            self.waiting[key] -= 1
            if gone:
                self.hung_up.add(key)
        connection.settimeout(None)
        return not gone
