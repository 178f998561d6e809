/* SPDX-License-Identifier: MIT */
/* cancel.c: stops tasks by wish: one that waits at once, one that runs through its runner. Pauses types. */
#include <inttypes.h>

#include "base/buf.h"
#include "impl.h"
#include "store/change.h"
#include "store/claim.h"
#include "store/query.h"

struct cancelling {
    uint64_t id;
    int64_t by, keep_usec;
    const char *reason;
    struct arena *arena;
    struct task *out;
};

const char *store_cancel_error(struct arena *arena, int64_t by, const char *reason)
{
    struct buf b = BUF_INIT;
    buf_adds(&b, "{\"code\":\"cancelled\",\"message\":");
    const char *who = by ? arena_printf(arena, "cancelled by user %" PRId64, by) : "cancelled";
    buf_json_s(&b, reason ? arena_printf(arena, "%s: %s", who, reason) : who);
    buf_addc(&b, '}');
    const char *json = arena_strndup(arena, buf_str(&b), b.len);
    buf_free(&b);
    return json;
}

/* A task that has not started. */
static int64_t cancel_unrun(struct store *s, const struct cancelling *c, enum task_status status,
                            struct error *e)
{
    struct db_value params[] = {db_int(c->by), db_text(c->reason),
                                db_text(store_cancel_error(c->arena, c->by, c->reason)),
                                db_int(c->keep_usec), db_uint(c->id)};
    return store_move(s, EVENT_cancel, status, 1, params, COUNT_OF(params), e);
}

static int cancel(struct store *s, void *ctx, struct error *e)
{
    const struct cancelling *c = ctx;
    enum task_status status;
    int64_t rc = store_lock_status(s, c->id, &status, e);
    int result = CANCEL_DONE;
    if (rc)
        return (int)rc;
    if (task_status_ended(status))
        return error_set(e, ERR_CONFLICT, "the task has ended already: %s", task_status_name(status));
    if (status == TASK_started) {
        rc = STORE_RUN(s, ST_ASK_TO_STOP, NULL, e, db_int(c->by), db_text(c->reason), db_uint(c->id));
        result = rc == 0 ? CANCEL_ALREADY : CANCEL_ASKED;
    } else {
        rc = cancel_unrun(s, c, status, e);
    }
    if (rc >= 0)
        rc = store_get_tasks(s, &c->id, 1, c->arena, c->out, e);
    return rc < 0 ? (int)rc : result;
}

int store_cancel_task(struct store *s, uint64_t id, int64_t by, const char *reason, int64_t keep_usec,
                      struct arena *arena, struct task *out, struct error *e)
{
    struct cancelling c = {id, by, keep_usec, reason, arena, out};
    return store_transaction(s, cancel, &c, NULL, e);
}

int store_cancel_if_asked(struct store *s, uint64_t id, enum task_status status, int64_t keep_usec,
                          struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_ASKED_TO_STOP, &r, e, db_uint(id));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc <= 0)
        return (int)rc;
    struct arena *arena = arena_create();
    struct cancelling c = {
        .id = id,
        .by = db_col_int(r, 0),
        .keep_usec = keep_usec,
        .reason = store_text(r, 1, arena).p,
        .arena = arena,
    };
    rc = cancel_unrun(s, &c, status, e);
    arena_destroy(&arena);
    return rc < 0 ? (int)rc : 0;
}

int store_pause_type(struct store *s, const char *type, int64_t by, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_PAUSE, NULL, e, db_text(type), db_int(by));
    return rc < 0 ? (int)rc : 0;
}

int store_resume_type(struct store *s, const char *type, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_RESUME, NULL, e, db_text(type));
    return rc < 0 ? (int)rc : 0;
}
