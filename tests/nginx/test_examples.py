# SPDX-License-Identifier: MIT
"""The files for sites, as they are installed: nginx accepts them, and auth_request gives the identity."""

import http.server
import json
import subprocess
import threading

import pytest

from stack import SOURCE, wait_until

NGINX = SOURCE / "nginx"


class Site(http.server.BaseHTTPRequestHandler):
    """A site with sessions: a cookie says who it is. One of its pages tries to hand out other people's files."""

    protocol_version = "HTTP/1.1"
    stolen = ""

    def do_GET(self):
        status, headers = 404, {}
        if self.path == "/session":
            who = self.headers.get("Cookie", "")
            status = {"user=ada": 200, "user=admin": 200, "user=banned": 403, "user=broken": 500}.get(who, 401)
            if status == 200:
                headers["X-User-Id"] = "1" if who == "user=ada" else "100"
            if who == "user=admin":
                headers["X-User-Roles"] = "admin"
            if status == 401:
                headers["WWW-Authenticate"] = "Session"
        elif self.path == "/steal":
            status, headers = 200, {"X-Accel-Redirect": self.stolen}
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def site(whole_stack, tmp_path_factory):
    """nginx with examples/site.conf before a site of ours and the stack's pool; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = whole_stack.state / "tmp" / "site"
    for folder in ("etc/backdesk", "tmp"):
        (place / folder).mkdir(parents=True)
    for name in ("backdesk-http.conf", "backdesk.conf", "backdesk-fastcgi.conf", "backdesk-session.conf"):
        text = (NGINX / name).read_text().replace("/run/backdesk/tasks", f"{whole_stack.state}/run/tasks")
        (place / "etc/backdesk" / name).write_text(text.replace("/srv/backdesk", str(whole_stack.shared_dir)))
    identity = (NGINX / "examples/identity-auth-request.conf").read_text()
    (place / "etc/backdesk/identity.conf").write_text(identity)
    text = (NGINX / "examples/site.conf").read_text()
    text = text.replace("127.0.0.1:3000", f"127.0.0.1:{server.server_port}")
    text = text.replace("listen 80;", f"listen unix:{place}/http.sock;")
    (place / "etc/site.conf").write_text(text)
    temporary = "".join(f"{kind}_temp_path {place}/tmp/{kind};" for kind in
                        ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
    (place / "etc/nginx.conf").write_text(
        f"pid {place}/pid; daemon off; error_log {place}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} include site.conf; }}\n")
    subprocess.run(["chown", "-R", "--reference", str(whole_stack.shared_dir), str(place)], check=True)
    command = ["nginx", "-e", f"{place}/error.log", "-p", str(place), "-c", f"{place}/etc/nginx.conf"]
    subprocess.run([*command, "-t", "-q"], check=True, **whole_stack.daemon_account())
    nginx = subprocess.Popen(command, cwd=whole_stack.state, stdin=subprocess.DEVNULL, **whole_stack.daemon_account())
    wait_until((place / "http.sock").exists, 10)
    yield place / "http.sock"
    nginx.terminate()
    nginx.wait(10)
    server.shutdown()


def get(site, path, cookie="", *more):
    """One request by curl, which speaks over a Unix socket."""
    done = subprocess.run(["curl", "-q", "-sS", "-i", "--unix-socket", str(site), "-H", f"Cookie: {cookie}",
                           "-H", "X-User-Id: 100", "-H", "X-User-Roles: admin", "-H", "Expect:", *more,
                           f"http://www.example.com{path}"],
                          capture_output=True, check=True)
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), body


def test_signed_in(site, stack):
    """The site says who it is; headers of these names in the request (see get) say nothing."""
    mine, foreign = stack.create("dummy", user="ada"), stack.create("dummy", user="grace")
    assert get(site, f"/v1/tasks/{mine['id']}", "user=ada")[0] == 200
    assert get(site, f"/v1/tasks/{foreign['id']}", "user=ada")[0] == 404
    assert get(site, f"/v1/tasks/{foreign['id']}", "user=admin")[0] == 200


@pytest.mark.parametrize("cookie, status", [("", 401), ("user=banned", 403), ("user=broken", 503)])
def test_refused(site, cookie, status):
    got, headers, body = get(site, "/v1/tasks", cookie)
    assert got == status
    assert headers["Content-Type"] == "application/problem+json"
    assert f'"status":{status}' in body
    assert (headers.get("WWW-Authenticate") == "Session") == (status == 401)
    assert ("Retry-After" in headers) == (status == 503)


def test_tokens(site, stack):
    """They pass the site's check, which knows nothing of them, and the pool looks at them."""
    mine = stack.create("dummy", user="ada")
    token = stack.taskctl("token", "create", "--user", "1").stdout.strip()
    assert get(site, f"/v1/tasks/{mine['id']}", "", "-H", f"Authorization: Bearer {token}")[0] == 200
    status, headers, _ = get(site, "/v1/tasks", "", "-H", "Authorization: Bearer x")
    assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")


def test_health(site):
    assert get(site, "/v1/tasks/health")[0] == 200


def test_site_cannot_send_exports(site, stack):
    """Another upstream of the same server is refused what the pool may send."""
    task = stack.finish(stack.create("csv_export", {"export": "books"}, "grace")["id"], "grace")
    [[path]] = stack.sql("SELECT path FROM csv_export WHERE task_id = %s", [task["id"]])
    Site.stolen = "/_backdesk_files/" + path
    assert get(site, "/steal")[0] == 404
    assert get(site, "/_backdesk_identity")[0] == 404


def test_large_body(site, tmp_path):
    """The check of the session is a request of its own, and nginx measures that one's body, too."""
    body = tmp_path / "books.csv"
    body.write_bytes(b"id,title\n" + b"1,x\n" * 500_000)
    status, _, answer = get(site, "/v1/tasks/uploads", "user=ada", "-H", "Content-Type: text/csv",
                            "--data-binary", f"@{body}")
    assert status == 201 and json.loads(answer)["bytes"] == body.stat().st_size
