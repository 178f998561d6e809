# SPDX-License-Identifier: MIT
"""The site's own programs: what they are given, what becomes of what they leave, and how little harm they
can do."""

import json
import os
import re
import shutil
import signal
import uuid
from pathlib import Path

import pytest

from stack import SOURCE, wait_until

from history import CLAIMS
from proc import children

PROGRAM = Path(__file__).with_name("programs.py")
PYTHON = "/usr/bin/python3"
FLOOD = 64 << 20
SANITIZED = "ASAN_OPTIONS" in os.environ


class Commands:
    """A runner with commands; what they start is found by a mark in its environment."""

    def __init__(self, queue):
        self.queue, self.stack = queue, queue.stack
        self.mark = uuid.uuid4().hex
        self.folder = self.stack.state / "programs"
        self.folder.mkdir(exist_ok=True)
        self.program = shutil.copy(PROGRAM, self.folder)
        self.runner = None

    def section(self, name, argv=(), more="", **settings):
        argv = argv or (PYTHON, self.program, *(("stay",) if settings.get("mode") == "persistent" else ()))
        lines = [f"    {key} = {value}\n" for key, value in {"any_data": "yes", **settings}.items()]
        return (f'\ncommand "{name}" {{\n    argv = {{{", ".join(json.dumps(str(a)) for a in argv)}}}\n'
                f'    env = {{"MARK={self.mark}"}}\n{"".join(lines)}{more}}}\n')

    def start(self, *sections, name="red", **settings):
        self.runner = self.queue.start(name, more="".join(sections), **settings)
        return self.runner

    def run(self, name, data=None, **columns):
        """A task that is tried once; its row when it has ended."""
        return self.queue.wait(self.queue.make(name, data, **{"max_attempts": 1, **columns}))

    def code(self, name, data):
        row = self.run(name, data)
        assert row["status"] == "failure", row
        return row["error"]["code"]

    def log(self, task):
        return self.queue.sql(f"SELECT log FROM {CLAIMS} WHERE task_id = %s ORDER BY fence DESC", (task["id"],))[0][0]

    def living(self):
        """Pids of what commands have started and that lives."""
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if self.mark.encode() in Path(f"/proc/{entry}/environ").read_bytes():
                    found.append(int(entry))
            except OSError:
                pass
        return found

    def folders(self):
        """What attempts have of their own below the shared directory."""
        tmp = self.stack.shared_dir / "tmp"
        return os.listdir(tmp) if tmp.exists() else []

    def clean(self):
        """Nothing of any attempt is left: no process, no directory, no file without its row."""
        wait_until(lambda: not self.living(), 10, message="something lives on")
        wait_until(lambda: not self.folders(), 10, message=f"left: {self.folders()}")
        self.queue.check_files()

    def files(self, task):
        """{name: content} of the task's files."""
        return {name: (self.stack.shared_dir / path).read_bytes() for name, path in self.queue.sql(
            "SELECT filename, path FROM csv_export WHERE task_id = %s ORDER BY id", (task["id"],))}


@pytest.fixture
def commands(queue):
    commands = Commands(queue)
    yield commands
    queue.stack.stop_runners()
    commands.clean()


# --- what a program is given -----------------------------------------------------------------------------


def test_environment_and_descriptors(commands):
    commands.start(commands.section("run", nice=3, open_files=99, pass_env="{UBSAN_OPTIONS, NOT_THERE}"))
    row = commands.run("run", {"do": "about"}, created_by=7)
    about = row["result"]
    env = about["env"]
    home = env.pop("HOME")
    assert home and env.pop("MARK") == commands.mark
    out, scratch = env.pop("BACKDESK_OUTPUT_DIR"), env.pop("TMPDIR")
    assert env.pop("UBSAN_OPTIONS") == commands.stack.daemon_environment()["UBSAN_OPTIONS"]
    folder = re.escape(str(commands.stack.shared_dir))
    assert re.fullmatch(rf"{folder}/tmp/{row['id']}-1-[0-9a-f]{{32}}\.dir/out", out)
    assert scratch == out[:-3] + "tmp" and about["scratch"]
    assert env.pop("BACKDESK_IDEMPOTENCY_KEY").startswith(f"backdesk-{row['id']}-")
    assert env == {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "BACKDESK_TASK_ID": str(row["id"]),
                   "BACKDESK_ATTEMPT": "1", "BACKDESK_TYPE": "run", "BACKDESK_CREATED_BY": "7"}
    assert about["fds"] == [0, 1, 2, 3]
    assert (about["cwd"], about["session"], about["no_new_privs"]) == ("/", True, "1")
    python_ignores = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    assert about["ignored"] | python_ignores == python_ignores and about["blocked"] == 0
    assert (about["nice"], about["core"], about["files"]) == (3, [0, 0], [99, 99])


def test_without_files_there_is_one_directory(commands):
    commands.start(commands.section("run", max_files=0))
    row = commands.run("run", {"do": "about"})
    env = row["result"]["env"]
    assert "BACKDESK_OUTPUT_DIR" not in env and row["result"]["scratch"]
    folder = re.escape(str(commands.stack.shared_dir))
    assert re.fullmatch(rf"{folder}/tmp/{row['id']}-1-[0-9a-f]{{32}}\.dir", env["TMPDIR"])
    assert commands.run("run", {"do": "shut"})["status"] == "success"  # leaves much in TMPDIR, and shuts some of it
    commands.clean()


def test_data_with_its_defaults(commands):
    params = ('    param "do" { }\n    param "n" { type = integer default = "5" }\n'
              '    param "f" { type = number default = "0.1" }\n    param "b" { type = boolean default = yes }\n'
              '    param "none" { }\n    param "text" { default = "a\\"b" }\n')
    commands.start(commands.section("run", any_data="no", more=params), commands.section("any"))
    given = {"do": "echo", "n": 9007199254740993, "text": "ü\n"}
    assert commands.run("run", given)["result"] == {**given, "f": 0.1, "b": True}
    assert commands.run("run", {"do": "echo"})["result"] == {"do": "echo", "n": 5, "f": 0.1, "b": True, "text": 'a"b'}
    assert commands.code("run", {"do": "echo", "n": "x"}) == "invalid_data"
    assert commands.code("any", "[]") == "invalid_data"
    assert commands.run("any", '{\n"do":\r\n "echo", "deep": [{"x": 1.50}]\n}')["result"] == {
        "do": "echo", "deep": [{"x": 1.5}]}


def test_the_key_is_the_same_for_each_attempt(commands):
    program = 'echo "$BACKDESK_ATTEMPT $BACKDESK_IDEMPOTENCY_KEY" >&2; exit 75'
    commands.start(commands.section("run", ("/bin/sh", "-c", program)))
    row = commands.run("run", max_attempts=2)
    lines = [line.split() for log, in commands.queue.sql("SELECT log FROM attempts ORDER BY fence")
             for line in log.splitlines()]
    assert [attempt for attempt, _ in lines] == ["1", "2"] and lines[0][1] == lines[1][1]
    assert row["error"] == {"code": "retry_later", "message": "the program asks to be tried later (exit status 75): "
                                                              + " ".join(lines[1])}


@pytest.mark.parametrize("late", [True, False])
def test_input_that_is_read_late_or_never(commands, late):
    argv = [PYTHON, commands.program, "blind", *(["late"] if late else [])]
    commands.start(commands.section("run", argv))
    row = commands.run("run", {"text": "t" * 2_000_000})
    assert row["status"] == "success", row
    assert row["result"] == ({"length": 2_000_000, "unused": True} if late else None)


# --- how it ends -------------------------------------------------------------------------------------------


def test_exit_statuses(commands):
    commands.start(commands.section("run", retry_exit_codes="{75, 9}"), commands.section("closed", log_for="admin"))
    for data, code, message in (
            ({"status": 3, "say": "no such book"}, "exit_status", "the program ended with exit status 3: no such book"),
            ({"status": 9}, "retry_later", "the program asks to be tried later (exit status 9)"),
            ({"signal": signal.SIGSEGV, "status": 0}, "killed_by_signal", "the program was ended by SIGSEGV"),
            ({"signal": signal.SIGKILL, "status": 0}, "killed_by_signal",
             "the program was ended by SIGKILL (out of memory, or killed by hand)")):
        row = commands.run("run", {"do": "end", **data})
        assert (row["status"], row["error"]) == ("failure", {"code": code, "message": message})
    row = commands.run("run", {"do": "end", "status": 3}, max_attempts=2)
    assert (row["status"], row["attempt"]) == ("failure", 2)
    row = commands.run("closed", {"do": "end", "status": 3, "say": "not for everybody"})
    assert row["error"]["message"] == "the program ended with exit status 3"
    assert commands.log(row) == "not for everybody\n"


def test_what_counts_as_a_result(commands):
    commands.start(commands.section("run", max_result="1KiB"),
                   commands.section("gone", ("/nonexistent/program",)),
                   commands.section("nowhere", ("/bin/true",), directory='"/nonexistent"'))
    for text, result in (("", None), (" \n", None), ("null", None), (' {"a": [1, 2]}\r\n', {"a": [1, 2]}), ("0", 0)):
        row = commands.run("run", {"do": "say", "text": text})
        assert (row["status"], row["result"]) == ("success", result), text
    for text, code in (("hello", "invalid_result"), ("{} {}", "invalid_result"), ('"\xff"', "invalid_result"),
                       ("[" * 100 + "]" * 100, "invalid_result"), ('"' + "x" * 1023 + '"', "result_too_long")):
        row = commands.run("run", {"do": "say", "text": text}, max_attempts=3)
        assert (row["status"], row["error"]["code"], row["attempt"]) == ("failure", code, 1), text
    assert commands.code("gone", {}) == commands.code("nowhere", {}) == "not_started"
    assert "/nonexistent/program cannot be executed by this account: No such file" in commands.runner.said()
    wait_until(lambda: "command gone: /nonexistent/program: the program cannot be started: it cannot be executed: "
                       "No such file" in commands.runner.said(), 10)


def test_a_script_whose_interpreter_is_not_there(commands):
    script = commands.queue.stack.state / "bin" / "script"
    script.write_bytes(b"#!/usr/bin/python3\r\n")
    script.chmod(0o755)
    commands.start(commands.section("script", (str(script),)))
    row = commands.run("script", {}, max_attempts=1)
    assert row["error"]["code"] == "not_started" and "carriage return" in row["error"]["message"]


def test_progress_and_junk(commands):
    commands.start(commands.section("run"))
    row = commands.run("run", {"do": "junk"})
    assert row["status"] == "success"
    assert row["progress"] == {"done": 3, "total": 4, "unit": "bücher", "percent": 75, "message": "€"}
    log = commands.log(row)
    assert log.count("descriptor 3") == 1 and "\ufffd\ufffd  log" in log and log.count("z") == 5000


# --- floods, forks, deafness, hunger -------------------------------------------------------------------------


def test_floods(commands):
    commands.start(commands.section("run", max_log="4KiB"), runner__workers=1)
    worker, = commands.queue.workers(commands.runner, 1)
    assert commands.code("run", {"do": "flood", "fd": 1, "bytes": FLOOD}) == "result_too_long"
    for fd in (2, 3):
        row = commands.run("run", {"do": "flood", "fd": fd, "bytes": FLOOD if fd == 2 else FLOOD // 8})
        assert (row["status"], row["progress"] and row["progress"]["done"]) == ("success", 7 if fd == 3 else None)
        assert commands.log(row).endswith("the last line\n")
        assert ("lines are left out here" in commands.log(row)) == (fd == 2)
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{worker}/status").read_text())[1])
    assert SANITIZED or peak < 32 * 1024, peak
    assert sum("yyyy" in line for line in commands.runner.said().splitlines()) < 20


def test_what_stays_in_the_background_is_ended(commands):
    commands.start(commands.section("run"))
    row = commands.run("run", {"do": "background"})
    assert (row["status"], commands.living()) == ("success", [])


def test_deaf_programs_are_ended_with_all_their_children(commands):
    commands.start(commands.section("run"), 'type "run" {\n    timeout = 2s\n}\n', runner__cancel_grace='"300ms"')
    tasks = [commands.queue.make("run", {"do": "background", "linger": True}, max_attempts=1) for _ in range(2)]
    for task in tasks:
        wait_until(lambda t=task: commands.queue.row(t)["progress"], 10)
    assert len(commands.living()) == 4
    answer = commands.stack.request("POST", f"/v1/tasks/{tasks[0]}/cancel")
    assert answer.status_code == 202
    assert commands.queue.wait(tasks[0])["status"] == "cancelled"
    row = commands.queue.wait(tasks[1])
    assert (row["status"], row["error"]["code"]) == ("failure", "timeout")
    wait_until(lambda: not commands.living(), 5)
    commands.clean()


def test_one_that_listens_is_not_killed(commands):
    program = "trap 'echo bye >&2; exit 0' TERM; echo '{\"done\": 1}' >&3; while :; do sleep 0.05; done"
    commands.start(commands.section("run", ("/bin/sh", "-c", program)), runner__workers=1)
    worker, = commands.queue.workers(commands.runner, 1)
    task = commands.queue.make("run")
    wait_until(lambda: commands.queue.row(task)["progress"], 10)
    commands.stack.request("POST", f"/v1/tasks/{task}/cancel")
    assert commands.queue.wait(task)["status"] == "cancelled"
    assert commands.log({"id": task}).endswith("bye\n")
    assert children(commands.runner.pid) == [worker]


def test_limits(commands):
    # so many processes: others of the account, another run's database say, may come and go meanwhile
    commands.start(commands.section("run", memory="256MiB", file_size="1MiB", processes=100))
    row = commands.run("run", {"do": "eat"})
    assert row["error"]["code"] == "exit_status" and row["error"]["message"].endswith("MemoryError")
    row = commands.run("run", {"do": "big_file"})
    assert row["status"] == "failure" and ("SIGXFSZ" in row["error"]["message"] or "too large" in row["error"]["message"])
    row = commands.run("run", {"do": "bomb"})
    assert row["status"] == "success" and 0 < row["result"]["children"] < 200
    assert not commands.living()


# --- files -------------------------------------------------------------------------------------------------


def test_files_become_downloads(commands):
    commands.start(commands.section("run"))
    files = {"b.PNG": "picture", "a b;\"ü.csv": "x,y", "noext": "", "strange.<ext>": "1", ".hidden": "left alone",
             "bad%FF\n.txt": "2"}
    row = commands.run("run", {"do": "leave", "files": files})
    assert (row["status"], row["result"]) == ("success", {"left": 6})
    assert commands.files(row) == {"a b;\"ü.csv": b"x,y", "b.PNG": b"picture", "bad__.txt": b"2", "noext": b"",
                                   "strange.<ext>": b"1"}
    formats = [f for f, in commands.queue.sql("SELECT format FROM csv_export ORDER BY id")]
    assert formats == ["csv", "png", "txt", "bin", "bin"]
    answer = commands.stack.request("GET", f"/v1/tasks/{row['id']}/download")
    assert (answer.status_code, answer.content) == (200, b"x,y")
    exports = commands.stack.request("GET", "/v1/tasks/exports").json()["exports"]
    picture = next(e for e in exports if e["filename"] == "b.PNG")
    assert picture["rows"] is None
    answer = commands.stack.request("GET", f"/v1/tasks/exports/{picture['id']}/download")
    assert (answer.content, answer.headers["Content-Type"]) == (b"picture", "application/octet-stream")


def test_files_that_are_none(commands):
    commands.start(commands.section("run", max_files=2))
    secret = commands.folder / "secret"
    secret.write_text("secret")
    secret.chmod(0o666)
    for how in ("symlink", "hardlink", "fifo", "directory", "replace"):
        if how == "hardlink" and os.geteuid() == 0 and Path("/proc/sys/fs/protected_hardlinks").read_text() == "1\n":
            shutil.chown(secret, "nobody")
        row = commands.run("run", {"do": "attack", "how": how, "target": str(secret)}, max_attempts=3)
        assert (row["status"], row["error"]["code"], row["attempt"]) == ("failure", "invalid_file", 1), (how, row["error"])
        assert secret.read_text() == "secret"
        wait_until(lambda: not commands.folders(), 5)
    assert commands.code("run", {"do": "leave", "files": {"a": "", "b": "", "c": ""}}) == "too_many_files"
    assert commands.queue.sql("SELECT COUNT(*) FROM csv_export") == [(0,)]


def test_a_directory_that_resists(commands):
    commands.start(commands.section("run"))
    assert commands.run("run", {"do": "shut"})["status"] == "success"
    assert commands.folders() == []


# --- the end of worker and runner -----------------------------------------------------------------------------


@pytest.mark.parametrize("victim", ["worker", "supervisor", "runner", "all"])
def test_killed_in_the_middle(commands, victim):
    section = commands.section("run")
    runner = commands.start(section, runner__workers=1)
    worker, = commands.queue.workers(runner, 1)
    task = commands.queue.make("run", {"do": "background", "linger": True}, max_attempts=1)
    wait_until(lambda: commands.queue.row(task)["progress"], 10)
    assert len(commands.living()) == 2 and commands.folders()
    supervisor, = children(worker)
    for pid in {"worker": [worker], "supervisor": [supervisor], "runner": [runner.pid],
                "all": [runner.pid, worker]}[victim]:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not commands.living(), 5, message="something lives on")
    if victim in ("runner", "all"):
        runner.wait()
        commands.start(section, name="blue")
    row = commands.queue.wait(task)
    if victim == "supervisor":
        assert (row["status"], row["error"]["code"]) == ("failure", "program_lost")
    else:
        assert row["status"] == "dropped"
    wait_until(lambda: not commands.folders(), 10)


def test_shutdown_hands_back(commands):
    section = commands.section("run")
    runner = commands.start(section, runner__shutdown_grace='"100ms"')
    task = commands.queue.make("run", {"do": "sleep", "seconds": 60, "deaf": True})
    wait_until(lambda: commands.queue.row(task)["progress"], 10)
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    assert (commands.queue.status(task), commands.living(), commands.folders()) == ("fresh", [], [])
    commands.queue.sql("DELETE FROM tasks")


def test_a_lost_claims_directory_goes_with_the_claim(commands):
    """What a worker on another host, say, has left of it."""
    commands.start(commands.section("run"))
    task = commands.queue.make("run", {"do": "sleep", "seconds": 60}, max_attempts=1)
    wait_until(lambda: commands.queue.row(task)["progress"], 10)
    lost = commands.stack.shared_dir / "tmp" / f"{task}-1-{32 * '0'}.dir"
    (lost / "out" / "deep").mkdir(parents=True)
    if os.geteuid() == 0:
        for path in (lost / "out" / "deep", lost / "out", lost):
            shutil.chown(path, "nobody")
    commands.stack.request("POST", f"/v1/tasks/{task}/cancel")
    assert commands.queue.wait(task)["status"] == "cancelled"
    wait_until(lambda: not commands.folders(), 5)


def test_an_old_directory_is_no_orphan_while_its_program_runs(commands):
    """Old by the clock of another host, say."""
    section = commands.section("run")
    commands.start(section)
    task = commands.queue.make("run", {"do": "sleep", "seconds": 60}, max_attempts=1)
    wait_until(lambda: commands.queue.row(task)["progress"], 10)
    tmp = commands.stack.shared_dir / "tmp"
    used, = tmp.glob(f"{task}-1-*.dir")
    orphan = tmp / f"{task}-2-{32 * '0'}.dir"
    (orphan / "out").mkdir(parents=True)
    if os.geteuid() == 0:
        for path in (orphan / "out", orphan):
            shutil.chown(path, "nobody")
    for path in (used, orphan):
        os.utime(path, (1, 1))
    commands.queue.start("blue", more=section, **{"files__orphan_age": '"1m"'})  # looks at once
    wait_until(lambda: not orphan.exists(), 10)
    assert used.exists()
    commands.stack.request("POST", f"/v1/tasks/{task}/cancel")
    assert commands.queue.wait(task)["status"] == "cancelled"


# --- persistent programs ----------------------------------------------------------------------------------------


def test_one_program_for_many_tasks(commands):
    commands.start(commands.section("stay", mode="persistent", max_tasks=5, max_files=1),
                   commands.section("bare", mode="persistent"), runner__workers=1)
    pids = [commands.run("stay", {"do": "pid"})["result"] for _ in range(12)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [5, 5, 2]
    assert len(commands.living()) == 1
    row = commands.run("stay", {"do": "question", "x": "ü"}, created_by=7)
    question = row["result"]
    assert question.pop("output_dir").endswith(".dir")
    assert question.pop("idempotency_key").startswith(f"backdesk-{row['id']}-")
    assert question == {"id": row["id"], "attempt": 1, "created_by": 7, "type": "stay",
                        "data": {"do": "question", "x": "ü"}}
    assert commands.run("bare", {"do": "question"})["result"]["output_dir"] is None
    before = commands.living()
    commands.runner.signal(signal.SIGHUP)
    wait_until(lambda: not set(before) & set(commands.living()), 10)
    assert commands.run("stay", {"do": "pid"})["result"] not in pids


def test_what_a_persistent_one_answers(commands):
    commands.start(commands.section("stay", mode="persistent", max_result="1KiB", max_files=4), runner__workers=1)
    first = commands.run("stay", {"do": "pid"})["result"]
    row = commands.run("stay", {"do": "fail", "code": "no_book"}, max_attempts=3)
    assert (row["status"], row["error"], row["attempt"]) == ("failure", {"code": "no_book", "message": "as told"}, 1)
    row = commands.run("stay", {"do": "fail", "code": "BAD CODE", "retry": True}, max_attempts=2)
    assert (row["error"]["code"], row["attempt"]) == ("program_failed", 2)
    row = commands.run("stay", {"do": "pid", "note": "for this task only"})
    assert (row["result"], commands.log(row)) == (first, "for this task only\n")
    assert not commands.log(commands.run("stay", {"do": "pid"}))
    row = commands.run("stay", {"do": "leave", "files": {"a.txt": "A"}})
    assert commands.files(row) == {"a.txt": b"A"}
    for text, why in (('{"id": 7, "result": 2}', "its id is 7, the task's is "), ("hello", "it is no JSON: "),
                      ("{}", "neither result nor error"), ("[]", "must be an object"), ("", "it is no JSON: "),
                      ('{"error": "no", "result": 1}', "its error must be an object"),
                      ('{"result": 1}\n{"result": 2}', "more than one line")):
        row = commands.run("stay", {"do": "nonsense", "text": text})
        assert row["error"]["code"] == "invalid_result" and why in row["error"]["message"], (text, row)
        assert commands.log(row) == f"it answered: {text}\n"
    assert commands.code("stay", {"do": "nonsense", "text": "x" * 2000}) == "result_too_long"
    assert commands.run("stay", {"do": "pid"})["result"] != first


def test_a_persistent_one_that_dies(commands):
    commands.start(commands.section("stay", mode="persistent"), 'type "stay" {\n    timeout = 1s\n}\n',
                   runner__workers=1, runner__cancel_grace='"300ms"')
    first = commands.run("stay", {"do": "pid"})["result"]
    os.kill(first, signal.SIGKILL)  # idle: nothing is lost
    wait_until(lambda: not commands.living(), 5)
    second = commands.run("stay", {"do": "pid"})["result"]
    assert first != second
    for data, code in (({"do": "end", "signal": signal.SIGSEGV}, "killed_by_signal"),
                       ({"do": "end", "status": 3}, "exit_status"), ({"do": "end", "status": 75}, "retry_later"),
                       ({"do": "end", "status": 0}, "no_answer")):
        assert commands.code("stay", data) == code
    third = commands.run("stay", {"do": "pid"})["result"]
    for deaf in (False, True):
        row = commands.run("stay", {"do": "sleep", "seconds": 60, "deaf": deaf})
        assert (row["status"], row["error"]["code"]) == ("failure", "timeout")
    assert commands.run("stay", {"do": "pid"})["result"] not in (first, second, third)


# --- the examples, and what the catalogue says of commands ----------------------------------------------------


def test_the_example_of_the_demo(commands):
    """count_words through HTTP, as a newcomer would."""
    commands.start()
    stack = commands.stack
    types = {t["name"]: t for t in stack.request("GET", "/v1/tasks/types").json()["types"]}
    schema = types["count_words"]["parameters"]
    assert schema["required"] == ["text"] and schema["properties"]["top"]["default"] == 10
    answer = stack.request("POST", "/v1/tasks", json={"type": "count_words", "data": {"top": 0, "x": 1}})
    assert answer.status_code == 422
    assert {e["pointer"] for e in answer.json()["errors"]} == {"/data/top", "/data/x", "/data/text"}
    task = stack.finish(stack.create("count_words", {"text": "To be, or not to be", "top": 2})["id"])
    assert (task["status"], task["result"]) == ("success", {"words": 6, "distinct": 4}), task
    assert task["progress"]["percent"] == 100
    assert stack.request("GET", f"/v1/tasks/{task['id']}/download").text == "word,count\r\nto,2\r\nbe,2\r\n"
    assert "top          integer" in stack.taskctl("types", "count_words").stdout


def test_the_other_examples(commands):
    folder = shutil.copytree(SOURCE / "tasks" / "types" / "examples", commands.folder / "examples", dirs_exist_ok=True)
    lock = commands.stack.state / "tmp" / "report.lock"
    sections = {}
    for name, program in (("invoice", "invoice.php"), ("disk_report", "disk_report.sh"), ("slug", "slugs.py")):
        lines = (folder / program).read_text().split(f'command "{name}" {{')[1].split("\n}")[0].split("\n#     }")[0]
        lines = re.sub(r"^(//|#)", "", lines.split("\n//     }")[0].split("\n    }")[0], flags=re.M)
        lines = lines.replace("/srv/shop", str(folder)).replace("/run/lock/disk_report", str(lock))
        sections[name] = f'\ncommand "{name}" {{{lines}\n}}\n'
    commands.start(*sections.values())
    row = commands.run("invoice", {"customer": "Ada", "items": [{"title": "<b>", "price": "12.50"},
                                                                {"title": "N", "price": "0.1"}]})
    assert row["status"] == "success", row["error"]
    assert row["result"]["cents"] == 1260 and row["result"]["invoice"].startswith(f"backdesk-{row['id']}-")
    assert b"&lt;b&gt;" in commands.files(row)["invoice.html"]
    row = commands.run("invoice", {})
    assert row["error"]["message"] == "the program ended with exit status 1: nothing to pay for"
    row = commands.run("disk_report")
    assert row["status"] == "success" and row["progress"]["message"] == "done", row
    assert commands.files(row)["disks.txt"].count(b"\n") == row["result"]["lines"]
    assert commands.run("slug", {"title": "Ünder the Hood!"})["result"] == {"slug": "under-the-hood"}
    assert commands.code("slug", {"title": "?!"}) == "no_letters"


def test_an_account_that_it_cannot_become(commands):
    stack = commands.stack
    config = stack.variant("other", lambda text: re.sub(r"^    user = .*\n", "", text, count=0, flags=re.M))
    config.write_text(stack.config.read_text() + commands.section("run", user='"daemon"'))
    done = stack.taskctl("check", config=config, check=False)
    assert done.returncode and re.search(r'other\.conf:\d+: command "run" user: a runner that becomes', done.stderr)
    text = config.read_text()
    config.write_text(re.sub(r'(?s)(^runner \{.*?)    user = "\w+"\n', r"\1", text, count=1, flags=re.M))
    assert stack.taskctl("check", config=config).returncode == 0
    runner = stack.start_runner("other", config=config)
    assert runner.wait() == 1
    assert 'command "run" user: the runner is not root and cannot become daemon' in runner.log.read_text()
