# SPDX-License-Identifier: MIT
"""A FastCGI client that speaks to the pool's socket directly, also in ways that nginx never would."""

import json
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
KEEP = 1


def record(kind, content=b"", request=1, version=1):
    return struct.pack("!BBHHBx", version, kind, request, len(content), 0) + content


def begin(flags=KEEP, role=1, request=1):
    return record(BEGIN, struct.pack("!HB5x", role, flags), request)


def size(length):
    return bytes([length]) if length < 128 else struct.pack("!I", length | 0x80000000)


def pairs(params):
    data = b""
    for name, value in params.items():
        name, value = name.encode(), value if isinstance(value, bytes) else str(value).encode()
        data += size(len(name)) + size(len(value)) + name + value
    return data


def stream(kind, data):
    """Records for all of DATA, and the empty one that ends it."""
    parts = [record(kind, data[i:i + 65528]) for i in range(0, len(data), 65528)]
    return b"".join(parts) + record(kind)


def params(method="GET", path="/v1/tasks", user=1, roles="", body=None, **more):
    """Parameters as nginx would send them; None takes one away."""
    path, _, query = path.partition("?")
    found = {"REQUEST_METHOD": method, "REQUEST_URI": path + ("?" + query if query else ""),
             "DOCUMENT_URI": path, "QUERY_STRING": query, "SERVER_PROTOCOL": "HTTP/1.1",
             "CONTENT_LENGTH": "" if body is None else len(body),
             "CONTENT_TYPE": "" if body is None else "application/json",
             "BACKDESK_USER": user or "", "BACKDESK_ROLES": roles, **more}
    return {name: value for name, value in found.items() if value is not None}


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.headers = dict(line.split(": ", 1) for line in lines if line)
        self.status = int(self.headers["Status"].split()[0]) if "Status" in self.headers else None

    def json(self):
        return json.loads(self.body)


class Connection:
    """One connection to a pool; several requests one after the other."""

    def __init__(self, path, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def start(self, body=None, flags=KEEP, **options):
        """Sends a whole request and does not wait for its answer."""
        self.send(begin(flags), stream(PARAMS, pairs(params(body=body, **options))), stream(STDIN, body or b""))

    def read(self, length):
        data = b""
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise EOFError(f"closed after {len(data)} of {length} bytes")
            data += part
        return data

    def receive(self):
        """The answer to one request."""
        output = b""
        while True:
            _, kind, _, length, padding = struct.unpack("!BBHHBx", self.read(8))
            content = self.read(length + padding)[:length]
            if kind == STDOUT:
                output += content
            elif kind == END:
                return Answer(output)

    def closed(self):
        """Has the pool closed it?"""
        return self.socket.recv(1) == b""

    def request(self, **options):
        self.start(**options)
        return self.receive()
