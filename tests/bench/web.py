# SPDX-License-Identifier: MIT
"""Backdesk and its peers behind one nginx, and wrk in front of it."""

import re
import shutil

from place import PATH, PEERS, need, need_node_modules, need_php_module, wait_until

AUTHORIZATION = "Basic YWRhOmRlbW8="  # ada:demo

NODE = 'location ^~ /peer/node/ { proxy_pass http://node; proxy_http_version 1.1; proxy_set_header Connection ""; }'

# A kept connection would pin one of php-fpm's children, so it has none, as is usual.
# Peers ask nobody who is there; Backdesk does.
LOCATIONS = """
        location ^~ /peer/php/ {{
            fastcgi_pass php; include {fastcgi};
            fastcgi_param SCRIPT_FILENAME {state}/bin/page.php;
        }}
        {node}
        location ^~ /peer/bare/ {{ fastcgi_pass bare; fastcgi_keep_conn on; include {fastcgi}; }}
"""
PARAMS = ("REQUEST_METHOD $request_method", "REQUEST_URI $request_uri", "QUERY_STRING $query_string",
          "CONTENT_TYPE $content_type", "CONTENT_LENGTH $content_length", "SERVER_PROTOCOL $server_protocol")
FPM = """[global]
error_log = {state}/log/php-fpm.err
daemonize = no
[www]
listen = {state}/run/php.sock
listen.backlog = 1024
pm = static
pm.max_children = 16
clear_env = no
"""

PATHS = {"Backdesk": "/v1/tasks", "php-fpm": "/peer/php/tasks", "Node": "/peer/node/tasks", "bare libfcgi": "/peer/bare/tasks"}


def need_all():
    need("wrk", "php-fpm8.2", "node")
    need_php_module("pdo_mysql")
    need_node_modules()


def start(place):
    """Starts the peers and nginx; the base URL."""
    state = place.stack.state
    for name in ("page.php", "server.js"):
        shutil.copy(PEERS / name, state / "bin" / name)
    params = state / "etc" / "peer_params"
    params.write_text("".join(f"fastcgi_param {line};\n" for line in PARAMS))
    fpm = state / "etc" / "php-fpm.conf"
    fpm.write_text(FPM.format(state=state))
    for path in (params, fpm):
        path.chmod(0o644)
    place.start("php-fpm", ["php-fpm8.2", "--nodaemonize", "--fpm-config", fpm])
    place.start("node", ["node", state / "bin" / "server.js"], BENCH_LISTEN=str(state / "run" / "node.sock"),
                BENCH_MODULES=place.node_modules())
    place.start("bare", [place.peer("page_bare"), state / "run" / "bare.sock"])
    for name in ("php", "node", "bare"):
        wait_until((state / "run" / f"{name}.sock").is_socket, 20)
    return place.serve(LOCATIONS.format(state=state, fastcgi=params, node=NODE))


def wrk(place, base, path, connections, seconds, method="GET", ids=0, body="", prefer="", users=0):
    """{"requests/s", "p50 ms", "p99 ms"}; an answer that is no success ends the benchmark."""
    done = place.call(["wrk", "-c", connections, "-t", min(2, connections), "-d", f"{max(int(seconds), 1)}s", "--timeout", "10s",
                       "-s", PEERS / "request.lua", base],
                      env={"BENCH_METHOD": method, "BENCH_PATH": path, "BENCH_IDS": str(ids), "BENCH_BODY": body,
                           "BENCH_AUTHORIZATION": AUTHORIZATION, "BENCH_PREFER": prefer, "BENCH_USERS": str(users), "PATH": PATH})
    requests, usec, p50, p99, errors = map(int, re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", done, re.M).groups())
    if errors or not requests:
        place.fail(f"{path}: {errors} errors in {requests} requests\n{done}")
    return {"requests/s": requests * 1e6 / usec, "p50 ms": p50 / 1000, "p99 ms": p99 / 1000}
