# SPDX-License-Identifier: MIT
"""Other processes, as /proc shows them."""

import os
import re
import signal
from pathlib import Path


def stat(pid):
    """The fields of /proc/PID/stat behind the program's name, which may contain anything; [0] is the state."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()


def alive(pid):
    """Zombies are not."""
    try:
        return stat(pid)[0] not in "ZX"
    except OSError:
        return False


def title(pid):
    """What it calls itself; "" where it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def children(pid):
    """Those that any thread of the process has started; none where it is gone."""
    try:
        return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    except OSError:
        return []


def descriptors(pid):
    """{number: what it is}; none where the process is gone."""
    found = {}
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found[int(entry.name)] = os.readlink(entry)
            except FileNotFoundError:
                pass
    except OSError:
        pass
    return found


def has_sigterm(pid, mask):
    """Is SIGTERM in the process's MASK: SigBlk, those it blocks, or SigCgt, those it has a handler for?"""
    bits = re.search(rf"^{mask}:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1]
    return bool(int(bits, 16) >> signal.SIGTERM - 1 & 1)


def resident(pid):
    """Bytes of its memory that are in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def stopped(pid):
    """Has SIGSTOP reached all its threads?"""
    return all(path.read_text().rpartition(")")[2].split()[0] == "T" for path in Path(f"/proc/{pid}/task").glob("*/stat"))
