/* SPDX-License-Identifier: MIT */
/* change.c: retry and delete. Each locks the task's row first, so that what it finds stays true. */
#include "store/change.h"

#include <stdlib.h>

#include "impl.h"
#include "store/query.h"

enum { CLEAR_BATCH = 200 };

struct change {
    uint64_t id;
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

int store_retry_task(struct store *s, uint64_t id, struct arena *arena, struct task *out,
                     struct error *e)
{
    struct change c = {id, arena, out};
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
    int rc = store_lock_status(s, c->id, &status, e);
    if (rc)
        return rc;
    if (!task_status_ended(status))
        return error_set(e, ERR_CONFLICT, "a task that is %s cannot be deleted: cancel it first",
                         task_status_name(status));
    return store_delete_rows(s, &c->id, 1, e);
}

int store_delete_task(struct store *s, uint64_t id, struct error *e)
{
    struct change c = {.id = id};
    return store_transaction(s, delete_one, &c, NULL, e);
}

struct clearing {
    uint64_t ids[CLEAR_BATCH];
    size_t count;
};

static int clear_batch(struct store *s, void *ctx, struct error *e)
{
    struct clearing *c = ctx;
    size_t ended = 0;
    for (size_t i = 0; i < c->count; i++) {
        enum task_status status;
        int rc = store_lock_status(s, c->ids[i], &status, e);
        if (rc == ERR_NOT_FOUND) { /* somebody else deleted it */
            error_clear(e);
            continue;
        }
        if (rc)
            return rc;
        if (task_status_ended(status)) /* it may have been retried since the list was read */
            c->ids[ended++] = c->ids[i];
    }
    c->count = ended;
    return ended ? store_delete_rows(s, c->ids, ended, e) : 0;
}

/* Backups, say: they go one by one, or when there are enough newer ones. */
static bool has_guarded_files(const struct task *t)
{
    for (size_t i = 0; i < t->file_count; i++)
        if (t->files[i].admin_only)
            return true;
    return false;
}

int store_clear_tasks(struct store *s, int64_t owner, int64_t before, const bool *status,
                      uint64_t *deleted, struct error *e)
{
    struct task_filter f;
    task_filter_init(&f);
    f.owner = owner;
    f.finished_before = before;
    f.has_status = true;
    for (int i = 0; i < TASK_STATUS_COUNT; i++)
        f.status[i] = task_status_ended((enum task_status)i) && (!status || status[i]);
    struct arena *arena = arena_create();
    struct task *page = xcalloc(CLEAR_BATCH, sizeof *page);
    uint64_t next = 0;
    int rc;
    *deleted = 0;
    do {
        struct clearing c = {.count = 0};
        arena_reset(arena);
        rc = store_list_tasks(s, &f, next, CLEAR_BATCH, arena, page, &next, e);
        for (int i = rc - 1; i >= 0; i--) /* ids ascending: every deleter locks in one order */
            if (!has_guarded_files(&page[i]))
                c.ids[c.count++] = page[i].id;
        if (c.count)
            rc = store_transaction(s, clear_batch, &c, NULL, e);
        if (rc >= 0)
            *deleted += c.count;
    } while (rc >= 0 && next);
    free(page);
    arena_destroy(&arena);
    return rc < 0 ? rc : 0;
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
