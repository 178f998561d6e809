# SPDX-License-Identifier: MIT
"""The units for systemd: it accepts them, and what they count on of the programs is so."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from stack import wait_until


def unit(stack, name):
    return stack.state / "app/share/backdesk/packaging" / f"backdesk-{name}.service"


def command(stack, name):
    """What the unit starts, in the stack's directory; [command, environment]."""
    text = unit(stack, name).read_text()
    [line] = re.findall(r"^ExecStart=(.*)$", text, re.M)
    line = re.sub(r"\S+(/libexec/|/sbin/task)", rf"{stack.state}/app\1", line)
    line = line.replace("/run/backdesk/", f"{stack.state}/tmp/")
    return shlex.split(line), {**stack.daemon_environment(), "BACKDESK_CONFIG": str(stack.config)}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")
def test_systemd_takes_them(stack):
    units = [unit(stack, name) for name in ("api", "runner")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_pool(stack):
    """spawn-fcgi becomes the pool: the process that systemd knows takes SIGHUP and SIGTERM."""
    arguments, environment = command(stack, "api")
    log = stack.state / "tmp" / "unit-api.log"
    with stack.open_log(log) as out:
        pool = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stderr=out, stdout=out,
                                **stack.daemon_account())
    try:
        wait_until(lambda: "starting 1 children" in log.read_text(), 20)
        assert Path(f"/proc/{pool.pid}/comm").read_text() == "tasks.fcgi\n"
        pool.send_signal(signal.SIGHUP)
        wait_until(lambda: "the new children serve" in log.read_text(), 20)
        pool.send_signal(signal.SIGTERM)
        assert pool.wait(30) == 0
    finally:
        pool.kill()


def test_the_runner(stack):
    """Type=notify and WatchdogSec: it says that it is ready, that it is alive and that it ends."""
    text = unit(stack, "runner").read_text()
    if "Type=notify" not in text:
        assert "WatchdogSec" not in text
        pytest.skip("built without libsystemd")
    path = stack.state / "tmp" / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        path.chmod(0o666)
        notify.settimeout(20)
        arguments, environment = command(stack, "runner")
        environment |= {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "120000000"}
        with stack.open_log(stack.state / "tmp" / "unit-runner.log") as out:
            runner = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stderr=out, stdout=out,
                                      **stack.daemon_account())
        try:
            assert [notify.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            runner.send_signal(signal.SIGTERM)
            while (said := notify.recv(100)) == b"WATCHDOG=1":
                pass
            assert said == b"STOPPING=1"
            assert runner.wait(30) == 0
        finally:
            runner.kill()
    os.unlink(path)
