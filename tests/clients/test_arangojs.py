# SPDX-License-Identifier: MIT
"""ArangoDB's own client against the job interface."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A folder with jobs.mjs and the packages of the lock file."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("arangojs")
    for name in ("package.json", "package-lock.json", "jobs.mjs"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], cwd=folder, check=True,
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return folder


def test_jobs(client, stack):
    done = subprocess.run(["node", "jobs.mjs", stack.base_url, "ada", "demo"], cwd=client, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "arangojs is content\n"
