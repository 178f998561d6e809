# SPDX-License-Identifier: MIT
"""A Unix socket in front of a MariaDB server that greets as a server without MariaDB's own capabilities, such as MySQL."""

import socket
import threading

# Of the greeting (protocol version 10), behind the version's NUL: thread, salt, filler, capabilities, character set,
# status, more capabilities, length of the salt, reserved; then four bytes that only MariaDB sets.
BEFORE_THE_OWN = 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 6


def plain(greeting):
    at = greeting.index(b"\0", 5) + 1 + BEFORE_THE_OWN
    return greeting[:at] + bytes(4) + greeting[at + 4:]


class PlainServer:
    def __init__(self, server, path):
        self.server, self.path = str(server), str(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            client.sendall(plain(server.recv(4096)))  # one packet: the server waits for the answer
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
