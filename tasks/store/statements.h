/* SPDX-License-Identifier: MIT */
/* statements.h: the SQL of the store as one named table. {...} stands for a group that is repeated as often
 * as a call has values, joined by commas or, as {...|separator}, by what is named; all groups of a statement
 * are repeated equally often. */
#ifndef TASKS_STORE_STATEMENTS_H
#define TASKS_STORE_STATEMENTS_H

#include "store/store.h"
#include "store/task.h"

/* Microseconds since 1970, the unit of tasks.turn. */
#define TURN_OF(instant) "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', " instant ")"
#define TURN_NOW TURN_OF("UTC_TIMESTAMP(6)")
#define TURN_RUN_AT TURN_OF("run_at")

/* Parts of the moves in states.def. */
#define ENDED                                                                             \
    "finished_at = UTC_TIMESTAMP(6), updated_on = UTC_TIMESTAMP(6), turn = " TURN_NOW ","  \
    " progress = ?, error = ?, result = ?,"                                                \
    " expires_at = UTC_TIMESTAMP(6) + INTERVAL NULLIF(?, 0) MICROSECOND"
/* A value for each of many ids: parameters are the ids, ascending, and then as many values. INTERVAL searches by
 * halves, where a CASE would try one id after the other for each row. A text, whatever the values are. */
#define OF_EACH "ELT(INTERVAL(id, {?}), {?})"
#define ENDED_WELL                                                                        \
    "finished_at = UTC_TIMESTAMP(6), updated_on = UTC_TIMESTAMP(6), turn = " TURN_NOW ","  \
    " progress = " OF_EACH ", error = NULL, result = " OF_EACH ","                         \
    " expires_at = UTC_TIMESTAMP(6) + INTERVAL NULLIF(?, 0) MICROSECOND"
#define CANCELLED                                                                    \
    "finished_at = UTC_TIMESTAMP(6), turn = " TURN_NOW ", cancel_requested = 1,"      \
    " cancel_by = ?, cancel_reason = ?, error = ?,"                                   \
    " expires_at = UTC_TIMESTAMP(6) + INTERVAL NULLIF(?, 0) MICROSECOND"
#define RESET                                                                             \
    "attempt = 0, error = NULL, progress = NULL, result = NULL, started_at = NULL,"        \
    " finished_at = NULL, expires_at = NULL, run_at = NULL, cancel_requested = 0,"         \
    " cancel_by = NULL, cancel_reason = NULL, turn = " TURN_NOW
#define BY_IDS "id IN ({?})"
#define BY_ID "id = ?"
#define BY_CLAIM "id = ? AND fence = ?"
#define BY_CLAIMS "id IN ({?}) AND fence = CAST(" OF_EACH " AS UNSIGNED)"

/* One of a task's files: "17d", found in the index `task` without a look at its row. d = download, a = of admins
 * only, r = result, h = HTTP response, and x behind it = expired. */
#define FILE_WORD                                                                              \
    "x.id, IF(x.purpose = 'result', 'r', IF(x.purpose = 'response', 'h'," \
    " IF(x.role IS NULL, 'd', 'a'))), IF(x.expires_at <= UTC_TIMESTAMP(6), 'x', '')"

/* The columns that read_task expects, of tasks under the alias t; FILES are such words with commas between them.
 * data goes last because it may be long. */
#define TASK_COLUMNS(files)                                                                    \
    "t.id, t.type, IF(t.status = 'fresh' AND t.run_at > UTC_TIMESTAMP(6), 'scheduled', t.status)," \
    " t.priority, t.turn, t.worker, t.created_at, t.updated_on, t.created_by, t.run_at,"       \
    " t.started_at, t.finished_at, t.expires_at, t.attempt, t.max_attempts, t.fence,"          \
    " t.cancel_requested, t.cancel_by, t.cancel_reason, t.progress, t.error, t.result,"        \
    " " files ", t.data"

/* By the database's clock. Last seen long after now: by a clock that has been put back since. */
#define RUNNER_LIVES                                                                        \
    "(last_seen BETWEEN UTC_TIMESTAMP(6) - INTERVAL lease_usec MICROSECOND"                  \
    " AND UTC_TIMESTAMP(6) + INTERVAL lease_usec MICROSECOND)"

/* A file is kept no longer than its task. */
#define EXPORT_COLUMNS                                                                      \
    "id, task_id, filename, format, path, sha256, owner_id, created_at,"                     \
    " (SELECT LEAST(COALESCE(csv_export.expires_at, t.expires_at),"                          \
    " COALESCE(t.expires_at, csv_export.expires_at)) FROM tasks t"                           \
    " WHERE t.id = csv_export.task_id), bytes, `rows`,"                                      \
    " COALESCE(expires_at <= UTC_TIMESTAMP(6), 0), purpose = 'result', role IS NOT NULL," \
    " purpose = 'response'"

enum statement_id {
#define STATEMENT(name, roles, sql) ST_##name,
#include "statements.def"
#undef STATEMENT
#define STATE(name, ended)
#define MOVE(event, from, to, which, changes) ST_MOVE_##event##_##from,
#include "store/states.def"
#undef STATE
#undef MOVE
    ST_COUNT
};

struct statement {
    const char *name;
    unsigned roles; /* enum store_role, or'ed */
    const char *sql;
};

extern const struct statement statements[ST_COUNT];

/* The events of states.def. */
enum task_event {
    EVENT_claim,
    EVENT_schedule,
    EVENT_promote,
    EVENT_succeed,
    EVENT_fail,
    EVENT_stop,
    EVENT_drop,
    EVENT_retry_later,
    EVENT_hand_back,
    EVENT_take_back,
    EVENT_cancel,
    EVENT_retry,
};

#endif
