# SPDX-License-Identifier: MIT
"""The same for a page of PHP behind fastcgi_pass, which knows nothing of Backdesk either."""

import subprocess
from pathlib import Path

import pytest

from nginx.deferred import Started
from stack import wait_until

PHP = """<?php
header('X-Method: ' . $_SERVER['REQUEST_METHOD']); header('Set-Cookie: a=1', false); header('Set-Cookie: b=2', false);
http_response_code((int) ($_GET['status'] ?? 200));
echo 'user ', $_SERVER['REMOTE_USER'] ?? '-', ' script ', basename($_SERVER['SCRIPT_FILENAME']), ' ', $_SERVER['QUERY_STRING'], ' ',
    md5(file_get_contents('php://input')), ' ', $_COOKIE['c'] ?? '-';
"""


@pytest.fixture(scope="module")
def php(whole_stack):
    program = next(map(str, Path("/usr/sbin").glob("php-fpm*")), None)
    if not program:
        pytest.skip("php-fpm is not installed")
    place = whole_stack.state / "tmp" / "fpm"
    place.mkdir()
    (place / "report.php").write_text(PHP)
    (place / "fpm.conf").write_text(f"[global]\nerror_log = {place}/log\ndaemonize = no\n[www]\nlisten = {place}/fpm.sock\n"
                                    "pm = static\npm.max_children = 2\n")
    subprocess.run(["chown", "-R", "--reference", str(whole_stack.shared_dir), str(place)], check=True)
    fpm = subprocess.Popen([program, "-n", "-y", f"{place}/fpm.conf"], cwd=whole_stack.state, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **whole_stack.daemon_account())
    wait_until((place / "fpm.sock").exists, 10)
    started = Started(whole_stack, "defer-fastcgi", {"/run/php/php-fpm.sock": f"{place}/fpm.sock", "/srv/site": str(place)})
    yield started
    started.stop()
    fpm.terminate()
    fpm.wait(10)


@pytest.mark.parametrize("method, query, body", [("GET", "status=200&x=%2F", None), ("POST", "status=404", b"\x00\xff" * 50000)],
                         ids=["get", "post"])
def test_php(stack, php, method, query, body):
    """The page of a FastCGI program: parameters of its own stay whole beside the include."""
    headers = {"Authorization": "Basic YWRhOmRlbW8=", "Cookie": "c=1", "Content-Type": "application/x-y"}
    direct = php.ask(method, f"/report.php?{query}", body, **headers)
    assert direct[3].startswith(b"user ada script report.php")
    status, _, answered, _ = php.ask(method, f"/report.php?{query}", body, Prefer="respond-async", **headers)
    assert status == 202
    task = int(dict(answered)["Location"].rpartition("/")[2])
    assert stack.finish(task)["status"] == "success"
    answer = stack.request("GET", f"/v1/tasks/{task}/result")
    assert (answer.status_code, answer.content) == (direct[0], direct[3])
    assert answer.headers["X-Method"] == method
    assert php.ask(method, f"/report.php?{query}", body, Prefer="respond-async")[0] == 401
