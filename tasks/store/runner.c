/* SPDX-License-Identifier: MIT */
/* runner.c: a runner's own row: its lease. */
#include "impl.h"
#include "store/claim.h"

static int register_runner(struct store *s, void *ctx, struct error *e)
{
    const struct runner_card *c = ctx;
    int64_t rc = STORE_RUN(s, ST_FORGET_RUNNER, NULL, e, db_text(c->worker));
    if (rc >= 0)
        rc = STORE_RUN(s, ST_ADD_RUNNER, NULL, e, db_text(c->worker), db_text(c->host),
                       db_uint(c->pid), db_text(c->version), db_text(c->types), db_uint(c->slots),
                       db_int(c->lease_usec));
    if (rc == ERR_DB_REFUSED && e->db_errno == ERRNO_DUPLICATE)
        return error_set(e, ERR_CONFLICT, "a runner named %s is alive already", c->worker);
    return rc < 0 ? (int)rc : 0;
}

int store_register_runner(struct store *s, const struct runner_card *card, struct error *e)
{
    return store_transaction(s, register_runner, (void *)card, NULL, e);
}

int store_expire_name(struct store *s, const char *worker, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_EXPIRE_NAME, NULL, e, db_text(worker));
    return rc < 0 ? (int)rc : 0;
}

/* CHANGED rows, or an error, of a statement that renews. */
static int is_renewed(int64_t changed, const char *worker, struct error *e)
{
    if (changed == 0)
        return error_set(e, ERR_FENCED, "the lease of %s has run out and others have its tasks", worker);
    return changed < 0 ? (int)changed : 0;
}

int store_renew_runner(struct store *s, const char *worker, unsigned busy, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_RENEW_RUNNER, NULL, e, db_uint(busy), db_text(worker));
    return is_renewed(rc, worker, e);
}

int store_change_runner(struct store *s, const struct runner_card *c, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_CHANGE_RUNNER, NULL, e, db_text(c->types), db_uint(c->slots),
                           db_int(c->lease_usec), db_text(c->worker));
    return is_renewed(rc, c->worker, e);
}

int store_leave_runner(struct store *s, const char *worker, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_LEAVE_RUNNER, NULL, e, db_text(worker));
    return rc < 0 ? (int)rc : 0;
}

int store_held_tasks(struct store *s, const char *worker, struct arena *arena, struct held_task *out,
                     size_t max, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_HELD, &r, e, db_text(worker), db_uint(max));
    size_t n = 0;
    while (rc >= 0 && n < max && (rc = db_next(r, e)) > 0) {
        bool cancel = db_col_int(r, 2) != 0;
        out[n++] = (struct held_task){
            .id = db_col_uint(r, 0),
            .fence = db_col_uint(r, 1),
            .cancel_requested = cancel,
            .cancel_error = cancel ? store_cancel_error(arena, db_col_int(r, 3), db_col_text(r, 4, NULL))
                                   : NULL,
        };
    }
    return rc < 0 ? (int)rc : (int)n;
}
