# SPDX-License-Identifier: MIT
"""Clients that go on in the background while a test does something to the servers."""

import threading


class Load:
    """CLIENTS threads that call ONE until the block ends; what it returns, or raises, is kept as a fault."""

    def __init__(self, clients, one):
        self.failed, self.count, self.stopped = [], 0, threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(one,)) for _ in range(clients)]

    def _run(self, one):
        while not self.stopped.is_set():
            try:
                fault = one()
            except Exception as error:
                fault = repr(error)
            with self.lock:
                self.count += 1
                if fault:
                    self.failed.append(fault)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
