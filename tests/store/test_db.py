# SPDX-License-Identifier: MIT
"""The layer below the store: check_db.c holds its cases."""

import subprocess

from store.conftest import PREFIX


def test_what_a_connection_promises(server):
    program = PREFIX.parent / "tests" / "store" / "check_db"
    if not program.exists():
        subprocess.run(["make", "-s", "-C", PREFIX.parent, "tests/store/check_db"], check=True)
    done = subprocess.run([program, server.socket], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
