# SPDX-License-Identifier: MIT
"""A Unix socket in front of a MariaDB server that greets as a server without MariaDB's own capabilities, such as MySQL."""

from store.relay import Relay

# Of the greeting (protocol version 10), behind the version's NUL: thread, salt, filler, capabilities, character set,
# status, more capabilities, length of the salt, reserved; then four bytes that only MariaDB sets.
BEFORE_THE_OWN = 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 6


def plain(greeting):
    at = greeting.index(b"\0", 5) + 1 + BEFORE_THE_OWN
    return greeting[:at] + bytes(4) + greeting[at + 4:]


class PlainServer(Relay):
    def _greet(self, server, client):
        client.sendall(plain(server.recv(4096)))  # one packet: the server waits for the answer
