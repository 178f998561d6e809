# SPDX-License-Identifier: MIT
"""The fragments for deferral in a site's own nginx: a request that would be refused is refused and never
queued, whatever protects the location and wherever that stands; nothing that a client sends steers it."""

import http.server
import json
import socket
import subprocess
import threading

import pytest

from ports import free_ports, listens
from stack import SOURCE, wait_until

NGINX = SOURCE / "nginx"
GOOD, BAD = ["-u", "ada:demo"], ["-u", "ada:wrong"]
BASIC = 'auth_basic "Site"; auth_basic_user_file backdesk/users;'
SESSION = "auth_request /session;"

# name: (directives of the server, of the location, method, what passes, what does not, with which status)
PROTECTIONS = {
    "basic": ("", BASIC, "GET", GOOD, BAD, 401),
    "basic_server": (BASIC, "", "POST", GOOD, [], 401),
    "session": ("", SESSION, "GET", ["-H", "X-Good: 1"], ["-H", "X-Good: 0"], 401),
    "session_server": (SESSION, "", "DELETE", ["-H", "X-Good: 1"], [], 401),
    "deny": ("", "set_real_ip_from 127.0.0.1; real_ip_header X-Ip; allow 192.0.2.1; deny all;", "GET",
             ["-H", "X-Ip: 192.0.2.1"], ["-H", "X-Ip: 192.0.2.2"], 403),
    "deny_server": ("set_real_ip_from 127.0.0.1; real_ip_header X-Ip; deny 192.0.2.2;", "", "GET", [],
                    ["-H", "X-Ip: 192.0.2.2"], 403),
    "satisfy_any": ("", f"satisfy any; deny all; {BASIC}", "PUT", GOOD, BAD, 401),
    "satisfy_all": ("", f"satisfy all; allow 127.0.0.1; deny all; {BASIC}", "GET", GOOD, BAD, 401),
    "satisfy_server": (f"satisfy any; {SESSION} {BASIC}", "", "GET", GOOD, [], 401),
    "except": ("", "limit_except GET { deny all; }", "GET", [], ["-X", "POST"], 403),
    "size": ("", "client_max_body_size 10;", "POST", ["-d", "x"], ["-d", "x" * 11], 413),
    "condition": ("", "if ($http_x_good = 0) { return 403; }", "GET", ["-H", "X-Good: 1"], ["-H", "X-Good: 0"], 403),
    "rate": ("", "limit_req zone=@NAME@ nodelay;", "GET", [], [], 503),
    "rate_server": ("limit_req zone=@NAME@ nodelay;", "", "GET", [], [], 503),
}


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        good = self.path != "/session" or self.headers.get("X-Good") == "1"
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"plain")

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def site(whole_stack):
    """nginx with a server for each row of PROTECTIONS; gives {name: port}, with HTTP/2 one higher in a list."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = whole_stack.state / "tmp" / "defer"
    (place / "etc/backdesk").mkdir(parents=True)
    (place / "tmp").mkdir()
    for file in NGINX.glob("backdesk*.conf"):
        text = file.read_text().replace("/run/backdesk/tasks", f"{whole_stack.state}/run/tasks")
        (place / "etc/backdesk" / file.name).write_text(text)
    (place / "etc/backdesk/users").write_text((whole_stack.state / "etc/backdesk/users").read_text())
    free = iter(free_ports(2 * len(PROTECTIONS)))
    ports = {name: (next(free), next(free)) for name in PROTECTIONS}
    servers = []
    for name, (outer, inner, *_) in PROTECTIONS.items():
        outer, inner = outer.replace("@NAME@", name), inner.replace("@NAME@", name)
        listeners = f"listen 127.0.0.1:{ports[name][0]}; listen 127.0.0.1:{ports[name][1]} http2;"
        servers.append(f"""server {{ {listeners} listen unix:{place}/{name}.sock; {outer}
            location / {{ {inner} fastcgi_param BACKDESK_USER 1; proxy_pass http://site;
                          include backdesk/backdesk-defer-arango.conf; }}
            location = /session {{ internal; satisfy all; auth_request off; auth_basic off; proxy_pass http://site/session;
                proxy_pass_request_body off; proxy_set_header Content-Length ""; }} }}""")
    zones = "".join(f"limit_req_zone $server_port zone={name}:32k rate=1r/m;" for name in PROTECTIONS if "rate" in name)
    temporary = "".join(f"{kind}_temp_path {place}/tmp/{kind};" for kind in
                        ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
    (place / "etc/nginx.conf").write_text(
        f"pid {place}/pid; daemon off; error_log {place}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} {zones} upstream site {{ server 127.0.0.1:{server.server_port}; }}\n"
        f"include backdesk/backdesk-http.conf; include backdesk/backdesk-defer-http.conf;\n{''.join(servers)} }}\n")
    subprocess.run(["chown", "-R", "--reference", str(whole_stack.shared_dir), str(place)], check=True)
    whole_stack.taskctl("pause", "http_request")
    nginx = subprocess.Popen(["nginx", "-e", f"{place}/error.log", "-p", str(place), "-c", f"{place}/etc/nginx.conf"],
                             cwd=whole_stack.state, stdin=subprocess.DEVNULL, **whole_stack.daemon_account())
    wait_until(lambda: all(listens(port) for pair in ports.values() for port in pair), 10)
    yield ports, place
    nginx.terminate()
    nginx.wait(10)
    server.shutdown()
    whole_stack.taskctl("resume", "http_request")


def status(url, *arguments):
    done = subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", *arguments, url],
                          capture_output=True, check=False)
    assert done.returncode == 0 or done.stdout != b"000" or "--http2-prior-knowledge" in arguments, done.stderr.decode()
    return int(done.stdout)


def queued(stack):
    return stack.sql("SELECT COUNT(*) FROM tasks WHERE type = 'http_request'")[0][0]


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("name", PROTECTIONS)
def test_protection_holds(stack, site, name, version):
    *_, method, good, bad, refusal = PROTECTIONS[name]
    url = f"http://127.0.0.1:{site[0][name][version]}/x"
    protocol = ["--http2-prior-knowledge"] if version else []
    # 0: curl has lost a race: nginx ends the stream of a body that it refuses
    refused = (refusal, 0) if version and name == "size" else (refusal,)
    before = queued(stack)
    if "rate" not in name:
        assert status(url, *protocol, "-X", method, *good) == 200
    assert queued(stack) == before
    assert status(url, *protocol, "-X", method, *good, "-H", "Prefer: respond-async") == 202
    assert queued(stack) == before + 1
    for asks in ("Prefer: respond-async", "Prefer: a, respond-async; x=1, wait=9", "x-arango-async: store", "X-Arango-Async: TRUE"):
        assert status(url, *protocol, "-X", method, *bad, "-H", asks) in refused, asks
    assert status(url, *protocol, "-X", method, *bad) in refused
    assert queued(stack) == before + 1


def test_replay_listener_defers_nothing(stack, site):
    """Over a Unix socket the request goes to the site, whatever is asked."""
    before = queued(stack)
    socket_path = str(site[1] / "size.sock")
    for asks in ("Prefer: respond-async", "x-arango-async: store"):
        assert status("http://x/x", "--unix-socket", socket_path, "-H", asks, "-d", "x") == 200
    assert queued(stack) == before


def send(port, text):
    """A request as it stands; the status."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(text.encode("latin-1"))
        return int(connection.recv(4096).split()[1])


def last(stack):
    return json.loads(stack.sql("SELECT data FROM tasks WHERE type = 'http_request' ORDER BY id DESC LIMIT 1")[0][0])


def test_nothing_steers(stack, site):
    """Whose it is, where it goes and what it asks for is what nginx says."""
    port = site[0]["size"][0]
    forged = "".join(f"{name}: 100\r\n" for name in
                     ("BACKDESK_USER", "Backdesk-User", "X-Backdesk-User", "X-Backdesk-Client", "BACKDESK_SITE", "Backdesk-Defer",
                      "X-Accel-Redirect", "HTTP_BACKDESK_USER", "Proxy"))
    assert send(port, f"GET /x HTTP/1.1\r\nHost: site\r\nPrefer: respond-async\r\n{forged}\r\n") == 202
    data = last(stack)
    assert data["user"] == 1 and data["site"] == "demo" and data["headers"] == []
    assert data["address"] == "127.0.0.1" and data["host"] == "site"


@pytest.mark.parametrize("line, host, target, wanted", [
    ("GET http://evil.example:1/a?b HTTP/1.1", "site", "/a?b", "evil.example"),
    ("GET /a/../b HTTP/1.1", "site", "/a/../b", "site"),
    ("GET /%2e%2e/%2e%2e/x HTTP/1.1", "site", None, None),
    ("GET //evil.example/x HTTP/1.1", "site:99", "//evil.example/x", "site:99"),
    ("GET /a%0d%0aX:%20y HTTP/1.1", "site", "/a%0d%0aX:%20y", "site"),
    ("GET /x@evil.example HTTP/1.1", "site", "/x@evil.example", "site"),
    ("GET /x HTTP/1.1", "evil.example/../", None, None),
    ("GET /x HTTP/1.1", "a b", None, None),
    ("CONNECT evil.example:80 HTTP/1.1", "site", None, None),
])
def test_targets(stack, site, line, host, target, wanted):
    """A URI is a path on the site, kept as it was sent; nginx refuses what is none."""
    before = queued(stack)
    answer = send(site[0]["size"][0], f"{line}\r\nHost: {host}\r\nPrefer: respond-async\r\n\r\n")
    if target is None:
        assert answer in (400, 405) and queued(stack) == before
    else:
        assert answer == 202
        data = last(stack)
        assert (data["target"], data["host"]) == (target, wanted)


def test_many_are_quick(stack, site):
    """Chunked, large and small bodies, many in a row: each is answered without the site."""
    url = f"http://127.0.0.1:{site[0]['except'][0]}/x"
    before = queued(stack)
    for _ in range(40):
        assert status(url, "-H", "Prefer: respond-async") == 202
    assert queued(stack) == before + 40
    body = site[1] / "tmp" / "body"
    body.write_bytes(bytes(range(256)) * 4096 * 3)
    answer = stack.request("POST", "/demo/slow", data=iter([body.read_bytes()]), headers={"Prefer": "respond-async"})
    assert answer.status_code == 202 and answer.json()["data"]["body_bytes"] == 3 << 20
    [(path,)] = stack.sql("SELECT body_path FROM http_requests WHERE task_id = %s", [answer.json()["id"]])
    assert (stack.shared_dir / path).read_bytes() == body.read_bytes()
