# SPDX-License-Identifier: MIT
"""What a command prints is there, or the command has failed."""

import subprocess

import pytest


@pytest.mark.parametrize("arguments", [["check"], ["types"], ["settings"], ["token", "list"], ["doctor"], ["--help"], ["--version"]])
def test_full(stack, arguments):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([stack.taskctl_path, "--config", stack.config, *arguments], stdout=full, text=True,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=stack.daemon_environment())
    assert (done.returncode, done.stderr) == (1, "taskctl: cannot write to standard output\n")
