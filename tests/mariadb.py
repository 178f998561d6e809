# SPDX-License-Identifier: MIT
"""A private MariaDB for tests that need a server but no stack: its own directory, a socket only."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pymysql

OPTIONS = (
    "--skip-networking",
    "--innodb-buffer-pool-size=128M",
    "--innodb-log-file-size=256M",
    "--innodb-flush-log-at-trx-commit=2",
    "--max-allowed-packet=256M",
    "--character-set-server=utf8mb4",
    "--skip-log-bin",
    "--lock-wait-timeout=60",  # a connection that a failed test has left open holds up no other for ever
)


class Mariadb:
    """Runs while the object lives; root connects without a password. stop() removes everything."""

    def __init__(self, options=()):
        # not below pytest's own directory: the server's user must be able to enter it
        self.directory = Path(tempfile.mkdtemp(prefix="backdesk-db-"))
        self.socket = self.directory / "socket"
        self.log = self.directory / "log"
        self.options = [*OPTIONS, *options]
        self.process = None
        self.unprivileged = []
        if os.geteuid() == 0:
            self.directory.chmod(0o755)
            shutil.chown(self.directory, "nobody")
            self.unprivileged = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        subprocess.run(
            [*self.unprivileged, "mariadb-install-db", "--no-defaults", "--force", "--skip-test-db",
             "--auth-root-authentication-method=normal", f"--datadir={self.directory}/data"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.directory)
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.unprivileged, "mariadbd", "--no-defaults", f"--datadir={self.directory}/data",
                 f"--socket={self.socket}", *self.options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
                return
            except pymysql.err.OperationalError:
                assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
                time.sleep(0.05)

    def connect(self, database=None, **options):
        options = {"user": "root", "charset": "utf8mb4", "autocommit": True, **options}
        return pymysql.connect(unix_socket=str(self.socket), database=database, **options)

    def shut_down(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(60)

    def stop(self):
        if self.process.poll() is None:
            self.shut_down(signal.SIGKILL)
        shutil.rmtree(self.directory)
