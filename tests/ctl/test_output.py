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


def test_limits_of_a_type(stack):
    config = stack.variant("types", {'type "dummy".timeout': '"90s"', 'type "dummy".max_attempts': "4"})
    assert "\n  at most 4 attempts, time-out 90s\n" in stack.taskctl("types", "dummy", config=config).stdout
    assert "\n  at most 3 attempts, no time-out\n" in stack.taskctl("types", "csv_export").stdout
