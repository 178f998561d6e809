# SPDX-License-Identifier: MIT
"""An idle site: from the POST until a program of the site has the task, and what idling costs."""

import http.client
import json
import os
import random
import shutil
import statistics
import time

import harness
import web
from place import PEERS, Place, children, cpu_seconds, wait_until

TEXT = "POST until a persistent program has the task, with doorbell and by polling alone; CPU of an idle runner"
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
        place.serve()

    def post(self, connection):
        begin = time.time_ns()
        connection.request("POST", "/v1/tasks", '{"type": "stamp"}',
                           {"Content-Type": "application/json", "Authorization": web.AUTHORIZATION})
        answer = connection.getresponse()
        task = json.loads(answer.read())
        assert answer.status == 202, task
        return task["id"], begin, (time.time_ns() - begin) / 1e6

    def measure(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port)
        posts = []
        for _ in range(self.options.posts):
            time.sleep(random.uniform(0.02, 0.14))
            posts.append(self.post(connection))
        connection.close()
        sql = self.place.stack.sql
        wait_until(lambda: sql("SELECT COUNT(*) FROM tasks WHERE status <> 'success'")[0][0] == 0, 20)
        got = {task: json.loads(result)["ns"] for task, result in sql("SELECT id, result FROM tasks")}
        delays = [(got[task] - begin) / 1e6 for task, begin, _ in posts]
        return {"p50 ms": statistics.median(delays), "p99 ms": harness.percentile(delays, 0.99),
                "POST p50 ms": statistics.median(took for _, _, took in posts), **self.idle()}

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
                self.post(connection)
            connection.close()
            wait_until(lambda: not self.place.stack.sql("SELECT 1 FROM tasks WHERE status <> 'success' LIMIT 1"), 20)
            time.sleep(1)
        return harness.Case(name, self.measure, prepare, self.place.stop_runners)


def run(options):
    with Place() as place:
        latency = Latency(place, options)
        elsewhere = place.stack.state / "tmp" / "unheard"
        cases = [latency.case("doorbell"), latency.case("polling alone", runner__doorbell=f'"{elsewhere}"'),
                 harness.Case("one fdatasync", latency.fsyncs), harness.Case("no runner", latency.idle)]
        result = harness.Result("latency", [
            harness.Goal("doorbell", "p50 ms", at_most=1.2), harness.Goal("doorbell", "p99 ms", at_most=3.9),
            harness.Goal("polling alone", "p50 ms", at_most=60), harness.Goal("polling alone", "p99 ms", at_most=120),
            harness.Goal("doorbell", "idle % of a core", at_most=0.5)])
        yield harness.run(result, harness.chosen(cases, options), options.runs)
