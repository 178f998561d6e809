# SPDX-License-Identifier: MIT
"""Limits on waiting tasks: of a user 429, of all 503; to the task where they are small."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.conftest import NEVER, Pool
from stack import wait_until

TASK = {"type": "dummy", "run_at": NEVER}
USERS = itertools.count(5000)


@pytest.fixture
def limited(stack):
    """limited(per_user, total, **api) -> a pool with these limits. Its tasks are removed at the end."""
    started, first = [], next(USERS)

    def start(per_user=0, total=0, **api):
        edit = {"queue.waiting_per_user": per_user, "queue.waiting_total": total, "api.processes": 1,
                **{f"api.{name}": value for name, value in api.items()}}
        started.append(Pool(stack, f"limited{len(started)}", edit))
        return started[-1]
    yield start
    for one in started:
        one.stop()
    stack.sql("DELETE FROM tasks WHERE created_by BETWEEN %s AND 9999", [first])


@pytest.fixture
def user():
    return next(USERS)


def post(pool, user, tasks=TASK, roles="", **more):
    return pool.request(method="POST", user=user, roles=roles, body=json.dumps(tasks).encode(), **more)


def assert_refused(answer, status, code):
    assert answer.status == status, answer.body
    assert answer.json()["code"] == code
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1


def waiting(stack, user):
    return stack.sql("SELECT COUNT(*) FROM tasks WHERE created_by = %s AND status IN ('fresh', 'scheduled')",
                     [user])[0][0]


def test_per_user(stack, limited, user):
    pool = limited(10)
    for _ in range(10):
        assert post(pool, user).status == 202
    for _ in range(3):
        assert_refused(post(pool, user), 429, "too_many_waiting")
    other = next(USERS)
    assert post(pool, other).status == 202
    stack.sql("UPDATE tasks SET status = 'success' WHERE created_by = %s ORDER BY id LIMIT 2", [user])
    wait_until(lambda: post(pool, user).status == 202, 3)
    wait_until(lambda: post(pool, user).status == 202, 3)
    assert_refused(post(pool, user), 429, "too_many_waiting")
    assert waiting(stack, user) == 10


@pytest.mark.parametrize("keyed, of_all", [(False, False), (True, False), (False, True)])
def test_what_came_another_way_counts(stack, limited, user, keyed, of_all):
    """Tasks by plain SQL and retried ones wait like any others."""
    wait_until(lambda: not stack.sql("SELECT 1 FROM tasks WHERE type = 'dummy' AND status IN ('fresh', 'started') LIMIT 1"), 20)
    [(present,)] = stack.sql("SELECT COUNT(*) FROM tasks WHERE status IN ('fresh', 'scheduled')")
    limits, keys = (0, present + 100) if of_all else (100,), itertools.count()
    pool, refusal = limited(*limits), 503 if of_all else 429

    def status(one):
        key = {"HTTP_IDEMPOTENCY_KEY": f"way-{user}-{next(keys)}"} if keyed else {}
        return post(one, user, **key).status
    stack.sql("INSERT INTO tasks (type, data, created_by, run_at, status)"
              " SELECT 'dummy', '{}', %s, '2099-01-01', IF(seq > 60, 'cancelled', 'scheduled')"
              " FROM seq_1_to_100", [user])
    for _ in range(5):
        assert status(pool) == 202
    stack.sql("UPDATE tasks SET status = 'scheduled' WHERE created_by = %s AND status = 'cancelled'", [user])
    wait_until(lambda: status(pool) == refusal, 5, every=0.2)
    assert 100 < waiting(stack, user) <= 125
    assert status(limited(*limits)) == refusal
    stack.sql("DELETE FROM tasks WHERE created_by = %s LIMIT 50", [user])
    wait_until(lambda: status(pool) == 202, 5, every=0.2)


def test_array_is_all_or_none(stack, limited, user):
    pool = limited(10)
    assert post(pool, user, [TASK] * 7).status == 202
    assert_refused(post(pool, user, [TASK] * 4), 429, "too_many_waiting")
    assert waiting(stack, user) == 7
    assert post(pool, user, [TASK] * 3).status == 202
    assert_refused(post(pool, user, [TASK] * 1000), 429, "too_many_waiting")
    assert waiting(stack, user) == 10


@pytest.mark.parametrize("limit, keyed", [(10, False), (10, True), (49, False)])
def test_exact_among_many(stack, limited, user, limit, keyed):
    """However many ask at once, of however many processes."""
    pool = limited(limit, processes=2)
    with ThreadPoolExecutor(32) as executor:
        answers = list(executor.map(
            lambda n: post(pool, user, **({"HTTP_IDEMPOTENCY_KEY": f"{user}-{n}"} if keyed else {})), range(80)))
    assert sum(answer.status == 202 for answer in answers) == limit == waiting(stack, user)
    assert {answer.status for answer in answers} == {202, 429}


def test_large_limit(stack, limited, user):
    """Room is reserved in chunks; a sequential client still gets what he may have, and no more."""
    pool = limited(1000)
    assert post(pool, user, [TASK] * 990).status == 202
    statuses = [post(pool, user).status for _ in range(14)]
    assert statuses == [202] * 10 + [429] * 4
    assert waiting(stack, user) == 1000


def test_one_of_many_users_is_over_it(stack, limited, user):
    """Others whose tasks are in the same transaction are not refused with him."""
    pool, others = limited(10), [next(USERS) for _ in range(5)]
    assert post(pool, user, [TASK] * 10).status == 202
    with ThreadPoolExecutor(32) as executor:
        answers = list(executor.map(lambda n: (n % 2, post(pool, others[n % 5] if n % 2 else user)), range(60)))
    assert all(answer.status == (202 if other else 429) for other, answer in answers)


def test_admin_counts_for_the_user(stack, limited, user):
    pool, other = limited(5), next(USERS)
    tasks = [{**TASK, "created_by": user}] * 5
    assert post(pool, 100, tasks, "admin").status == 202
    assert_refused(post(pool, 100, tasks[0], "admin"), 429, "too_many_waiting")
    mixed = [{**TASK, "created_by": other}, tasks[0]]
    assert_refused(post(pool, 100, mixed, "admin"), 429, "too_many_waiting")
    assert waiting(stack, other) == 0


def test_total(stack, limited, user):
    """Admins too."""
    [(present,)] = stack.sql("SELECT COUNT(*) FROM tasks WHERE status IN ('fresh', 'scheduled')")
    pool = limited(0, present + 5)
    assert post(pool, user, [TASK] * 3).status == 202
    assert_refused(post(pool, user, [TASK] * 3), 503, "queue_full")
    assert post(pool, next(USERS), [TASK] * 2).status == 202
    assert_refused(post(pool, user), 503, "queue_full")
    assert_refused(post(pool, 100, roles="admin"), 503, "queue_full")
    stack.sql("UPDATE tasks SET status = 'success' WHERE created_by = %s", [user])
    wait_until(lambda: post(pool, user).status == 202, 3)


def test_replay_when_full(stack, limited, user):
    """A key's answer is given again however full the queue is."""
    pool, key = limited(3), {"HTTP_IDEMPOTENCY_KEY": f"replay-{user}"}
    first = post(pool, user, **key)
    assert post(pool, user, [TASK] * 2).status == 202
    assert_refused(post(pool, user), 429, "too_many_waiting")
    again = post(pool, user, **key)
    assert (again.status, again.json()) == (202, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert_refused(post(pool, user, HTTP_IDEMPOTENCY_KEY=f"new-{user}"), 429, "too_many_waiting")


def test_no_limits(limited, user):
    pool = limited()
    assert post(pool, user, [TASK] * 1000).status == 202
    assert post(pool, user, [TASK] * 1000).status == 202
