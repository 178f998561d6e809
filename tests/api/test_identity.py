# SPDX-License-Identifier: MIT
"""Who may do what: identity from nginx's parameters only, other people's things are not there."""

import pytest

from api.conftest import assert_problem
from api.fastcgi import Connection


def ask(stack, **options):
    with Connection(stack.state / "run" / "tasks.sock") as connection:
        return connection.request(**options)


@pytest.mark.parametrize("user", ["", None, "0", "-1", "ada", "1x", " 1", "1 ", "+1", "1.0", "0x1",
                                  "9223372036854775808", "99999999999999999999"])
def test_no_identity(stack, user):
    answer = ask(stack, BACKDESK_USER=user, BACKDESK_ROLES="admin")
    assert answer.status == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"]


def test_identity_is_not_needed_for_health(stack):
    assert ask(stack, path="/v1/tasks/health", user=None).status == 200


def test_unknown_path_comes_first(stack):
    assert ask(stack, path="/v1/tasks/nothing", user=None).status == 404
    assert ask(stack, path="/v1/tasks", method="PUT", user=None).status == 405


@pytest.mark.parametrize("roles, admin", [
    ("admin", True), ("editor,admin", True), ("editor admin", True), ("admin, x", True), ("", False),
    ("administrator", False), ("notadmin", False), ("ADMIN", False), ("x-admin", False)])
def test_roles(stack, make, roles, admin):
    task = make(user="grace")
    assert ask(stack, path=f"/v1/tasks/{task}", user=7, roles=roles).status == (200 if admin else 404)


def test_headers_are_no_identity(stack):
    answer = ask(stack, user=None, HTTP_BACKDESK_USER="1", HTTP_BACKDESK_ROLES="admin", REMOTE_USER="1")
    assert answer.status == 401


VERBS = [("GET", ""), ("HEAD", ""), ("DELETE", ""), ("POST", "/retry"), ("POST", "/cancel"), ("GET", "/attempts"), ("GET", "/download"), ("HEAD", "/download")]


@pytest.mark.parametrize("method, verb", VERBS)
@pytest.mark.parametrize("status", ["fresh", "started", "success", "failure"])
def test_foreign_task_is_not_there(stack, make, method, verb, status):
    """The answer is the same as for an id that was never given out, and the task stays as it is."""
    task = make(status, "grace")
    foreign, unknown = (stack.request(method, f"/v1/tasks/{number}{verb}") for number in (task, 987654321))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    drop = ("Date",)
    assert {k: v for k, v in foreign.headers.items() if k not in drop} == \
        {k: v for k, v in unknown.headers.items() if k not in drop}
    assert stack.sql("SELECT status FROM tasks WHERE id = %s", [task]) == [(status,)]


@pytest.mark.parametrize("method, verb", [("DELETE", ""), ("GET", "/download")])
def test_foreign_export_is_not_there(stack, make_file, method, verb):
    _, file = make_file(user="grace")
    foreign, unknown = (stack.request(method, f"/v1/tasks/exports/{number}{verb}") for number in (file, 987654321))
    assert_problem(foreign, 404, "not_found")
    assert foreign.content == unknown.content
    assert stack.sql("SELECT COUNT(*) FROM csv_export WHERE id = %s", [file]) == [(1,)]


def test_admin_may(stack, make, make_file):
    task, file = make_file(user="grace")
    assert stack.request("GET", f"/v1/tasks/{task}", "admin").status_code == 200
    assert stack.request("GET", f"/v1/tasks/{task}/download", "admin").content == b"a,b\r\n1,2\r\n"
    assert stack.request("DELETE", f"/v1/tasks/exports/{file}", "admin").status_code == 204
    assert stack.request("DELETE", f"/v1/tasks/{task}", "admin").status_code == 204
    assert stack.request("POST", f"/v1/tasks/{make('failure', 'grace')}/retry", "admin").status_code == 202


@pytest.mark.parametrize("said, refused", [
    ({"Sec-Fetch-Site": "cross-site"}, True), ({"Sec-Fetch-Site": "Cross-Site"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False), ({"Sec-Fetch-Site": "same-origin"}, False), ({"Sec-Fetch-Site": "none"}, False),
    ({"Origin": "http://shop.example", "Host": "Shop.example"}, False),
    ({"Origin": "https://shop.example:8443", "Host": "shop.example:8443"}, False),
    ({"Origin": "http://evil.example", "Host": "shop.example"}, True), ({"Origin": "null"}, True),
    ({"Origin": "http://shop.example.evil", "Host": "shop.example"}, True),
    ({"Origin": "http://other.example", "Host": "shop.example", "Sec-Fetch-Site": "same-site"}, False)])
def test_cross_site(stack, make, said, refused):
    task, headers = make("success"), said
    assert stack.request("GET", f"/v1/tasks/{task}", headers=headers).status_code == 200
    answer = stack.request("DELETE", f"/v1/tasks/{task}", headers=headers)
    if refused:
        assert_problem(answer, 403, "cross_site")
        answer = stack.request("POST", "/v1/tasks", headers=headers, json={"type": "dummy"})
        assert_problem(answer, 403, "cross_site")
    else:
        assert answer.status_code == 204
