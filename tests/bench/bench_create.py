# SPDX-License-Identifier: MIT
"""A task entered, answered only when its commit is on the disk."""

import json

import harness
import web
from place import Place

TEXT = "POST /v1/tasks, durable, 32 and 64 connections, beside php-fpm, Node and a bare libfcgi program; batches of 1,000"
ONE = json.dumps({"type": "dummy", "data": {"seconds": 0}})


def arguments(parser):
    parser.add_argument("--connections", default="32,64")
    parser.add_argument("--users", type=int, default=1000, help="of the case where each task is of another user")
    parser.add_argument("--batch", type=int, default=1000, help="tasks of a POST of an array")


def run(options):
    web.need_all()
    with Place() as place:
        base = web.start(place)

        def empty():
            place.stack.sql("TRUNCATE TABLE tasks")

        def questions():
            return int(place.stack.sql("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])

        def single(path, connections, users=0):
            before = questions()
            measured = web.wrk(place, base, path, connections, options.seconds, method="POST", body=ONE, users=users)
            created = place.stack.sql("SELECT COUNT(*) FROM tasks")[0][0]
            return {**measured, "statements/task": (questions() - before) / created}

        def batch(connections):
            body = json.dumps([{"type": "dummy", "data": {"seconds": 0}}] * options.batch)
            measured = web.wrk(place, base, web.PATHS["Backdesk"], connections, options.seconds, method="POST", body=body)
            return {"tasks/s": measured.pop("requests/s") * options.batch, **measured}

        for connections in map(int, options.connections.split(",")):
            result = harness.Result(f"create: {connections} connections", [
                harness.Goal("Backdesk", "requests/s", "php-fpm", at_least=2.5),
                harness.Goal("Backdesk", "requests/s", "Node", at_least=1.8),
                harness.Goal("Backdesk", "requests/s", "bare libfcgi", at_least=1.4)])
            cases = [harness.Case(name, lambda path=path, c=connections: single(path, c), empty)
                     for name, path in web.PATHS.items()]
            cases.append(harness.Case(f"Backdesk, {options.users:,} users",
                                      lambda c=connections: single(web.PATHS["Backdesk"], c, options.users), empty))
            yield harness.run(result, harness.chosen(cases, options), options.runs)
        cases = [harness.Case(f"batches over {count} connections", lambda count=count: batch(count), empty) for count in (1, 4)]
        result = harness.Result("create: batches", [harness.Goal("batches over 4 connections", "tasks/s", at_least=50000)])
        yield harness.run(result, harness.chosen(cases, options), options.runs)
