# SPDX-License-Identifier: MIT
"""A site with one of the examples for deferral, as it is installed, and a runner that replays to it."""

import http.client
import shutil
import subprocess

from ports import free_ports
from stack import SOURCE, wait_until

NGINX = SOURCE / "nginx"


class Started:
    """nginx with one of the examples, and a runner that replays to it."""

    def __init__(self, stack, name, changes):
        self.stack, self.place, self.port = stack, stack.state / "tmp" / name, free_ports(1)[0]
        (self.place / "etc/backdesk").mkdir(parents=True)
        (self.place / "etc/conf.d").mkdir()
        (self.place / "tmp").mkdir()
        for file in NGINX.glob("backdesk*.conf"):
            self._write(f"backdesk/{file.name}", file.read_text(), {"/run/backdesk/tasks": f"{stack.state}/run/tasks"})
        self._write("backdesk/identity.conf", (NGINX / "examples/identity-auth-request.conf").read_text(), {})
        self._write("backdesk/users", (stack.state / "etc/backdesk/users").read_text(), {})
        self._write("site.conf", (NGINX / "examples/defer-proxy.conf").read_text(), changes)
        self._write("conf.d/site-locations.inc", (NGINX / f"examples/{name}.inc").read_text(), changes)
        for params in ("fastcgi_params", "uwsgi_params"):
            shutil.copy(f"/etc/nginx/{params}", self.place / "etc" / params)
        temporary = "".join(f"{kind}_temp_path {self.place}/tmp/{kind};" for kind in
                            ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        self._write("nginx.conf", f"pid {self.place}/pid; daemon off; error_log {self.place}/error.log; events {{}}\n"
                    f"http {{ access_log off; server_names_hash_bucket_size 128; {temporary}\n"
                    'map $remote_user $site_user { default ""; ada 1; }\ninclude site.conf; }\n', {})
        subprocess.run(["chown", "-R", "--reference", str(stack.shared_dir), str(self.place)], check=True)
        self.config = stack.variant(name, {'site "demo".socket': f'"{self.place}/replay.sock"',
                                           "runner.types": "{http_request}", "runner.nickname": f'"{name}"'})
        stack.stop_own_runner()
        self.nginx = subprocess.Popen(
            ["nginx", "-e", f"{self.place}/error.log", "-p", str(self.place), "-c", f"{self.place}/etc/nginx.conf"],
            cwd=stack.state, stdin=subprocess.DEVNULL, **stack.daemon_account())
        wait_until((self.place / "replay.sock").exists, 10)
        self.runner = stack.start_runner(name, config=self.config)
        stack.runners.remove(self.runner)  # it stays for all tests of the site

    def _write(self, name, text, changes):
        changes = {"listen 80;": f"listen 127.0.0.1:{self.port};",
                   "include backdesk/backdesk-defer.conf;": "include backdesk/backdesk-defer.conf; client_max_body_size 64m;",
                   "/run/backdesk/replay/site.sock": f"{self.place}/replay.sock", **changes}
        for old, new in changes.items():
            text = text.replace(old, new)
        (self.place / "etc" / name).write_text(text)

    def stop(self):
        self.runner.stop()
        self.nginx.terminate()
        self.nginx.wait(10)
        self.stack.start()

    def ask(self, method, path, body=None, **headers):
        """(status, reason, headers, body) as they come over the wire."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Host": "www.example.com", **headers})
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def deferred(self, method, path, body=None, **headers):
        """The same by way of a task: its id and what its result is."""
        status, _, answered, _ = self.ask(method, path, body, Prefer="respond-async", **headers)
        assert status == 202
        task = int(dict(answered)["Location"].rpartition("/")[2])
        assert self.stack.finish(task)["status"] == "success", self.stack.task(task)
        return task, self.ask(method if method == "HEAD" else "GET", f"/v1/tasks/{task}/result", **headers)
