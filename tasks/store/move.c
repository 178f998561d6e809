/* SPDX-License-Identifier: MIT */
/* move.c: the tables of states, moves and statements, and the one function that changes a status. */
#include <string.h>

#include "base/log.h"
#include "impl.h"

static const struct {
    const char *name;
    bool ended;
} states[TASK_STATUS_COUNT] = {
#define STATE(name, ended) [TASK_##name] = {#name, ended},
#define MOVE(event, from, to, which, changes)
#include "store/states.def"
#undef STATE
#undef MOVE
};

#define STATE(name, ended)
#define MOVE(event, from, to, which, changes) \
    {EVENT_##event, TASK_##from, ST_MOVE_##event##_##from},
static const struct {
    enum task_event event;
    enum task_status from;
    enum statement_id statement;
} moves[] = {
#include "store/states.def"
};
#undef MOVE

/* The API moves tasks that nobody runs; the runner all others. */
#define ROLES_cancel (STORE_API | STORE_RUNNER) /* the runner: what comes back and was asked to stop */
#define ROLES_retry STORE_API
#define ROLES_claim STORE_RUNNER
#define ROLES_schedule STORE_RUNNER
#define ROLES_promote STORE_RUNNER
#define ROLES_succeed STORE_RUNNER
#define ROLES_fail STORE_RUNNER
#define ROLES_stop STORE_RUNNER
#define ROLES_drop STORE_RUNNER
#define ROLES_retry_later STORE_RUNNER
#define ROLES_hand_back STORE_RUNNER
#define ROLES_take_back STORE_RUNNER

const struct statement statements[ST_COUNT] = {
#define STATEMENT(name, roles, sql) [ST_##name] = {#name, roles, sql},
#include "statements.def"
#undef STATEMENT
#define MOVE(event, from, to, which, changes)                                              \
    [ST_MOVE_##event##_##from] = {                                                         \
        "move " #event, ROLES_##event,                                                     \
        "UPDATE tasks SET status = '" #to "', " changes " WHERE " which " AND status = '" #from "'"},
#include "store/states.def"
#undef MOVE
};
#undef STATE

const char *task_status_name(enum task_status status)
{
    return states[status].name;
}

int task_status_parse(const char *name, size_t len)
{
    for (int i = 0; i < TASK_STATUS_COUNT; i++)
        if (strlen(states[i].name) == len && memcmp(states[i].name, name, len) == 0)
            return i;
    return -1;
}

bool task_status_ended(enum task_status status)
{
    return states[status].ended;
}

static enum statement_id find_move(enum task_event event, enum task_status from)
{
    for (size_t i = 0; i < COUNT_OF(moves); i++)
        if (moves[i].event == event && moves[i].from == from)
            return moves[i].statement;
    log_bug("no legal move: event %d from %s", (int)event, states[from].name);
}

int64_t store_move(struct store *s, enum task_event event, enum task_status from, size_t count,
                   const struct db_value *params, unsigned param_count, struct error *e)
{
    return store_run(s, find_move(event, from), count, params, param_count, NULL, e);
}

int64_t store_move_ids(struct store *s, enum task_event event, enum task_status from,
                       const struct db_value *prefix, unsigned prefix_count, const uint64_t *ids,
                       size_t count, struct error *e)
{
    return store_run_ids(s, find_move(event, from), prefix, prefix_count, ids, count, e);
}
