# SPDX-License-Identifier: MIT
"""A Unix socket in front of the server's, which loses connections and answers at the worst moment."""

import socket
import threading

COMMIT = b"\x03COMMIT"  # a COM_QUERY and its text
ROLLBACK = b"\x09\0\0\0\x03ROLLBACK"  # the same, as a whole packet


class Relay:
    """Passes bytes on until it has been told to lose a connection, or to refuse, at its next COMMIT."""

    def __init__(self, server, path):
        self.server, self.path = str(server), str(path)
        self.lose = None  # "before": the server never hears of it; "after": the client does not
        self.lost = 0
        self.refuse = None  # (number, "before" or "after"): what the client is told instead
        self.answer = None  # in place of the server's next one
        self.heard = b""  # all that came from clients
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
            self._greet(server, client)
            back = threading.Thread(target=self._pass, args=(server, client, None), daemon=True)
            back.start()
            self._pass(client, server, server)
            back.join()

    def _greet(self, server, client):
        """For what the server says first, where that is not to be passed on as it is."""

    def _pass(self, source, target, watched):
        """Until either end closes. WATCHED is the server where SOURCE is the client."""
        try:
            while data := source.recv(65536):
                self.heard += data if watched else b""
                if watched and self.lose and COMMIT in data:
                    self._lose(data, source, target)
                    return
                if watched and self.refuse and COMMIT in data:
                    data = self._refuse(data)
                elif not watched and self.answer:
                    data, self.answer = self.answer, None
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _lose(self, data, client, server):
        how, self.lose = self.lose, None
        self.lost += 1
        client.shutdown(socket.SHUT_RDWR)  # first, so that no answer gets through
        if how == "after":
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    def _refuse(self, data):
        """What the server is to hear instead of DATA."""
        (number, how), self.refuse = self.refuse, None
        error = b"\xff" + number.to_bytes(2, "little") + b"#HY000refused"
        self.answer = len(error).to_bytes(3, "little") + b"\x01" + error
        return data if how == "after" else ROLLBACK

    def close(self):
        self.listener.close()
