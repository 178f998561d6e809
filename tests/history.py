# SPDX-License-Identifier: MIT
"""Every claim that has ended, as sql/README.md reads them, for the FROM of a statement."""

CLAIMS = """(
    SELECT task_id, fence, attempt, worker, started_at, finished_at, outcome, error, log FROM attempts
    UNION ALL
    SELECT id, fence, attempt, worker, started_at, finished_at, 'success', NULL, NULL FROM tasks
    WHERE status = 'success' AND NOT EXISTS
          (SELECT 1 FROM attempts a WHERE a.task_id = tasks.id AND a.fence = tasks.fence AND a.outcome = 'success')
) claims"""
