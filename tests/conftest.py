# SPDX-License-Identifier: MIT
"""One stack for all tests of a run; every test leaves it as it found it."""

import os
import shutil
from pathlib import Path

import pytest

from stack import SOURCE, Stack


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory):
    """The session's stack. At the end nothing of it may run, and no sanitizer may have complained."""
    if "BACKDESK_DEMO" in os.environ:
        yield Stack(os.environ["BACKDESK_DEMO"])
        return
    prefix = Path(os.environ.get("BACKDESK_BUILD", SOURCE / "build" / "install"))
    if not prefix.is_dir():
        pytest.exit(f"{prefix} is missing: run ./bootstrap build first", returncode=3)
    try:
        stack = Stack(tmp_path_factory.mktemp("stack") / "demo", prefix)
    except AssertionError as error:
        pytest.exit(str(error), returncode=3)
    yield stack
    stack.stop()
    left, reports = stack.processes(), stack.sanitizer_reports()
    if not reports:
        shutil.rmtree(stack.state)
    assert not left, f"still running: {left}"
    assert not reports, "\n".join(reports)


@pytest.fixture(scope="module")
def swept_stack(whole_stack):
    """The stack; each file of tests takes its tasks and files with it, done or not."""
    yield whole_stack
    whole_stack.sql("DELETE FROM tasks WHERE status <> 'started'")
    whole_stack.sql("DELETE FROM csv_export WHERE task_id NOT IN (SELECT id FROM tasks)")


@pytest.fixture
def stack(swept_stack):
    """The stack, with runners that a test started stopped again."""
    yield swept_stack
    swept_stack.stop_runners()
