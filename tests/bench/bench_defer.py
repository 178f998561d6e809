# SPDX-License-Identifier: MIT
"""An endpoint of the site, asked the usual way and deferred: what the detour adds, and how many requests are taken in."""

import http.client
import statistics
import time

import harness
import web
from place import Place

TEXT = "an endpoint of the site by Prefer: respond-async beside the direct way: time to its response, requests accepted"
PATH = "/demo/slow?bytes=100"
DEFER = "respond-async"


def arguments(parser):
    parser.add_argument("--requests", type=int, default=300, help="of one case, one after the other")
    parser.add_argument("--connections", type=int, default=32, help="while requests are taken in")


class Client:
    """One kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path, status, **headers):
        self.connection.request("GET", path, headers={"Authorization": web.AUTHORIZATION, **headers})
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == status, (path, answer.status, body)
        return answer, body


class Defer:
    def __init__(self, place, options):
        self.place, self.options = place, options
        self.base = place.serve()

    def direct(self, client):
        return client.get(PATH, 200)[1]

    def deferred(self, client):
        answer, _ = client.get(PATH, 202, Prefer=DEFER)
        return client.get(answer.headers["Location"] + "/result", 200, Prefer="wait=30")[1]

    def polled(self, client):
        """Without Prefer: wait, every 2 ms: what the detour takes by itself."""
        answer, _ = client.get(PATH, 202, Prefer=DEFER)
        while True:
            client.connection.request("GET", answer.headers["Location"] + "/result",
                                      headers={"Authorization": web.AUTHORIZATION})
            result = client.connection.getresponse()
            body = result.read()
            if result.status == 200:
                return body
            assert result.status == 204, (result.status, body)
            time.sleep(0.002)

    def times(self, ask):
        client, took = Client(self.place.port), []
        for _ in range(self.options.requests):
            begin = time.perf_counter()
            assert len(ask(client)) == 100
            took.append((time.perf_counter() - begin) * 1000)
        client.connection.close()
        return {"p50 ms": statistics.median(took), "p99 ms": harness.percentile(took, 0.99)}

    def accepted(self, path, method="GET", body="", prefer=""):
        return web.wrk(self.place, self.base, path, self.options.connections, self.options.seconds, method=method, body=body,
                       prefer=prefer)

    def runner(self):
        self.place.stack.sql("TRUNCATE TABLE tasks")
        self.place.runner("bench", runner__replays=16)

    def empty(self):
        self.place.stack.sql("TRUNCATE TABLE tasks")


def run(options):
    web.need("wrk")
    with Place() as place:
        defer = Defer(place, options)
        cases = [harness.Case("direct", lambda: defer.times(defer.direct)),
                 harness.Case("deferred, waiting", lambda: defer.times(defer.deferred), defer.runner, place.stop_runners),
                 harness.Case("deferred, polling", lambda: defer.times(defer.polled), defer.runner, place.stop_runners)]
        yield harness.run(harness.Result("defer: one at a time"), harness.chosen(cases, options), options.runs)
        cases = [harness.Case("direct", lambda: defer.accepted(PATH)),
                 harness.Case("taken in", lambda: defer.accepted(PATH, prefer=DEFER), defer.empty),
                 harness.Case("POST of a task", lambda: defer.accepted("/v1/tasks", "POST", '{"type": "dummy"}'), defer.empty)]
        yield harness.run(harness.Result("defer: requests taken in"), harness.chosen(cases, options), options.runs)
