# SPDX-License-Identifier: MIT
"""source.py: the tree as the lint tests see it, and how they say what is wrong."""

import os
import sys
from pathlib import Path

ROOT = Path(os.environ.get("srcdir") or Path(__file__).parents[2])
BUILD = Path.cwd()  # make check runs the tests in the build directory
FOLDERS = ("include", "tasks", "fcgi", "nginx", "sql", "tests")


def files(*suffixes, folders=FOLDERS):
    """Every file of the tree with one of these suffixes (all files without any), in order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if not path.is_file() or any(p.startswith((".", "__")) for p in parts):
                continue
            if path.name in ("Makefile", "Makefile.in") or path.suffix in (".o", ".a", ".log", ".trs"):
                continue  # left by a build in the tree itself
            if not suffixes or path.suffix in suffixes:
                yield path


def relative(path):
    return path.relative_to(ROOT).as_posix()


def text(path):
    return path.read_text(encoding="utf-8")


class Report:
    """Counts faults and prints each as file:line: what is wrong."""

    def __init__(self):
        self.faults = 0

    def fault(self, path, line, what):
        self.faults += 1
        print(f"{relative(path)}:{line}: {what}" if line else f"{relative(path)}: {what}")

    def end(self):
        print(f"{self.faults} faults")
        sys.exit(1 if self.faults else 0)
