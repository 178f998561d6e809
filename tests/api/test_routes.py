# SPDX-License-Identifier: MIT
"""Paths and methods: decided by the table of routes before any id is looked up."""

import re

import pytest

from api.conftest import assert_problem

ROUTES = {
    "/v1/tasks": {"GET", "HEAD", "POST", "DELETE"},
    "/v1/tasks/{id}": {"GET", "HEAD", "DELETE"},
    "/v1/tasks/{id}/retry": {"POST"},
    "/v1/tasks/{id}/cancel": {"POST"},
    "/v1/tasks/{id}/attempts": {"GET", "HEAD"},
    "/v1/tasks/{id}/download": {"GET", "HEAD"},
    "/v1/tasks/exports": {"GET", "HEAD"},
    "/v1/tasks/exports/{id}": {"DELETE"},
    "/v1/tasks/exports/{id}/download": {"GET", "HEAD"},
    "/v1/tasks/types": {"GET", "HEAD"},
    "/v1/tasks/stats": {"GET", "HEAD"},
    "/v1/tasks/workers": {"GET", "HEAD"},
    "/v1/tasks/health": {"GET", "HEAD"},
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("route", ROUTES)
def test_methods(stack, route, method):
    """An id that is not there makes no difference to 405."""
    if method in ROUTES[route]:
        pytest.skip("is there")
    answer = stack.request(method, route.replace("{id}", "999999999"))
    assert answer.status_code == 405
    if method != "HEAD":
        assert_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == ROUTES[route]


@pytest.mark.parametrize("path", [
    "/", "/x", "/1/x", "/1/", "/01", "/0", "/-1", "/+1", "/1.0", "/1e3", "/%31%30x", "/9223372036854775808",
    "/18446744073709551617", "/99999999999999999999999999", "/%27%20OR%201=1", "/1%00", "/exports/", "/exports/x",
    "/exports/0", "/exports/1/", "/exports/1/x", "/types/", "/types/csv_export", "/health/",
    "/1/result/x", "/%e2%80%ae", "/1%0d%0aX-Evil:%201", "/stats/x", "/openapi.json", "/graphql"])
def test_no_such_path(stack, path):
    answer = stack.request("GET", "/v1/tasks" + path)
    if path == "/1%00":  # nginx refuses NUL itself
        assert answer.status_code == 400
        return
    assert_problem(answer, 404, "not_found")
    assert "X-Evil" not in answer.headers


def test_encoded_path(stack, make):
    """nginx decodes what it matches, and so does the pool."""
    task = make()
    assert stack.request("GET", f"/v1/t%61sks/{task}").json()["id"] == task


@pytest.mark.parametrize("path", ["", "/types", "/health", "/exports"])
def test_head_is_get_without_body(stack, path):
    get, head = (stack.request(method, "/v1/tasks" + path) for method in ("GET", "HEAD"))
    assert get.status_code == head.status_code == 200
    assert head.content == b""
    for name in ("Content-Type", "Content-Length", "Cache-Control"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("method, path", [
    ("GET", "/v1/tasks?colour=red"), ("GET", "/v1/tasks/1?x"), ("GET", "/v1/tasks/types?limit=1"),
    ("POST", "/v1/tasks?dry_run=1"), ("DELETE", "/v1/tasks?finished_before=2026-01-01T00:00:00Z&type=x"),
    ("GET", "/v1/tasks/exports?status=success"), ("GET", "/v1/tasks/health?verbose")])
def test_unknown_query_parameter(stack, method, path):
    detail = assert_problem(stack.request(method, path), 400, "unknown_parameter")["detail"]
    assert re.search(r' is not known here: (known are [a-z_]+(, [a-z_]+)*|none is expected)\.$', detail)


@pytest.mark.parametrize("query", [
    "limit=1&limit=2", "limit=%", "limit=%4", "limit=%zz", "type=%ff", "type=a%00b", "type=%ed%a0%80", "limit"])
def test_malformed_query(stack, query):
    assert_problem(stack.request("GET", "/v1/tasks?" + query), 400, "bad_parameter")


@pytest.mark.parametrize("change, remedy", [
    ("UPDATE schema_version SET applied_at = NULL WHERE version = %s", "run taskctl migrate"),
    ("INSERT INTO schema_version VALUES (%s + 1, 'x', 'x', 1, NOW(6))", "install the newer program")])
def test_health_of_another_schema(stack, change, remedy):
    """A migration that was forgotten, or a pool that is older than the schema."""
    [[version]] = stack.root_sql("SELECT MAX(version) FROM schema_version")
    stack.root_sql(change % version)
    try:
        problem = assert_problem(stack.request("GET", "/v1/tasks/health", user=None), 503, "unavailable")
    finally:
        stack.root_sql(f"DELETE FROM schema_version WHERE version > {version}")
        stack.root_sql("UPDATE schema_version SET applied_at = COALESCE(applied_at, NOW(6))")
    assert remedy in problem["detail"]
    assert stack.request("GET", "/v1/tasks/health", user=None).status_code == 200


def test_health(stack):
    answer = stack.request("GET", "/v1/tasks/health", user=None)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_types(stack):
    answer = stack.request("GET", "/v1/tasks/types")
    types = {kind["name"]: kind for kind in answer.json()["types"]}
    assert {"csv_export", "html_export", "dummy"} <= set(types)
    assert types["dummy"]["parameters"]["type"] == "object"
    assert "backup" not in types and answer.json()["roles"] == []
    etag = {"If-None-Match": answer.headers["ETag"]}
    again = stack.request("GET", "/v1/tasks/types", headers=etag)
    assert again.status_code == 304
    admins = stack.request("GET", "/v1/tasks/types", user="admin", headers=etag).json()
    assert ["backup"] == [kind["name"] for kind in admins["types"] if kind["role"]]
    assert admins["roles"] == ["admin"]
