# SPDX-License-Identifier: MIT
"""taskctl check: what another program would stumble over is said before."""

import os
import re
import subprocess

import pytest


def test_a_key_that_is_missing(stack):
    """A site without its key: the pool does not start. One that only this user may not read is perhaps well."""
    key = stack.state / "etc" / "check.key"
    config = stack.variant("check", {"defer.key_file": f'"{key}"'})
    done = stack.taskctl("check", config=config, check=False)
    assert done.returncode == 1
    assert re.search(r"check\.conf:\d+: defer key_file \S+check\.key: cannot read it: No such file", done.stderr)
    key.write_text("ab" * 32)
    key.chmod(0)
    done = stack.taskctl("check", config=config, **stack.daemon_account())
    assert re.search(r"check\.conf:\d+: warning: defer key_file \S+check\.key: cannot read it: Permission", done.stderr)


def test_a_key_that_nobody_needs(stack):
    """Where no site is configured the key is not looked for."""
    config = stack.variant("check", lambda text: text.split("defer {")[0])
    assert stack.taskctl("check", config=config).stderr == ""


def test_the_default_key(stack):
    """Its path stands nowhere in the file: the line is the site's."""
    config = stack.variant("check", lambda text: re.sub(r"(?s)defer \{.*?\n\}\n", "", text))
    done = stack.taskctl("check", config=config, check=False)
    line = config.read_text().split('site "demo"')[0].count("\n") + 1
    assert f"check.conf:{line}: defer key_file " in done.stderr and done.returncode == 1


def test_a_second_site(stack):
    """nginx, which has said nothing while there was one, must name it from then on."""
    config = stack.variant("check", lambda text: text + 'site "shop" {\nsocket = "/run/shop.sock"\n}\n')
    line = config.read_text().split('site "shop"')[0].count("\n") + 1
    said = stack.taskctl("check", config=config).stderr
    assert said.count("\n") == 1 and f"check.conf:{line}: warning: with more than one site nginx must say" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another account")
def test_what_the_runner_may_not(stack):
    """What root can do is not what counts: the runner has an account of its own."""
    place = stack.state / "etc" / "closed"
    place.mkdir(mode=0o700, exist_ok=True)
    script = place / "script.py"
    script.write_text("#!/usr/bin/python3\n")
    script.chmod(0o755)
    commands = (f'command "direct" {{\nargv = {{"{script}"}}\n}}\n'
                f'command "by_python" {{\nargv = {{"/usr/bin/python3", "{script}"}}\ndirectory = "{place}"\n}}\n')
    config = stack.variant("check", lambda text: text + commands)
    done = stack.taskctl("check", config=config)
    said = [re.sub(r"^.*check\.conf:\d+: warning: ", "", line) for line in done.stderr.splitlines()]
    reason = "by nobody: Permission denied: the runner must be able to"
    assert said == [f'command "direct": {script} cannot be executed {reason}',
                    f'command "by_python": {script} cannot be read {reason}',
                    f'command "by_python": {place} cannot be entered {reason}']
    place.chmod(0o755)
    assert stack.taskctl("check", config=config).stderr == ""


def test_accounts_that_are_not_there(stack):
    """Said by check, and by the runner that dies of it, with file and line."""
    def without_user(text):
        return re.sub(r"(?m)^    user = \"nobody\"\n", "", text).replace(
            'command "count_words" {', 'command "count_words" {\n    user = "nobdy"')
    for edit, section in (({"runner.user": '"nobdy"'}, "runner"), (without_user, 'command "count_words"')):
        config = stack.variant("check", edit)
        said = stack.taskctl("check", config=config).stderr
        assert re.fullmatch(rf"\S+check\.conf:\d+: warning: {section} user: there is no account nobdy on this host: "
                            "a taskrunner does not start here\n", said)
        if os.geteuid() == 0:
            done = subprocess.run([stack.env["TASKRUNNER"], "--config", config], stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, env=stack.daemon_environment(), timeout=20, check=False)
            assert done.returncode
            assert re.search(rf"check\.conf:\d+: {section} user: there is no account nobdy", done.stderr)
