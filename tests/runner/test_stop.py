# SPDX-License-Identifier: MIT
"""Stopping what runs: by wish and by time-out, whether the task is willing or not; and its log of attempts."""

import os
import signal

from proc import children
from stack import wait_until


def start(stack, seconds, runner, **edit):
    """A task that runs in a runner of the test's own."""
    stack.stop_own_runner()
    worker = stack.start_runner(runner, {"runner.workers": 1, "runner.replays": 0, "runner.heartbeat": '"200ms"',
                                         "runner.progress": '"100ms"', **edit})
    task = stack.create("dummy", {"seconds": seconds, "steps": 1000})
    wait_until(lambda: stack.task(task["id"])["progress"])  # begun: it is claimed a moment earlier
    return worker, task["id"]


def attempts(stack, task_id):
    return stack.request("GET", f"/v1/tasks/{task_id}/attempts").json()["attempts"]


def test_cancelled_while_it_runs(stack):
    try:
        _, task = start(stack, 60, "cancel")
        answer = stack.request("POST", f"/v1/tasks/{task}/cancel", json={"reason": "wrong year"})
        assert (answer.status_code, answer.json()["cancel_requested"]) == (202, True)
        assert stack.request("POST", f"/v1/tasks/{task}/cancel").status_code in (200, 409)
        done = stack.finish(task, timeout=10)
        assert done["status"] == "cancelled"
        assert done["error"] == {"code": "cancelled", "message": "cancelled by user 1: wrong year"}
        assert stack.request("POST", f"/v1/tasks/{task}/cancel").status_code == 409
        assert [a["outcome"] for a in attempts(stack, task)] == ["cancelled"]
    finally:
        stack.stop_runners()
        stack.start()


def test_cancelled_against_its_will(stack):
    """A worker that does not listen is killed when the grace time is over, and only it."""
    try:
        runner, task = start(stack, 60, "deaf", **{"runner.cancel_grace": '"500ms"'})
        (worker,) = children(runner.pid)
        os.kill(worker, signal.SIGSTOP)
        assert stack.request("POST", f"/v1/tasks/{task}/cancel").status_code == 202
        assert stack.finish(task, timeout=15)["status"] == "cancelled"
        wait_until(lambda: worker not in children(runner.pid) and children(runner.pid))
        next_one = stack.create("dummy", {"seconds": 0})
        assert stack.finish(next_one["id"], timeout=15)["status"] == "success"
    finally:
        stack.stop_runners()
        stack.start()


def test_time_is_up(stack):
    """Past its type's time-out an attempt fails with that code; it is tried again like other failures."""
    try:
        _, task = start(stack, 60, "slow", **{'type "dummy".timeout': '"700ms"', 'type "dummy".max_attempts': 2,
                                              "queue.backoff": '"100ms"'})
        done = stack.finish(task, timeout=30)
        assert (done["status"], done["error"]["code"]) == ("failure", "timeout")
        history = attempts(stack, task)
        assert len(history) == 2
        assert history[-1]["outcome"] == "failure" and history[-1]["error"]["code"] == "timeout"
        assert [a["fence"] for a in history] == sorted({a["fence"] for a in history})
    finally:
        stack.stop_runners()
        stack.start()
