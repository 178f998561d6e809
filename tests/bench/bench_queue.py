# SPDX-License-Identifier: MIT
"""From enqueued to success: no-op tasks through the real runner and its worker processes, every commit durable."""

import shutil
import time

import harness
from place import PEERS, Place, children, cpu_seconds, need, need_node_modules, wait_until

TEXT = "no-op tasks through the runner, beside bare loops over the same table; with history, schedules, inserts, a view"
RATE = "tasks/s"
USERS, INSERTERS = 50, 8


def arguments(parser):
    parser.add_argument("--tasks", type=int, default=100000, help="how many wait at the beginning of a case")
    parser.add_argument("--finished", type=int, default=5000000, help="ended tasks of the variant `history`")
    parser.add_argument("--scheduled", type=int, default=200000, help="tasks for later, of the variant `scheduled`")
    parser.add_argument("--inserts", type=int, default=1000, help="a second, of the variant `inserts`")
    parser.add_argument("--parts", default="peers,others,variants,history", help="which of the four to measure")


class Queue:
    def __init__(self, place, options):
        self.place, self.options, self.stack = place, options, place.stack
        self.connection = self.stack.connect()
        self.bare = place.peer("queue_bare")
        self.inserts = place.peer("insert_bare")

    def sql(self, query, args=None):
        with self.connection.cursor() as cursor:
            cursor.execute(query, args)
            return cursor.fetchall()

    def fill(self, task_type):
        """The tasks appear to everybody at once, at the statement's commit."""
        waiting = self.sql("SELECT COUNT(*) FROM tasks FORCE INDEX (claim) WHERE status = 'fresh' AND type = %s",
                           [task_type])[0][0]
        self.sql(f"INSERT INTO tasks (type, data, created_by) SELECT %s, '{{}}', 1 + seq MOD {USERS}"
                 f" FROM seq_1_to_{max(self.options.tasks - waiting, 1)}", [task_type])

    def ended(self):
        return int(self.sql("SELECT COALESCE(SUM(ended), 0) FROM task_counters WHERE type = 'dummy'"
                            " AND outcome = 'success'")[0][0])

    def settle(self):
        """Until purge has caught up, so that no case pays for the one before."""
        wait_until(lambda: self.status("Innodb_history_list_length") < 2000, 120)

    def status(self, name):
        return int(self.sql("SHOW GLOBAL STATUS LIKE %s", [name])[0][1])

    # --- cases -----------------------------------------------------------------------------------------

    def ours(self, name, prepare=None, tidy=None):
        return harness.Case(name, self.drain, prepare or self.settle, tidy)

    def drain(self):
        """The runners are idle; tasks appear, and the clock stops when the last has ended."""
        want = self.ended() + self.options.tasks
        pids = {"database": [self.stack.pid("mariadbd")], "dispatcher": [r.pid for r in self.stack.runners],
                "workers": [child for r in self.stack.runners for child in children(r.pid)]}
        self.fill("dummy")
        before = {who: sum(map(cpu_seconds, p)) for who, p in pids.items()}
        asked = self.status("Questions")
        begin = time.monotonic()
        wait_until(lambda: self.ended() >= want, 300, every=0.02)
        seconds = time.monotonic() - begin
        asked = self.status("Questions") - asked
        after = {who: sum(map(cpu_seconds, p)) for who, p in pids.items()}
        return {RATE: self.options.tasks / seconds, "statements/task": asked / self.options.tasks,
                **{f"us {who}": (after[who] - before[who]) / self.options.tasks * 1e6 for who in pids}}

    def loop(self, name, mode, connections):
        def measure():
            done, seconds = self.place.call([self.bare, "bare", mode, connections, self.options.seconds]).split()
            return {RATE: int(done) / float(seconds)}

        def prepare():
            self.fill("bare")
            self.settle()
        return harness.Case(name, measure, prepare)

    def other(self, name, mode, jobs):
        """A queue for PostgreSQL, a worker process for each core."""
        def measure():
            done, seconds = self.place.call(
                ["node", self.place.stack.state / "bin" / "pg_queue.js"],
                env={**self.postgres, "BENCH_MODE": mode, "BENCH_JOBS": str(jobs), "NODE_ENV": "production",
                     "BENCH_MODULES": self.place.node_modules()}).split()
            return {RATE: int(done) / float(seconds)}
        return harness.Case(name, measure)

    # --- what goes on beside ---------------------------------------------------------------------------

    def hold_view(self):
        self.settle()
        self.view = self.stack.connect()
        with self.view.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            cursor.execute("SELECT COUNT(*) FROM csv_export")

    def drop_view(self):
        self.view.close()

    def begin_inserts(self):
        self.settle()
        self.inserting = self.place.start("inserts", [self.inserts, INSERTERS, self.options.inserts])

    def end_inserts(self):
        assert self.inserting.poll() is None, "see its log"
        self.place.end(self.inserting)
        self.sql("DELETE FROM tasks WHERE type = 'other'")

    def schedule(self):
        self.sql("INSERT INTO tasks (type, data, created_by, run_at, status, turn) SELECT 'dummy', '{}', 3,"
                 " UTC_TIMESTAMP(6) + INTERVAL 1 DAY, 'scheduled', TIMESTAMPDIFF(MICROSECOND, '1970-01-01',"
                 f" UTC_TIMESTAMP(6)) + 86400000000 + seq FROM seq_1_to_{self.options.scheduled}")
        self.settle()

    def unschedule(self):
        self.sql("DELETE FROM tasks WHERE status = 'scheduled'")

    def more_runners(self):
        for number in (2, 3, 4):
            self.place.runner(f"bench{number}", runner__workers=2)
        self.settle()

    def fewer_runners(self):
        others, self.stack.runners = self.stack.runners[1:], self.stack.runners[:1]
        for runner in others:
            runner.stop()

    def swap(self):
        """The table with the history takes the place of the other one, or the other way round."""
        self.settle()
        self.sql("RENAME TABLE tasks TO tasks_swap, tasks_other TO tasks, tasks_swap TO tasks_other")

    def make_history(self):
        self.sql("CREATE TABLE tasks_other LIKE tasks")
        step = 500000
        for begin in range(1, self.options.finished + 1, step):
            last = min(begin + step - 1, self.options.finished)
            self.sql("INSERT INTO tasks_other (type, data, status, created_by, worker, started_at, finished_at, updated_on,"
                     " attempt, fence) SELECT 'dummy', '{}', 'success', 1 + seq MOD 50, 'old', UTC_TIMESTAMP(6),"
                     f" UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 1, 1 FROM seq_{begin}_to_{last}")
        self.sql("ANALYZE TABLE tasks_other")


def peers(queue, options):
    result = harness.Result("queue: beside bare loops", [
        harness.Goal("Backdesk", RATE, "bare loop of 100", at_least=0.8),
        harness.Goal("Backdesk", RATE, "Laravel-like (2 connections)", at_least=5)])
    cases = [queue.ours("Backdesk"),
             queue.loop("bare loop of 100", "100", 1),
             queue.loop("bare loop of 128 with a floor", "128f", 1),
             queue.loop("Laravel-like (2 connections)", "single", 2)]
    return harness.run(result, harness.chosen(cases, options), options.runs)


def others(queue, options):
    """Beside what a Node site on PostgreSQL would pick."""
    need("node", "postgres")
    need_node_modules()
    shutil.copy(PEERS / "pg_queue.js", queue.stack.state / "bin" / "pg_queue.js")
    queue.postgres = queue.place.postgres()
    result = harness.Result("queue: beside queues for PostgreSQL", [
        harness.Goal("Backdesk", RATE, "graphile-worker, in batches", at_least=1),
        harness.Goal("Backdesk", RATE, "graphile-worker", at_least=5)])
    few = options.tasks // 5
    cases = [queue.ours("Backdesk"),
             queue.other("graphile-worker", "graphile", few),
             queue.other("graphile-worker, in batches", "graphile-batches", options.tasks),
             queue.other("pg-boss", "pg-boss", few // 10),
             queue.other("pg-boss, in batches", "pg-boss-batches", options.tasks)]
    return harness.run(result, harness.chosen(cases, options), options.runs)


def variants(queue, options):
    names = {"view": "a read view held open", "scheduled": f"{options.scheduled} scheduled",
             "inserts": f"{options.inserts} inserts a second", "runners": "4 runners"}
    result = harness.Result("queue: what goes on beside", [
        harness.Goal(name, RATE, "Backdesk", at_least=0.9) for name in names.values()])
    cases = [queue.ours("Backdesk"),
             queue.ours(names["view"], queue.hold_view, queue.drop_view),
             queue.ours(names["scheduled"], queue.schedule, queue.unschedule),
             queue.ours(names["inserts"], queue.begin_inserts, queue.end_inserts),
             queue.ours(names["runners"], queue.more_runners, queue.fewer_runners)]
    return harness.run(result, harness.chosen(cases, options), options.runs)


def history(queue, options):
    name = f"{options.finished} ended tasks"
    result = harness.Result("queue: history", [harness.Goal(name, RATE, "Backdesk", at_least=0.9)])
    queue.sql("DELETE FROM tasks WHERE type <> 'dummy' OR status = 'success'")
    queue.make_history()
    cases = [queue.ours("Backdesk"), queue.ours(name, queue.swap, queue.swap)]
    return harness.run(result, harness.chosen(cases, options), options.runs)


def run(options):
    need("mariadb")
    with Place() as place:
        place.runner(runner__workers=2)
        queue = Queue(place, options)
        for part in (peers, others, variants, history):
            if part.__name__ in options.parts.split(","):
                yield part(queue, options)
