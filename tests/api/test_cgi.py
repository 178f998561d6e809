# SPDX-License-Identifier: MIT
"""One request from environment and standard input, and the command line."""

import json
import os
import subprocess

import pytest

from api.fastcgi import Answer


@pytest.fixture
def run(stack):
    """run(*arguments, body, **variables) -> the finished process."""
    program = stack.state / "app" / "libexec" / "backdesk" / "tasks.fcgi"

    def one(*arguments, body=b"", stdin=None, config=stack.config, **variables):
        return subprocess.run([program, "--config", str(config), *arguments], capture_output=True,
                              **({"stdin": stdin} if stdin else {"input": body}),
                              env={**stack.daemon_environment(), **variables}, timeout=20)
    return one


def test_get(stack, run):
    done = run(REQUEST_METHOD="GET", REQUEST_URI="/v1/tasks?limit=1", BACKDESK_USER="1")
    assert done.returncode == 0
    answer = Answer(done.stdout)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert "tasks" in answer.json()


def test_post(stack, run):
    body = json.dumps({"type": "dummy", "run_at": "2099-01-01T00:00:00Z"}).encode()
    answer = Answer(run(body=body, REQUEST_METHOD="POST", REQUEST_URI="/v1/tasks", BACKDESK_USER="2",
                        CONTENT_TYPE="application/json").stdout)
    assert answer.status == 202
    assert stack.task(answer.json()["id"], "grace")["created_by"] == 2


@pytest.mark.parametrize("variables, status", [
    ({"REQUEST_METHOD": "GET", "REQUEST_URI": "/v1/tasks"}, 401),
    ({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/v1", "PATH_INFO": "/tasks/types", "BACKDESK_USER": "1"}, 200),
    ({"REQUEST_METHOD": "GET"}, 404),
    ({"REQUEST_METHOD": "HEAD", "REQUEST_URI": "/v1/tasks/types", "BACKDESK_USER": "1"}, 200)])
def test_others(run, variables, status):
    answer = Answer(run(**variables).stdout)
    assert answer.status == status
    assert (answer.body == b"") == (variables["REQUEST_METHOD"] == "HEAD")


@pytest.mark.parametrize("variables, sent, status", [
    ({"REQUEST_METHOD": "GET", "REQUEST_URI": "/v1/tasks/types"}, b"", 200),
    ({"REQUEST_METHOD": "DELETE", "REQUEST_URI": "/v1/tasks/987654321"}, b"", 404),
    ({"REQUEST_METHOD": "POST", "REQUEST_URI": "/v1/tasks", "CONTENT_LENGTH": "2",
      "CONTENT_TYPE": "application/json"}, b"{}and more", 422)])
def test_input_that_does_not_end(stack, run, variables, sent, status):
    """No more is read than CONTENT_LENGTH says."""
    ours, other = os.pipe()
    with open(ours) as source, open(other, "wb", buffering=0) as sink:
        sink.write(sent)
        answer = Answer(run(stdin=source, BACKDESK_USER="1", **variables).stdout)
    assert answer.status == status


@pytest.mark.parametrize("user, quoted", [
    ("bob", b'"bob"'), ("0", b'"0"'), ("-1", b'"-1"'), ("9223372036854775808", b'"9223372036854775808"'),
    ('"\n' + "x" * 200, b'"\\"\\n' + b"x" * 98 + b'"'), ("", None), ("1", None)])
def test_users_that_are_no_numbers(run, user, quoted):
    """Nobody, as without one; but the log says what the site has to change."""
    done = run(REQUEST_METHOD="GET", REQUEST_URI="/v1/tasks/types", BACKDESK_USER=user)
    assert Answer(done.stdout).status == (200 if user == "1" else 401)
    if quoted:
        assert b"BACKDESK_USER " + quoted + b": a user is a number from 1 to 2^63-1" in done.stderr, done.stderr
    else:
        assert b"BACKDESK_USER" not in done.stderr


def test_an_export_for_admins(stack, run):
    """403 where the type would be, for a retry too; what an admin makes for another one is that one's."""
    config = stack.variant("cgi", {'export "loans".role': "admin"})

    def ask(path, body=None, **identity):
        done = run(body=b"" if body is None else json.dumps(body).encode(), config=config, REQUEST_METHOD="POST",
                   REQUEST_URI=f"/v1/tasks{path}", **({"CONTENT_TYPE": "application/json"} if body else {}), **identity)
        return Answer(done.stdout)

    user, admin = {"BACKDESK_USER": "2"}, {"BACKDESK_USER": "100", "BACKDESK_ROLES": "admin"}
    loans = {"type": "csv_export", "data": {"export": "loans"}, "run_at": "2099-01-01T00:00:00Z"}
    refused = ask("", loans, **user)
    assert (refused.status, refused.json()["code"]) == (403, "role_missing")
    assert refused.json()["errors"] == [{"pointer": "/data/export", "detail": "needs the role admin"}]
    assert ask("", {**loans, "data": {"export": "books"}}, **user).status == 202
    task = ask("", {**loans, "created_by": 2}, **admin).json()
    assert stack.task(task["id"], "grace")["created_by"] == 2
    assert stack.request("POST", f"/v1/tasks/{task['id']}/cancel", "grace").status_code == 202
    assert ask(f"/{task['id']}/retry", **user).status == 403
    assert ask(f"/{task['id']}/retry", **admin).status == 202


def test_command_line(stack, run):
    assert run("--check-config").returncode == 0
    assert b"usage" in run("--help").stdout
    assert run("--version").stdout.startswith(b"tasks.fcgi")
    assert run("--nonsense").returncode == 2
    assert run("word").returncode == 2
    no_socket = run()
    assert no_socket.returncode == 2
    assert b"spawn-fcgi" in no_socket.stderr
    bad = stack.variant("bad", lambda text: text + "\napi { threads = 0 }\n")
    refused = run("--check-config", config=bad)
    assert refused.returncode == 1
    assert b"bad.conf:" in refused.stderr and b"threads" in refused.stderr
