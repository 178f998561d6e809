# SPDX-License-Identifier: MIT
"""TCP ports for servers that cannot be given port 0."""

import random
import socket
from contextlib import ExitStack


def free_ports(count):
    """So many different ones, below those that the kernel gives to outgoing connections."""
    ports = []
    with ExitStack() as held:  # all of them at once, or two might be the same
        while len(ports) < count:
            one = held.enter_context(socket.socket())
            port = random.randrange(20000, 32000)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports.append(port)
    return ports


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
