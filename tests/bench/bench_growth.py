# SPDX-License-Identifier: MIT
"""What requests and claims cost while the table grows: the same verbs on tables of several sizes, which take each
other's place between the cases."""

import http.client
import json
import random
import statistics
import time

import harness
import web
from place import Place, wait_until

TEXT = "get, list, create, stats and claims with 0, 1 and 10 million ended tasks"
FLAT = 1.3


def arguments(parser):
    parser.add_argument("--sizes", default="0,1000000,10000000", help="ended tasks in the table")
    parser.add_argument("--requests", type=int, default=300, help="of each kind in a case")
    parser.add_argument("--tasks", type=int, default=20000, help="that are claimed and finished in a case")


class Growth:
    def __init__(self, place, options):
        self.place, self.options, self.sql = place, options, place.stack.sql
        self.here = None  # the size of the table that is called tasks
        place.serve()
        for size in map(int, options.sizes.split(",")):
            self.make(size)
        self.sql("DROP TABLE tasks")

    def make(self, size):
        name, step = f"tasks_{size}", 500000
        self.sql(f"CREATE TABLE {name} LIKE tasks")
        for begin in range(1, size + 1, step):
            self.sql(f"INSERT INTO {name} (type, data, status, created_by, worker, started_at, finished_at, updated_on,"
                     " attempt, fence) SELECT 'dummy', '{}', 'success', 1 + seq MOD 100, 'old', UTC_TIMESTAMP(6),"
                     " UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 1, 1"
                     f" FROM seq_{begin}_to_{min(begin + step - 1, size)}")
        self.sql(f"INSERT INTO {name} (type, data, created_by, status) SELECT 'parked', '{{}}', 1, 'success'"
                 " FROM seq_1_to_200")  # for get and list where nothing else is
        self.sql(f"ANALYZE TABLE {name}")

    def take_place(self, size):
        self.sql(f"RENAME TABLE tasks_{size} TO tasks")
        self.here = size
        self.place.runner(runner__workers=2)
        self.ids = [row[0] for row in self.sql("SELECT id FROM tasks FORCE INDEX (owner) WHERE created_by = 1"
                                               " ORDER BY id DESC LIMIT 5000")]

    def leave_place(self):
        self.place.stop_runners()
        self.sql(f"RENAME TABLE tasks TO tasks_{self.here}")

    def ask(self, connection, method, path, body=None):
        begin = time.perf_counter()
        connection.request(method, path, body, {"Authorization": web.AUTHORIZATION, "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 202), (path, answer.status)
        return (time.perf_counter() - begin) * 1000

    def measure(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port)
        later = json.dumps({"type": "dummy", "run_at": "2099-01-01T00:00:00Z"})
        asked = {"get ms": lambda: ("GET", f"/v1/tasks/{random.choice(self.ids)}"), "list ms": lambda: ("GET", "/v1/tasks"),
                 "stats ms": lambda: ("GET", "/v1/tasks/stats"), "create ms": lambda: ("POST", "/v1/tasks", later)}
        medians = {metric: statistics.median(self.ask(connection, *make()) for _ in range(self.options.requests))
                   for metric, make in asked.items()}
        connection.close()
        self.sql("DELETE FROM tasks WHERE status = 'scheduled'")
        return {**medians, "claimed and finished/s": self.drain()}

    def drain(self):
        count = "SELECT COALESCE(SUM(ended), 0) FROM task_counters WHERE outcome = 'success' AND type = 'dummy'"
        want = int(self.sql(count)[0][0]) + self.options.tasks
        self.sql("INSERT INTO tasks (type, data, created_by) SELECT 'dummy', '{}', 200 + seq MOD 50"
                 f" FROM seq_1_to_{self.options.tasks}")
        begin = time.monotonic()
        wait_until(lambda: int(self.sql(count)[0][0]) >= want, 300, every=0.02)
        rate = self.options.tasks / (time.monotonic() - begin)
        self.sql("DELETE FROM tasks WHERE created_by BETWEEN 200 AND 249")
        return rate


def run(options):
    with Place() as place:
        growth = Growth(place, options)
        sizes = [int(size) for size in options.sizes.split(",")]
        names = {size: f"{size} ended tasks" for size in sizes}
        cases = [harness.Case(names[size], growth.measure, lambda size=size: growth.take_place(size), growth.leave_place)
                 for size in sizes]
        goals = [harness.Goal(names[size], metric, names[sizes[0]], at_most=FLAT) for size in sizes[1:]
                 for metric in ("get ms", "list ms", "stats ms", "create ms")]
        goals += [harness.Goal(names[size], "claimed and finished/s", names[sizes[0]], at_least=1 / FLAT)
                  for size in sizes[1:]]
        yield harness.run(harness.Result("growth", goals), harness.chosen(cases, options), options.runs)
        growth.take_place(sizes[0])  # the stack ends with a table of its name
