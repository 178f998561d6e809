# SPDX-License-Identifier: MIT
"""The layer below the store: check_db.c holds its cases."""

import subprocess

import pytest

from store.conftest import PREFIX, StoreError
from store.relay import Relay


def test_what_a_connection_promises(server):
    program = PREFIX.parent / "tests" / "store" / "check_db"
    if not program.exists():
        subprocess.run(["make", "-s", "-C", PREFIX.parent, "tests/store/check_db"], check=True)
    done = subprocess.run([program, server.socket], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_that_asks_for_a_file_gets_none(database, tmp_path, monkeypatch):
    """As one may in answer to any statement: LOAD DATA LOCAL is only the usual one."""
    path = tmp_path / "secret"
    path.write_text("what nobody should see")
    relay = Relay(database.server.socket, tmp_path / "relay")
    monkeypatch.setattr(database.server, "socket", relay.path)
    api = database.driver("api")
    api("check")
    request = b"\xfb" + bytes(path)
    relay.answer = len(request).to_bytes(3, "little") + b"\x01" + request
    api.say("transaction")
    with pytest.raises(StoreError):
        api.answer()
    assert relay.answer is None and b"START TRANSACTION" in relay.heard
    assert path.read_bytes() not in relay.heard
    relay.close()
