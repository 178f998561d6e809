# SPDX-License-Identifier: MIT
"""Three runners, some thousand tasks, and a hand that kills, stops and restarts at random whatever it can
reach. At the end nothing that was acknowledged may be missing, and the history of every task must be one
that could have happened with a single careful worker.

BACKDESK_CHAOS_SECONDS says for how long (default 20), BACKDESK_CHAOS_SEED with which dice."""

import hashlib
import os
import random
import signal
import threading
import time

import pymysql
import requests

from history import CLAIMS
from stack import FINAL, wait_until

from proc import children
from runner.conftest import QUICK, SLOW_EXPORT, listens

SECONDS = float(os.environ.get("BACKDESK_CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("BACKDESK_CHAOS_SEED", time.time_ns()))
SETTINGS = {**QUICK, "runner.workers": 3, "runner.shutdown_grace": '"500ms"', "runner.cancel_grace": '"500ms"',
            "queue.backoff": '"50ms"', "queue.backoff_max": '"500ms"', "queue.max_attempts": 30,
            "runner.user": '"nobody"' if os.geteuid() == 0 else '""'}


class Users:
    """Threads that post and cancel, through the API and by plain SQL, and remember what they were promised."""

    def __init__(self, queue, dice):
        self.stack, self.dice = queue.stack, dice
        self.acknowledged, self.faults = set(), []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._guarded, args=(work,))
                        for work in (self._post, self._insert, self._cancel)]
        for thread in self.threads:
            thread.start()

    def _guarded(self, work):
        while not self.stop.is_set():
            try:
                work()
            except (requests.RequestException, pymysql.Error):
                pass  # the database is away: nothing has been promised
            except Exception as fault:  # pylint: disable=broad-except
                self.faults.append(repr(fault))
                return
            self.stop.wait(0.2)

    def _task(self):
        kind = self.dice.random()
        if kind < 0.015:
            return {"type": self.dice.choice(["csv_export", "html_export"]), "data": {"export": "books"}}
        data = {"seconds": self.dice.choice([0, 0, 0, 0.01, 0.05, 0.3])}
        if kind < 0.10:
            data["fail"] = True
        elif kind < 0.12:
            data["crash"] = True
        elif kind < 0.14:
            data["seconds"] = 2
        task = {"type": "dummy", "data": data, "priority": self.dice.randrange(10)}
        if self.dice.random() < 0.2 or "fail" in data or "crash" in data:
            task["max_attempts"] = self.dice.choice([1, 2, 3])
        return task

    def _post(self):
        answer = self.stack.request("POST", "/v1/tasks", json=[self._task() for _ in range(self.dice.randrange(1, 40))],
                                    timeout=20)
        if answer.status_code == 202:
            self.acknowledged |= {task["id"] for task in answer.json()["tasks"]}
        else:
            assert answer.status_code in (429, 503), answer.text

    def _insert(self):
        connection = self.stack.connect(read_timeout=20)
        try:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO tasks (type, data, created_by) VALUES ('dummy', '{}', 2)")
                self.acknowledged.add(cursor.lastrowid)
                cursor.execute("INSERT INTO tasks (type, data, created_by) VALUES ('csv_export',"
                               " '{\"export\": \"slow\"}', 1)")
                self.acknowledged.add(cursor.lastrowid)
        finally:
            connection.close()
        self.stop.wait(0.5)

    def _cancel(self):
        if self.acknowledged:
            task = self.dice.choice(sorted(self.acknowledged)[-50:])
            answer = self.stack.request("POST", f"/v1/tasks/{task}/cancel", "admin", timeout=20)
            assert answer.status_code in (200, 202, 409, 503), answer.text
        self.stop.wait(0.3)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
        assert not self.faults, self.faults
        return self.acknowledged


class Hand:
    """Does something to one of the runners; brings back what it has taken down."""

    def __init__(self, queue, dice):
        self.queue, self.dice = queue, dice
        self.runners, self.stopped, self.deeds = {}, [], []
        config = {}
        for name in ("chaos0", "chaos1", "chaos2"):
            path = queue.stack.variant(name, {**SETTINGS, "runner.nickname": f'"{name}"'})
            with open(path, "a", encoding="utf-8") as file:
                file.write(SLOW_EXPORT % 0.0005)
            config[name] = path
        self.config = config
        for name in config:
            self.start(name)

    def start(self, name):
        self.runners[name] = self.queue.stack.start_runner(name, config=self.config[name])

    def act(self):
        name = self.dice.choice(sorted(self.runners))
        runner = self.running(name)
        deed = self.dice.choices(
            [self.kill_worker, self.stop_worker, self.kill, self.pause, self.terminate, self.hang_up, self.disconnect],
            [6, 3, 2, 2, 2, 2, 4])[0]
        self.deeds.append((round(time.monotonic(), 3), deed.__name__, name))
        deed(name, runner)

    def running(self, name):
        """The runner of this name. One that lost the database before it was up says so and ends, for its supervisor
        to start it again: that is us."""
        runner = self.runners[name]
        if not runner.running():
            log = runner.log.read_text()
            assert runner.process.returncode == 1 and f"[{runner.pid}] info: {name}:" not in log, (name, log[-3000:])
            self.start(name)
        return self.runners[name]

    def kill_worker(self, _, runner):
        for pid in self.dice.sample(workers := children(runner.pid), min(1, len(workers))):
            send(pid, signal.SIGKILL)

    def stop_worker(self, _, runner):
        for pid in self.dice.sample(workers := children(runner.pid), min(1, len(workers))):
            send(pid, signal.SIGSTOP)
            self.stopped.append((time.monotonic() + self.dice.uniform(0.2, 2), pid))

    def kill(self, name, runner):
        runner.signal(signal.SIGKILL)
        if runner.wait() == -signal.SIGKILL:
            self.start(name)
        else:
            self.running(name)

    def pause(self, _, runner):
        runner.signal(signal.SIGSTOP)
        self.stopped.append((time.monotonic() + self.dice.uniform(0.3, 5), runner.pid))

    def terminate(self, name, runner):
        send(runner.pid, signal.SIGCONT)
        wait_until(lambda: listens(runner.pid))
        runner.signal(signal.SIGTERM)
        if self.dice.random() < 0.5:
            runner.signal(signal.SIGTERM)
        if runner.wait(20) == 0:
            self.start(name)
        else:
            self.running(name)

    def hang_up(self, _, runner):
        if listens(runner.pid):
            runner.signal(signal.SIGHUP)

    def disconnect(self, *_):
        try:
            for number, in self.queue.stack.root_sql(
                    "SELECT id FROM information_schema.processlist WHERE user = 'backdesk_runner'"
                    " ORDER BY RAND() LIMIT 1"):
                self.queue.stack.root_sql(f"KILL {self.dice.choice(['QUERY', 'CONNECTION'])} {number}")
        except pymysql.Error:
            pass

    def let_go(self, now):
        """Continues those whose time has come."""
        for entry in [entry for entry in self.stopped if entry[0] <= now]:
            self.stopped.remove(entry)
            send(entry[1], signal.SIGCONT)

    def mend(self):
        self.let_go(float("inf"))
        for name in self.runners:
            self.running(name)


def send(pid, number):
    """To a process of ours that may have ended by itself."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def restart_database(queue, deeds):
    deeds.append((round(time.monotonic(), 3), "kill the database", ""))
    queue.stack.kill_database()
    time.sleep(random.uniform(0, 3))  # how long it is away, not something to wait for
    queue.stack.start_database()
    queue.connection = queue.stack.connect()


def test_chaos(queue):
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    hand = Hand(queue, dice)
    users = Users(queue, random.Random(SEED + 1))
    begin = time.monotonic()
    restarts = [begin + SECONDS * part for part in ((0.3, 0.7) if SECONDS < 60 else
                                                    [n * 25 / SECONDS for n in range(1, int(SECONDS / 25))])]
    try:
        while (now := time.monotonic()) < begin + SECONDS:
            hand.let_go(now)
            if restarts and now > restarts[0]:
                restarts.pop(0)
                restart_database(queue, hand.deeds)
            hand.act()
            users.stop.wait(dice.uniform(0, 0.5))
        hand.mend()
        acknowledged = users.end()
        settle(queue)
        hand.mend()
        check_history(queue, acknowledged)
        check_files(queue)
    except BaseException:
        print(*hand.deeds, sep="\n")
        raise
    finally:
        users.stop.set()
        hand.let_go(float("inf"))
    print(f"{time.monotonic() - begin:.0f} s, {len(acknowledged)} tasks, {len(hand.deeds)} deeds,"
          f" {queue.sql(f'SELECT COUNT(*) FROM {CLAIMS}')[0][0]} claims,"
          f" {dict(queue.sql('SELECT status, COUNT(*) FROM tasks GROUP BY status'))}")


def settle(queue):
    """Everything ends, and the names of the dead with it."""
    def unfinished():
        return queue.sql("SELECT id, type, status, attempt, fence, worker FROM tasks WHERE status NOT IN %s LIMIT 5",
                         (FINAL,))
    wait_until(lambda: not unfinished(), 60 + SECONDS, message=f"not ended: {unfinished()}")


def check_history(queue, acknowledged):
    tasks = {row[0]: row for row in queue.sql(
        "SELECT id, status, attempt, max_attempts, fence, cancel_requested, worker FROM tasks")}
    assert acknowledged <= set(tasks), sorted(acknowledged - set(tasks))[:5]
    history = {}
    for row in queue.sql(f"SELECT task_id, fence, attempt, worker, started_at, finished_at, outcome FROM {CLAIMS}"
                         " ORDER BY task_id, fence"):
        history.setdefault(row[0], []).append(row[1:])
    wrong = []
    for task, row in tasks.items():
        faults = list(faults_of(row, history.get(task, [])))
        if faults:
            wrong.append((row, history.get(task), faults))
    assert not wrong, (len(wrong), wrong[:3])


def faults_of(row, claims):
    """What is not right about a task and its claims."""
    _, status, attempt, max_attempts, fence, cancel_requested, worker = row
    outcomes = [claim[5] for claim in claims]
    if [claim[0] for claim in claims] != list(range(1, fence + 1)):
        yield "a claim without an end, or an end without a claim"
    if sum(outcome != "handed_back" for outcome in outcomes) != attempt:
        yield "attempts that were not counted, or counted twice"
    if attempt > (max_attempts or 30):
        yield "more attempts than allowed"
    if any(later[3] < earlier[4] for earlier, later in zip(claims, claims[1:])):
        yield "two claims at the same time"
    if "success" in outcomes[:-1] or (status == "success") != (outcomes[-1:] == ["success"]):
        yield "not exactly one success"
    if status in ("failure", "dropped") and outcomes[-1:] != [status]:
        yield "its end is not that of its last claim"
    if status in ("failure", "dropped") and attempt < (max_attempts or 30):
        yield "given up too early"
    if status == "cancelled" and not cancel_requested:
        yield "nobody cancelled it"
    if claims and worker != claims[-1][2]:
        yield "its worker is not that of its last claim"


def check_files(queue):
    """Rows and files are the same, to the byte; nothing unfinished is left."""
    queue.check_files()
    for path, size, digest in queue.sql("SELECT path, bytes, sha256 FROM csv_export"):
        data = (queue.stack.shared_dir / path).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, digest), path
    done = queue.sql("SELECT t.id, COUNT(x.id) FROM tasks t LEFT JOIN csv_export x ON x.task_id = t.id"
                     " WHERE t.type LIKE '%%export' GROUP BY t.id, t.status"
                     " HAVING COUNT(x.id) <> (t.status = 'success')")
    assert not done, done
