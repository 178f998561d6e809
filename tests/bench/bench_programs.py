# SPDX-License-Identifier: MIT
"""The site's own small programs as tasks: one that stays, and one that is started for each task."""

import shutil
import time

import harness
from place import PEERS, Place, wait_until

TEXT = "tasks a second of a persistent command and of one that is started each time, beside a bare fork and exec"
RATE = "tasks/s"
WORKERS = 2
CONFIG = """
command "stays" {{
    argv = {{"/usr/bin/python3", "{program}"}}
    mode = persistent
}}
command "starts" {{
    argv = {{"/bin/true"}}
    max_files = 0
}}
"""


def arguments(parser):
    parser.add_argument("--tasks", type=int, default=20000, help="of the persistent one; a tenth of it of the other")


def run(options):
    with Place() as place:
        stack = place.stack
        program = shutil.copy(PEERS / "stamp.py", stack.state / "bin" / "stamp.py")
        place.runner("bench", CONFIG.format(program=program), runner__workers=WORKERS)
        bare = place.peer("fork_bare")

        def drain(task_type, count):
            ended = ("SELECT COALESCE(SUM(ended), 0) FROM task_counters WHERE outcome = 'success' AND type = %s", [task_type])
            want = int(stack.sql(*ended)[0][0]) + count
            stack.sql(f"INSERT INTO tasks (type, data, created_by) SELECT %s, '{{}}', 1 + seq MOD 50 FROM seq_1_to_{count}",
                      [task_type])
            begin = time.monotonic()
            wait_until(lambda: int(stack.sql(*ended)[0][0]) >= want, 300, every=0.02)
            return {RATE: count / (time.monotonic() - begin)}

        def loop():
            done, seconds = place.call([bare, "/bin/true", WORKERS, options.seconds]).split()
            return {RATE: int(done) / float(seconds)}

        cases = [harness.Case("persistent", lambda: drain("stays", options.tasks)),
                 harness.Case("exec", lambda: drain("starts", max(options.tasks // 10, 1))),
                 harness.Case("bare fork and exec", loop)]
        result = harness.Result("programs", [
            harness.Goal("persistent", RATE, at_least=5000),
            harness.Goal("exec", RATE, "bare fork and exec", at_least=0.7)])
        yield harness.run(result, harness.chosen(cases, options), options.runs)
