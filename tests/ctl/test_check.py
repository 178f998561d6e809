# SPDX-License-Identifier: MIT
"""taskctl check: what another program would stumble over is said before."""

import re


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
