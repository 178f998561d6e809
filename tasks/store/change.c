/* SPDX-License-Identifier: MIT */
/* change.c: retry and delete. Each locks the task's row first, so that what it finds stays true. */
#include "store/change.h"

#include "base/log.h"
#include "impl.h"
#include "store/query.h"

struct change {
    uint64_t id;
    bool guarded;
    struct arena *arena;
    struct task *out;
};

int store_lock_status(struct store *s, uint64_t id, enum task_status *status, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_LOCK_STATUS, &r, e, db_uint(id));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc < 0)
        return (int)rc;
    if (rc == 0)
        return error_set(e, ERR_NOT_FOUND, "there is no task %llu", (unsigned long long)id);
    size_t len;
    const char *name = db_col_text(r, 0, &len);
    int parsed = task_status_parse(name, len);
    if (parsed < 0)
        return error_set(e, ERR_DB, "unknown status \"%s\"", name);
    *status = (enum task_status)parsed;
    return 0;
}

static int retry(struct store *s, void *ctx, struct error *e)
{
    struct change *c = ctx;
    enum task_status status;
    int rc = store_lock_status(s, c->id, &status, e);
    if (rc)
        return rc;
    if (status != TASK_failure && status != TASK_cancelled && status != TASK_dropped)
        return error_set(e, ERR_CONFLICT,
                         "a task that is %s cannot be retried: only failure, cancelled and dropped",
                         task_status_name(status));
    struct db_value id = db_uint(c->id);
    int64_t moved = store_move(s, EVENT_retry, status, 1, &id, 1, e);
    if (moved < 0)
        return (int)moved;
    return store_get_tasks(s, &c->id, 1, c->arena, c->out, e);
}

int store_lock_task(struct store *s, uint64_t id, struct error *e)
{
    enum task_status ignored;
    return store_lock_status(s, id, &ignored, e);
}

int store_retry_task(struct store *s, uint64_t id, struct arena *arena, struct task *out,
                     struct error *e)
{
    struct change c = {.id = id, .arena = arena, .out = out};
    return store_transaction(s, retry, &c, NULL, e);
}

int store_delete_rows(struct store *s, const uint64_t *ids, size_t count, struct error *e)
{
    static const enum statement_id steps[] = {ST_TRASH_OF_TASKS, ST_TRASH_OF_REQUESTS,
                                              ST_DELETE_EXPORTS_OF, ST_DELETE_REQUESTS_OF,
                                              ST_DELETE_ATTEMPTS_OF, ST_DELETE_TASKS};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        int64_t rc = store_run_ids(s, steps[i], NULL, 0, ids, count, e);
        if (rc < 0)
            return (int)rc;
    }
    return 0;
}

static int delete_one(struct store *s, void *ctx, struct error *e)
{
    struct change *c = ctx;
    enum task_status status;
    uint64_t guarded;
    int rc = store_lock_status(s, c->id, &status, e);
    if (rc)
        return rc;
    if (!task_status_ended(status))
        return error_set(e, ERR_CONFLICT, "a task that is %s cannot be deleted: cancel it first",
                         task_status_name(status));
    /* with the row locked none can come */
    rc = c->guarded ? 0 : store_choose_ids(s, ST_FIND_GUARDED, &c->id, 1, &guarded, e);
    if (rc > 0)
        return error_set(e, ERR_DENIED, "the task has files of admins only");
    return rc < 0 ? rc : store_delete_rows(s, &c->id, 1, e);
}

int store_delete_task(struct store *s, uint64_t id, bool guarded, struct error *e)
{
    struct change c = {.id = id, .guarded = guarded};
    return store_transaction(s, delete_one, &c, NULL, e);
}

struct deletion {
    const uint64_t *ids;
    size_t count;
    int deleted;
};

static bool has(const uint64_t *ids, int count, uint64_t id)
{
    while (count && ids[count - 1] != id)
        count--;
    return count > 0;
}

/* What has been retried since IDS were read stays, and what has files of admins only: backups, say, go one by one, or
 * when there are enough newer ones. */
static int delete_ended(struct store *s, void *ctx, struct error *e)
{
    struct deletion *d = ctx;
    uint64_t ended[STORE_DELETE_MAX], guarded[STORE_DELETE_MAX];
    int count = store_choose_ids(s, ST_LOCK_ENDED, d->ids, d->count, ended, e);
    int hidden = count > 0 ? store_choose_ids(s, ST_FIND_GUARDED, ended, (size_t)count, guarded, e) : count;
    if (hidden < 0)
        return hidden;
    d->deleted = 0;
    for (int i = 0; i < count; i++)
        if (!has(guarded, hidden, ended[i]))
            ended[d->deleted++] = ended[i];
    return store_delete_rows(s, ended, (size_t)d->deleted, e);
}

int store_delete_ended(struct store *s, const uint64_t *ids, size_t count, struct error *e)
{
    struct deletion d = {ids, count, 0};
    if (count > STORE_DELETE_MAX)
        log_bug("store_delete_ended: %zu tasks", count);
    int rc = count ? store_transaction(s, delete_ended, &d, NULL, e) : 0;
    return rc < 0 ? rc : d.deleted;
}

int store_clear_tasks(struct store *s, int64_t owner, int64_t before, const bool *status, uint64_t *next,
                      struct error *e)
{
    struct task_filter f;
    task_filter_init(&f);
    f.owner = owner;
    f.finished_before = before;
    f.has_status = true;
    for (int i = 0; i < TASK_STATUS_COUNT; i++)
        f.status[i] = task_status_ended((enum task_status)i) && (!status || status[i]);
    struct arena *arena = arena_create();
    uint64_t ids[STORE_DELETE_MAX];
    int count = store_list_ids(s, &f, *next, STORE_DELETE_MAX, arena, ids, next, e);
    arena_destroy(&arena);
    return count < 0 ? count : store_delete_ended(s, ids, (size_t)count, e);
}

static int delete_export(struct store *s, void *ctx, struct error *e)
{
    const struct change *c = ctx;
    int64_t rc = STORE_RUN(s, ST_TRASH_OF_EXPORT, NULL, e, db_uint(c->id));
    if (rc == 0)
        return error_set(e, ERR_NOT_FOUND, "there is no such file");
    if (rc > 0)
        rc = STORE_RUN(s, ST_DELETE_EXPORT, NULL, e, db_uint(c->id));
    return rc < 0 ? (int)rc : 0;
}

int store_delete_export(struct store *s, uint64_t id, struct error *e)
{
    struct change c = {.id = id};
    return store_transaction(s, delete_export, &c, NULL, e);
}
