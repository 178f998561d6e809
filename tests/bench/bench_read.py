# SPDX-License-Identifier: MIT
"""One task by its id, random ones of a million, through nginx."""

import harness
import web
from place import Place

TEXT = "GET /v1/tasks/{id} of a million tasks, beside php-fpm, Node and a bare libfcgi program"


def arguments(parser):
    parser.add_argument("--tasks", type=int, default=1000000, help="how many there are to ask for")
    parser.add_argument("--connections", type=int, default=32)


def fill(place, tasks):
    place.stack.sql("TRUNCATE TABLE tasks")
    step = 250000
    for begin in range(1, tasks + 1, step):
        place.stack.sql(
            "INSERT INTO tasks (id, type, data, status, created_by, worker, started_at, finished_at, updated_on, attempt,"
            " fence, result) SELECT seq, 'dummy', '{\"seconds\": 0, \"steps\": 3}', 'success', 1, 'bench:x', UTC_TIMESTAMP(6),"
            " UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 1, 1, '{\"steps\": 3}'"
            f" FROM seq_{begin}_to_{min(begin + step - 1, tasks)}")
    place.stack.sql("ANALYZE TABLE tasks")


def run(options):
    web.need_all()
    with Place() as place:
        fill(place, options.tasks)
        base = web.start(place)
        alone = min(options.seconds, 2)

        def measure(path):
            many = web.wrk(place, base, f"{path}/", options.connections, options.seconds, ids=options.tasks)
            return {**many, "alone p50 ms": web.wrk(place, base, f"{path}/", 1, alone, ids=options.tasks)["p50 ms"]}

        cases = [harness.Case(name, lambda path=path: measure(path)) for name, path in web.PATHS.items()]
        for path in web.PATHS.values():  # caches
            web.wrk(place, base, f"{path}/", options.connections, 1, ids=options.tasks)
        result = harness.Result("read", [
            harness.Goal("Backdesk", "requests/s", "php-fpm", at_least=3),
            harness.Goal("Backdesk", "requests/s", "Node", at_least=2),
            harness.Goal("Backdesk", "requests/s", "bare libfcgi", at_least=1.4),
            harness.Goal("Backdesk", "p99 ms", "bare libfcgi", at_most=0.5),
            harness.Goal("Backdesk", "alone p50 ms", "bare libfcgi", at_most=1)])
        yield harness.run(result, harness.chosen(cases, options), options.runs)
