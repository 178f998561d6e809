# SPDX-License-Identifier: MIT
"""An idle site: from the POST until a program of the site has the task, beside graphile-worker behind a Node server,
and what idling costs."""

import http.client
import json
import os
import random
import shutil
import statistics
import time

import harness
import web
from place import PEERS, Place, children, cpu_seconds, need, need_node_modules, wait_until

TEXT = "POST until a persistent program has the task, with doorbell and by polling alone, beside graphile-worker; idling"
GRAPHILE = "/peer/node/graphile"
COMMAND = """
command "stamp" {{
    argv = {{"/usr/bin/python3", "{program}"}}
    mode = persistent
}}
"""


def arguments(parser):
    parser.add_argument("--posts", type=int, default=200, help="of one case; they come 20 to 140 ms apart")


class Latency:
    def __init__(self, place, options):
        self.place, self.options = place, options
        program = shutil.copy(PEERS / "stamp.py", place.stack.state / "bin" / "stamp.py")
        self.more = COMMAND.format(program=program)
        place.restart_pool(self.more)
        place.serve(web.NODE)

    def post(self, connection, path):
        begin = time.time_ns()
        connection.request("POST", path, '{"type": "stamp"}',
                           {"Content-Type": "application/json", "Authorization": web.AUTHORIZATION})
        answer = connection.getresponse()
        task = json.loads(answer.read())
        assert answer.status == 202, task
        return str(task["id"]), begin, (time.time_ns() - begin) / 1e6

    def posts(self, path):
        """[(id, when it was sent, how long its answer took)]"""
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port)
        posts = []
        for _ in range(self.options.posts):
            time.sleep(random.uniform(0.02, 0.14))
            posts.append(self.post(connection, path))
        connection.close()
        return posts

    def delays(self, posts, begun):
        """BEGUN: when the task of an id was begun."""
        delays = [(begun[task] - begin) / 1e6 for task, begin, _ in posts]
        return {"p50 ms": statistics.median(delays), "p99 ms": harness.percentile(delays, 0.99),
                "POST p50 ms": statistics.median(took for _, _, took in posts)}

    def measure(self):
        posts = self.posts("/v1/tasks")
        sql = self.place.stack.sql
        wait_until(lambda: sql("SELECT COUNT(*) FROM tasks WHERE status <> 'success'")[0][0] == 0, 20)
        begun = {str(task): json.loads(result)["ns"] for task, result in sql("SELECT id, result FROM tasks")}
        return {**self.delays(posts, begun), **self.idle()}

    def measure_graphile(self):
        posts = self.posts(GRAPHILE)
        return self.delays(posts, wait_until(lambda: self.begun(posts), 20))

    def begun(self, posts):
        """By id, once all have begun."""
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port)
        connection.request("GET", GRAPHILE)
        begun = json.loads(connection.getresponse().read())
        connection.close()
        return begun if all(task in begun for task, _, _ in posts) else None

    def idle(self):
        """Runner with its workers, and the database, in percent of one core."""
        pids = [self.place.stack.pid("mariadbd")]
        for runner in self.place.stack.runners:
            pids += [runner.pid, *children(runner.pid)]
        time.sleep(1)
        begin, before = time.monotonic(), sum(map(cpu_seconds, pids))
        time.sleep(2 * self.options.seconds)
        return {"idle % of a core": 100 * (sum(map(cpu_seconds, pids)) - before) / (time.monotonic() - begin)}

    def fsyncs(self):
        """What the disk alone takes: the POST's commit and the claim's are one each."""
        took = []
        with open(self.place.stack.state / "tmp" / "fsync", "wb") as file:
            for _ in range(self.options.posts):
                begin = time.perf_counter()
                file.write(b"x" * 512)
                file.flush()
                os.fdatasync(file.fileno())
                took.append((time.perf_counter() - begin) * 1000)
                time.sleep(0.02)
        return {"p50 ms": statistics.median(took), "p99 ms": harness.percentile(took, 0.99)}

    def case(self, name, **edit):
        def prepare():
            self.place.stack.sql("TRUNCATE TABLE tasks")
            self.place.runner("bench", self.more, **edit)
            connection = http.client.HTTPConnection("127.0.0.1", self.place.port)
            for _ in range(10):  # the programs are started by their first task
                self.post(connection, "/v1/tasks")
            connection.close()
            wait_until(lambda: not self.place.stack.sql("SELECT 1 FROM tasks WHERE status <> 'success' LIMIT 1"), 20)
            time.sleep(1)
        return harness.Case(name, self.measure, prepare, self.place.stop_runners)

    def graphile(self):
        """A Node server, graphile-worker in a process of its own, and a PostgreSQL, while Backdesk rests."""
        place = self.place
        script = shutil.copy(PEERS / "pg_queue.js", place.stack.state / "bin" / "pg_queue.js")
        reach = place.postgres()
        socket = place.stack.state / "run" / "node.sock"
        started = []

        def prepare():
            socket.unlink(missing_ok=True)
            started.append(place.start("graphile", ["node", script], **reach, BENCH_MODE="graphile", BENCH_JOBS="0",
                                       BENCH_LISTEN=str(socket), BENCH_MODULES=place.node_modules()))
            wait_until(socket.is_socket, 30)
            connection = http.client.HTTPConnection("127.0.0.1", place.port)
            warm = [self.post(connection, GRAPHILE) for _ in range(10)]
            connection.close()
            wait_until(lambda: self.begun(warm), 20)
            time.sleep(1)
        return harness.Case("graphile-worker", self.measure_graphile, prepare, lambda: place.end(started.pop()))


def run(options):
    need("node", "postgres")
    need_node_modules()
    with Place() as place:
        latency = Latency(place, options)
        elsewhere = place.stack.state / "tmp" / "unheard"
        cases = [latency.case("doorbell"), latency.case("polling alone", runner__doorbell=f'"{elsewhere}"'),
                 latency.graphile(), harness.Case("one fdatasync", latency.fsyncs), harness.Case("no runner", latency.idle)]
        result = harness.Result("latency", [
            harness.Goal("doorbell", "p50 ms", at_most=1.2), harness.Goal("doorbell", "p99 ms", at_most=3.9),
            harness.Goal("polling alone", "p50 ms", at_most=60), harness.Goal("polling alone", "p99 ms", at_most=120),
            harness.Goal("doorbell", "idle % of a core", at_most=0.5)])
        yield harness.run(result, harness.chosen(cases, options), options.runs)
