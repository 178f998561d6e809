/* SPDX-License-Identifier: MIT */
/* submit.c: inserts new tasks and reads back what the database made of them. */
#include "store/submit.h"

#include <stdlib.h>
#include <string.h>

#include "impl.h"
#include "store/query.h"

enum { COLUMNS = 10 }; /* parameters of one row in ST_SUBMIT */

/* How far a user's tasks stand apart in a lane, in turns (microseconds). So long that real time never
 * catches up with it: tasks that come back (a retry, a task by plain SQL) get the present as their turn
 * and so stand before everybody's second task. */
static const int64_t turn_step = INT64_C(3600) * 1000000;

struct submission {
    const struct new_task *tasks;
    size_t count;
    struct arena *arena;
    struct task *out;
};

/* Gives tasks[at] and those that share its user and lane their turns. */
static int assign_turns(struct store *s, const struct submission *sub, size_t at, int64_t *turns,
                        struct error *e)
{
    const struct new_task *t = &sub->tasks[at];
    struct db_value type = db_text(t->type), priority = db_int(t->priority);
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_LAST_TURN, &r, e, db_int(t->created_by), type, priority, type, priority);
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc < 0)
        return (int)rc;
    bool queued = !db_col_null(r, 0), waiting = !db_col_null(r, 1);
    int64_t next = queued ? db_col_int(r, 0) + turn_step : waiting ? db_col_int(r, 1) : INSTANT_NONE;
    for (size_t i = at; i < sub->count; i++) {
        const struct new_task *other = &sub->tasks[i];
        if (turns[i] || other->created_by != t->created_by || other->priority != t->priority ||
            strcmp(other->type, t->type) != 0)
            continue;
        turns[i] = next;
        /* with nobody waiting the first one takes the server's present; a step is so long that this
         * machine's is near enough for the others */
        next = (next == INSTANT_NONE ? clock_wall_usec() : next) + turn_step;
    }
    return 0;
}

/* Inserts N tasks with one statement. InnoDB gives the rows of one such INSERT ids that follow each other
 * by auto_increment_increment; that nothing else is taken for granted is checked after reading back. */
static int insert_group(struct store *s, const struct new_task *tasks, const int64_t *turns,
                        size_t n, uint64_t *ids, struct error *e)
{
    struct db_value *params = xcalloc(n * COLUMNS, sizeof *params);
    for (size_t i = 0; i < n; i++) {
        const struct new_task *t = &tasks[i];
        struct db_value *p = params + i * COLUMNS;
        p[0] = db_text(t->type);
        p[1] = db_textn(t->data, t->data_len);
        p[2] = db_int(t->created_by);
        p[3] = db_int(t->priority);
        p[4] = db_uint(t->max_attempts);
        p[5] = p[6] = p[7] = p[8] = db_instant(t->run_at);
        p[9] = turns[i] == INSTANT_NONE ? db_null() : db_int(turns[i]);
    }
    struct db_stmt *stmt;
    int64_t rc = store_run(s, ST_SUBMIT, n, params, (unsigned)(n * COLUMNS), &stmt, e);
    free(params);
    if (rc < 0)
        return (int)rc;
    uint64_t first = db_insert_id(stmt);
    for (size_t i = 0; i < n; i++)
        ids[i] = first + i * s->id_step;
    return 0;
}

static int add_requests(struct store *s, const struct submission *sub, const uint64_t *ids, struct error *e)
{
    int rc = 0;
    for (size_t i = 0; i < sub->count && !rc; i++)
        if (sub->tasks[i].request)
            rc = store_add_http_request(s, ids[i], sub->tasks[i].created_by, sub->tasks[i].request, e);
    return rc;
}

static int submit(struct store *s, void *ctx, struct error *e)
{
    struct submission *sub = ctx;
    uint64_t *ids = arena_alloc(sub->arena, sub->count * sizeof *ids);
    int64_t *turns = arena_calloc(sub->arena, sub->count, sizeof *turns);
    int rc = 0;
    for (size_t i = 0; i < sub->count && !rc; i++)
        if (!turns[i])
            rc = assign_turns(s, sub, i, turns, e);
    for (size_t done = 0; done < sub->count && !rc;) {
        size_t n = store_group_filled(sub->count - done);
        rc = insert_group(s, sub->tasks + done, turns + done, n, ids + done, e);
        done += n;
    }
    if (!rc)
        rc = store_get_new_tasks(s, ids, sub->count, sub->arena, sub->out, e);
    for (size_t i = 0; i < sub->count && !rc; i++)
        if (!sub->out[i].id || sub->out[i].created_by != sub->tasks[i].created_by)
            rc = error_set(e, ERR_DB, "the database did not give consecutive ids to one INSERT");
    return rc ? rc : add_requests(s, sub, ids, e);
}

int store_submit(struct store *s, const struct new_task *tasks, size_t count, struct arena *arena,
                 struct task *out, struct error *e)
{
    struct submission sub = {tasks, count, arena, out};
    return store_transaction(s, submit, &sub, NULL, e);
}
