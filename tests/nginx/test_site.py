# SPDX-License-Identifier: MIT
"""What nginx itself answers on Backdesk's routes: refusals, the page, and everything that is not there."""

import os
import signal

import pytest

from stack import wait_until


def assert_problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] and problem["title"] and problem["type"]
    return problem


@pytest.mark.parametrize("user, password", [(None, None), ("ada", "wrong"), ("eve", "demo"), ("", "")])
def test_without_identity(stack, user, password):
    answer = stack.request("GET", "/v1/tasks", user, password)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_identity_cannot_be_sent(stack):
    """The pool believes nginx's parameters, and no header of a client's becomes one."""
    headers = {"Backdesk-User": "100", "Backdesk-Roles": "admin", "BACKDESK_USER": "100", "BACKDESK_ROLES": "admin"}
    assert_problem(stack.request("GET", "/v1/tasks", None, headers=headers), 401)
    task = stack.create("dummy", user="ada")
    assert stack.request("GET", f"/v1/tasks/{task['id']}", "grace", headers=headers).status_code == 404
    assert stack.request("GET", f"/v1/tasks/{task['id']}", "admin").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "chunked"}])
def test_body_too_large(stack, headers):
    body = b"[" + b" " * (9 << 20) + b"]"
    data = iter([body]) if headers else body
    answer = stack.request("POST", "/v1/tasks", data=data, headers={"Content-Type": "application/json"})
    assert_problem(answer, 413)


def test_health_needs_no_identity(stack):
    assert stack.request("GET", "/v1/tasks/health", None).status_code == 200
    assert stack.request("GET", "/v1/tasks/health", "ada", "wrong").status_code == 200


@pytest.mark.parametrize("path", [
    "/", "/index.html", "/tasks", "/v1", "/v1/", "/v1/task", "/v1/tasksfoo", "/favicon.ico", "/demo", "/_api", "/_api/jobs",
    "/_backdesk_files/", "/_backdesk_files/x", "//_backdesk_files/x", "/%5fbackdesk_files/x",
    "/v1/tasks/../../_backdesk_files/x", "/tasks/../etc/passwd", "/tasks/..%2fetc/passwd"])
@pytest.mark.parametrize("user", ["ada", None])
def test_nothing_else_is_there(stack, path, user):
    answer = stack.request("GET", path, user)
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_above_the_root(stack):
    assert stack.request("GET", "/tasks/..%2f..%2fetc/passwd").status_code == 400


def test_files_are_out_of_reach(stack):
    """Not even a file that is there answers, whatever the spelling."""
    task = stack.finish(stack.create("csv_export", {"export": "books"}, "grace")["id"], "grace")
    assert task["status"] == "success", task
    [[path]] = stack.sql("SELECT path FROM csv_export WHERE task_id = %s", [task["id"]])
    assert (stack.shared_dir / path).is_file()
    for prefix in ("/_backdesk_files/", "//_backdesk_files/", "/_backdesk%5ffiles/", "/x/../_backdesk_files/"):
        assert stack.request("GET", prefix + path, "grace").status_code == 404
    missing = f"/v1/tasks/{task['id']}/download"
    (stack.shared_dir / path).rename(stack.shared_dir / "elsewhere")
    try:
        assert_problem(stack.request("GET", missing, "grace"), 410)
        # A link out of the shared directory is not followed.
        (stack.shared_dir / path).symlink_to("/etc/hostname")
        assert_problem(stack.request("GET", missing, "grace"), 410)
        (stack.shared_dir / path).unlink()
    finally:
        (stack.shared_dir / "elsewhere").rename(stack.shared_dir / path)
    assert stack.request("GET", missing, "grace").status_code == 200


@pytest.mark.parametrize("path, content_type", [
    ("", "text/html"), ("index.html", "text/html"), ("js/main.js", "text/javascript"), ("css/page.css", "text/css"),
    ("icon.svg", "image/svg+xml")])
def test_page(stack, path, content_type):
    assert stack.request("GET", "/tasks/" + path, None).status_code == 401
    answer = stack.request("GET", "/tasks/" + path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == content_type
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "'unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    again = stack.request("GET", "/tasks/" + path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["nothing", "js", "js/", "css/../..", "index.html/"])
def test_page_has_no_more(stack, path):
    answer = stack.request("GET", "/tasks/" + path)
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_pool_away(stack):
    """A dead pool is a problem document with Retry-After; a new start brings the pool back."""
    os.kill(stack.pid("tasks.fcgi"), signal.SIGTERM)
    wait_until(lambda: stack.request("GET", "/v1/tasks").status_code == 502, 60)
    answer = stack.request("GET", "/v1/tasks")
    assert_problem(answer, 502)
    assert answer.headers["Retry-After"].isdigit()
    assert_problem(stack.request("POST", "/v1/tasks", json={}), 502)
    stack.start()
    assert stack.request("GET", "/v1/tasks").status_code == 200
