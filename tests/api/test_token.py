# SPDX-License-Identifier: MIT
"""API tokens: made by taskctl, sent as Bearer, refused when they are not valid."""

import time

import pytest
import requests

from api.conftest import NEVER, assert_problem
from stack import wait_until


def ask(stack, token, path="/v1/tasks", method="GET", scheme="Bearer", **options):
    session = requests.Session()
    session.trust_env = False
    with session:
        return session.request(method, stack.base_url + path, timeout=30, allow_redirects=False,
                               headers={"Authorization": f"{scheme} {token}"}, **options)


@pytest.fixture
def create(stack):
    def make(*arguments):
        text = stack.taskctl("token", "create", *arguments).stdout
        assert text.startswith("bd_") and len(text) == 44
        return text.strip()
    yield make
    stack.sql("DELETE FROM api_tokens")


def test_token_is_an_identity(stack, create):
    token = create("--user", "2", "--label", "a script")
    task = ask(stack, token, method="POST", json={"type": "dummy", "run_at": NEVER})
    assert task.status_code == 202 and task.json()["created_by"] == 2
    path = f"/v1/tasks/{task.json()['id']}"
    assert ask(stack, token, path).json() == stack.task(task.json()["id"], "grace")
    assert stack.request("GET", path, "ada").status_code == 404
    assert ask(stack, token, "/v1/tasks/workers").status_code == 403
    for scheme in ("bearer", "BEARER", "Bearer  "):
        assert ask(stack, token, scheme=scheme).status_code == 200


def test_role(stack, create, make):
    task, token = make("fresh", "grace"), create("--user", "77", "--role", "admin")
    assert ask(stack, token, f"/v1/tasks/{task}").status_code == 200
    assert ask(stack, token, "/v1/tasks/workers").status_code == 200


@pytest.mark.parametrize("token", ["bd_" + "0" * 40, "bd_" + "0" * 39, "bd_" + "G" * 40, "x", "bd_" + "0" * 4000,
                                   "' OR 1=1 --", "a b"])
def test_bad_token(stack, token):
    answer = ask(stack, token)
    assert_problem(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="backdesk", error="invalid_token"'


def test_only_a_hash_is_stored(stack, create):
    token = create("--user", "1")
    [[stored]] = stack.sql("SELECT GROUP_CONCAT(hash, label) FROM api_tokens")
    assert token not in stored and token[3:] not in stored


def test_revoked(stack, create):
    """Within ten seconds, by every process."""
    token = create("--user", "1")
    for _ in range(8):
        assert ask(stack, token).status_code == 200
    [[number]] = stack.sql("SELECT id FROM api_tokens")
    stack.taskctl("token", "revoke", str(number))
    revoked = time.monotonic()
    wait_until(lambda: {ask(stack, token).status_code for _ in range(8)} == {401}, 11)
    assert time.monotonic() - revoked < 10
    assert stack.taskctl("token", "revoke", str(number), check=False).returncode == 1


def test_expired(stack, create):
    token = create("--user", "1", "--expires", "1500ms")
    assert ask(stack, token).status_code == 200
    wait_until(lambda: {ask(stack, token).status_code for _ in range(8)} == {401}, 11)


def test_list(stack, create):
    create("--user", "1")
    create("--user", "2", "--role", "admin", "--label", "night job", "--expires", "30d")
    lines = stack.taskctl("token", "list").stdout.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[1:3] == ["2", "admin"] and lines[1].endswith("night job")
    assert lines[2].split()[1:3] == ["1", "-"]
    assert "bd_" not in "".join(lines)


@pytest.mark.parametrize("arguments", [
    [], ["create"], ["create", "--user"], ["create", "--user", "0"], ["create", "--user", "x"],
    ["create", "--user", "1", "--role", "root"], ["create", "--user", "1", "--expires", "5"],
    ["create", "--user", "1", "--expires", "0"], ["create", "--user", "1", "--nonsense", "1"],
    ["create", "--user", "1", "--label", "x" * 201], ["revoke"], ["revoke", "x"], ["list", "1"], ["drop"]])
def test_wrong_calls(stack, arguments):
    done = stack.taskctl("token", *arguments, check=False)
    assert done.returncode == 2 and done.stdout == "" and "taskctl: " in done.stderr


def test_help_is_whole(stack):
    assert "[--expires 30d] | list | revoke ID\n" in stack.taskctl("--help").stdout


def test_a_token_does_not_open_what_basic_guards(stack, create):
    """nginx takes no name that it has not verified, and the page is not a token's."""
    token = create("--user", "2")
    assert ask(stack, "YWRtaW46d3Jvbmc=", scheme="Basic").json()["code"] == "unauthorized"
    assert ask(stack, token, "/tasks/").status_code == 401
    assert ask(stack, "x", "/tasks/").status_code == 401
    assert_problem(ask(stack, "x"), 401, "invalid_token")
    assert ask(stack, "", scheme="Bearer").status_code == 401


def test_pause_and_resume(stack):
    """Nothing of a paused type starts; it waits."""
    stack.taskctl("pause", "dummy")
    try:
        wait_until(lambda: any(row["type"] == "dummy" and row["paused"] for row in
                               stack.request("GET", "/v1/tasks/stats").json()["types"]), 5)
        task = stack.create("dummy", {"seconds": 0})["id"]
        after = stack.create("html_export", {"export": "books"})["id"]
        assert stack.finish(after)["status"] == "success"
        assert stack.task(task)["status"] == "fresh"
    finally:
        stack.taskctl("resume", "dummy")
    assert stack.finish(task, timeout=20)["status"] == "success"
    assert stack.taskctl("pause", "nothing", check=False).returncode == 1
    assert stack.taskctl("pause", check=False).returncode == 2
