/* SPDX-License-Identifier: MIT */
/* sweep.c: what any runner does for all: tasks whose runner is gone, files whose row is gone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "impl.h"
#include "store/claim.h"
#include "store/upload.h"

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* What a transaction should look at, ascending, so that all lock in one order. */
struct candidates {
    uint64_t *ids;
    size_t count;
};

/* At most MAX ids by statement ID. Returns 0 or an error. */
static int read_candidates(struct store *s, enum statement_id id, size_t max, struct candidates *x, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, id, &r, e, db_uint(max));
    x->count = 0;
    while (rc >= 0 && x->count < max && (rc = db_next(r, e)) > 0)
        x->ids[x->count++] = db_col_uint(r, 0);
    if (rc >= 0)
        qsort(x->ids, x->count, sizeof *x->ids, compare_ids);
    return rc < 0 ? (int)rc : 0;
}

/* --- runners that are silent ------------------------------------------------------------------- */

/* What the database's clock says of a runner's silence is not believed: it may be stepped, or be another server's
 * after a failover. Where there is nothing else to go by, it counts for two thirds of the lease: who lives renews
 * within the third that is left. */
struct seen_runner {
    char worker[WORKER_NAME_SIZE];
    int64_t last_seen, lease_usec;
    int64_t since_ns; /* when this last_seen was first read, or before, by clock_mono_ns */
};

void runner_watch_free(struct runner_watch *w)
{
    free(w->runners);
    *w = (struct runner_watch){0};
}

/* Since when X, whose silence by the database's clock is SILENT_USEC, has been as it is. */
static int64_t seen_since(const struct runner_watch *before, const struct seen_runner *x, int64_t silent_usec)
{
    int64_t now = clock_mono_ns(), most = x->lease_usec / 3 * 2;
    for (size_t i = 0; i < before->count; i++) {
        const struct seen_runner *y = &before->runners[i];
        if (strcmp(y->worker, x->worker) == 0)
            return y->last_seen == x->last_seen ? y->since_ns : now;
    }
    return silent_usec < 0 ? now : now - (silent_usec < most ? silent_usec : most) * 1000;
}

/* Adds the runner that R stands at to NOW; BEFORE is what was known of all. */
static void see_runner(struct runner_watch *now, const struct runner_watch *before, struct db_stmt *r)
{
    const char *worker = db_col_text(r, 1, NULL);
    now->runners = xrealloc(now->runners, (now->count + 1) * sizeof *now->runners);
    struct seen_runner *x = &now->runners[now->count++];
    *x = (struct seen_runner){.last_seen = db_col_instant(r, 2), .lease_usec = db_col_int(r, 3)};
    snprintf(x->worker, sizeof x->worker, "%s", worker);
    x->since_ns = seen_since(before, x, db_col_int(r, 4));
}

/* Reads which runners there are, and at most MAX tasks of those that are gone. Returns 0 or an error. */
static int look_round(struct store *s, struct runner_watch *w, size_t max, struct candidates *x, struct error *e)
{
    struct db_stmt *r;
    struct runner_watch now = {0};
    int64_t rc = STORE_RUN(s, ST_WATCH, &r, e, db_uint(max));
    x->count = 0;
    while (rc >= 0 && (rc = db_next(r, e)) > 0) {
        if (db_col_text(r, 1, NULL))
            see_runner(&now, w, r);
        else if (x->count < max)
            x->ids[x->count++] = db_col_uint(r, 0);
    }
    if (rc < 0) {
        runner_watch_free(&now);
        return (int)rc;
    }
    runner_watch_free(w);
    *w = now;
    qsort(x->ids, x->count, sizeof *x->ids, compare_ids);
    return 0;
}

/* Declares those gone that have said nothing for their lease since they were first read so: from here on they
 * cannot renew. Returns how many, or an error. */
static int expire_silent(struct store *s, const struct runner_watch *w, struct error *e)
{
    int64_t now = clock_mono_ns(), gone = 0;
    for (size_t i = 0; i < w->count; i++) {
        const struct seen_runner *x = &w->runners[i];
        if (now - x->since_ns <= x->lease_usec * 1000)
            continue;
        int64_t rc = STORE_RUN(s, ST_EXPIRE_RUNNER, NULL, e, db_text(x->worker), db_instant(x->last_seen));
        if (rc < 0)
            return (int)rc;
        gone += rc;
    }
    return (int)gone;
}

/* --- their tasks ------------------------------------------------------------------------------- */

/* A task whose runner is gone. */
struct orphan {
    uint64_t id, fence;
    char *worker, *type;
    struct lost_verdict verdict;
};

struct taking {
    const struct candidates *from;
    judge_lost *judge;
    void *ctx;
    struct arena *arena;
    struct lost_claim *lost;
    size_t changed;
};

/* Locks those of the candidates that are orphans still. */
static int lock_orphans(struct store *s, struct taking *t, struct orphan *out, size_t *count,
                        struct error *e)
{
    struct db_stmt *r;
    int64_t rc = store_run_group(s, ST_LOCK_ORPHANS, t->from->ids, t->from->count, &r, e);
    *count = 0;
    while (rc >= 0 && *count < t->from->count && (rc = db_next(r, e)) > 0) {
        struct orphan *o = &out[(*count)++];
        const char *type = db_col_text(r, 2, NULL), *worker = db_col_text(r, 5, NULL);
        o->id = db_col_uint(r, 0);
        o->fence = db_col_uint(r, 1);
        const struct lost_task task = {type ? type : "", (unsigned)db_col_uint(r, 3), (unsigned)db_col_uint(r, 4),
                                       store_text(r, 6, t->arena)};
        o->verdict = t->judge(t->ctx, &task);
        o->worker = arena_strdup(t->arena, worker ? worker : "nobody");
        o->type = arena_strdup(t->arena, type ? type : "");
    }
    return rc < 0 ? (int)rc : 0;
}

static int take_one(struct store *s, const struct taking *t, const struct orphan *o,
                    struct error *e)
{
    const struct lost_verdict *v = &o->verdict;
    struct buf text = BUF_INIT;
    buf_adds(&text, "{\"code\":\"runner_lost\",\"message\":");
    buf_json_s(&text, arena_printf(t->arena, "the runner %s has not been heard of for its lease time%s",
                                   o->worker, v->again ? "; the task waits for another attempt"
                                              : v->why ? v->why
                                                       : ""));
    buf_addc(&text, '}');
    const char *error = buf_str(&text);
    int64_t rc;
    if (v->again)
        rc = store_move(s, EVENT_take_back, TASK_started, 1,
                        (struct db_value[]){db_text(error), db_uint(o->id), db_uint(o->fence)}, 3, e);
    else
        rc = store_move(s, EVENT_drop, TASK_started, 1,
                        (struct db_value[]){db_null(), db_text(error), db_null(), db_int(v->keep_usec),
                                            db_uint(o->id), db_uint(o->fence)},
                        6, e);
    if (rc > 0)
        rc = STORE_RUN(s, ST_ADD_ATTEMPT, NULL, e, db_int(0), db_text("dropped"), db_text(error),
                       db_null(), db_uint(o->id));
    buf_free(&text);
    if (rc > 0 && v->again) {
        int cancelled = store_cancel_if_asked(s, o->id, TASK_fresh, v->keep_usec, e);
        rc = cancelled ? cancelled : rc;
    }
    if (rc > 0) {
        int counted = store_count_endings(s, 0, o->type, "dropped", 1, e);
        rc = counted ? counted : 1;
    }
    return (int)rc;
}

static int take_back(struct store *s, void *ctx, struct error *e)
{
    struct taking *t = ctx;
    struct orphan *orphans = arena_calloc(t->arena, t->from->count, sizeof *orphans);
    size_t count;
    t->changed = 0;
    int rc = lock_orphans(s, t, orphans, &count, e);
    for (size_t i = 0; i < count && rc >= 0; i++) {
        rc = take_one(s, t, &orphans[i], e);
        if (rc > 0)
            t->lost[t->changed++] = (struct lost_claim){orphans[i].id, orphans[i].fence, orphans[i].verdict.again};
    }
    return rc < 0 ? rc : 0;
}

int store_take_back(struct store *s, struct runner_watch *w, size_t max, judge_lost *judge, void *ctx,
                    struct lost_claim *out, struct error *e)
{
    uint64_t ids[GROUP_MAX];
    struct candidates x = {ids, 0};
    if (max > GROUP_MAX)
        max = GROUP_MAX;
    int rc;
    do
        rc = look_round(s, w, max, &x, e);
    while (!rc && (rc = expire_silent(s, w, e)) > 0); /* the next look finds what these have left */
    if (rc < 0 || !x.count)
        return rc;
    struct taking t = {&x, judge, ctx, arena_create(), out, 0};
    rc = store_transaction(s, take_back, &t, NULL, e);
    arena_destroy(&t.arena);
    return rc < 0 ? rc : (int)t.changed;
}

/* --- what waits for nobody ---------------------------------------------------------------------- */

/* Transactions: enough to pass over one held row, also where it is in the way of more than those that name it: the
 * server may read the whole of a small table. */
enum { HALVES_MAX = 64 };

static int halve(struct store *s, int (*body)(struct store *, void *, struct error *), uint64_t *ids, size_t count,
                 int *left, struct error *e)
{
    struct candidates x = {ids, count};
    if (*left == 0)
        return error_set(e, ERR_DB_RETRY, "other sessions hold many of the rows");
    --*left;
    int rc = store_transaction_nowait(s, body, &x, e);
    if (rc != ERR_DB_RETRY || count < 2)
        return rc;
    int first = halve(s, body, ids, count / 2, left, e);
    if (first < 0 && first != ERR_DB_RETRY)
        return first;
    int second = halve(s, body, ids + count / 2, count - count / 2, left, e);
    return second < 0 ? second : first < 0 ? first : first + second;
}

/* Has BODY, whose context is candidates, do what it does with COUNT of IDS, but for those that other sessions hold:
 * they are found by halves. Where they are many (another runner does the same at this moment), the rest comes later.
 * Returns what BODY has given in all, or ERR_DB_RETRY where some were left. */
static int do_free_ones(struct store *s, int (*body)(struct store *, void *, struct error *), uint64_t *ids,
                        size_t count, struct error *e)
{
    int left = HALVES_MAX;
    return halve(s, body, ids, count, &left, e);
}

/* --- files whose row is gone ------------------------------------------------------------------- */

int store_list_trash(struct store *s, struct trash_entry *out, size_t max, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_LIST_TRASH, &r, e, db_uint(max));
    size_t n = 0;
    while (rc >= 0 && n < max && (rc = db_next(r, e)) > 0) {
        size_t len;
        const char *path = db_col_text(r, 1, &len);
        if (len >= sizeof out[n].path)
            len = sizeof out[n].path - 1;
        out[n].id = db_col_uint(r, 0);
        for (size_t i = 0; i < len; i++)
            out[n].path[i] = path[i];
        out[n++].path[len] = '\0';
    }
    return rc < 0 ? (int)rc : (int)n;
}

static int drop_trash(struct store *s, void *ctx, struct error *e)
{
    const struct candidates *x = ctx;
    int64_t rc = store_run_ids(s, ST_DROP_TRASH, NULL, 0, x->ids, x->count, e);
    return rc < 0 ? (int)rc : 0;
}

int store_drop_trash(struct store *s, const struct trash_entry *entries, size_t count,
                     struct error *e)
{
    uint64_t *ids = xcalloc(count, sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = entries[i].id;
    int rc = do_free_ones(s, drop_trash, ids, count, e);
    free(ids);
    return rc;
}

int store_file_known(struct store *s, const char *path, struct error *e)
{
    struct db_stmt *r;
    const char *slash = strrchr(path, '/');
    uint64_t id = 0, fence = 0;
    if (sscanf(slash ? slash + 1 : path, "%" SCNu64 "-%" SCNu64 "-", &id, &fence) < 2)
        id = fence = 0; /* no task's */
    int64_t rc = STORE_RUN(s, ST_FILE_KNOWN, &r, e, db_text(path), db_text(path), db_text(path), db_text(path),
                           db_uint(id), db_uint(fence));
    if (rc >= 0)
        rc = db_next(r, e);
    return rc < 0 ? (int)rc : db_col_int(r, 0) != 0;
}

/* --- what has expired -------------------------------------------------------------------------- */

/* Those that are still as they were found; others may sweep as well, or somebody has retried one. */
static int expire_tasks(struct store *s, void *ctx, struct error *e)
{
    const struct candidates *x = ctx;
    uint64_t locked[GROUP_MAX];
    int n = store_choose_ids(s, ST_LOCK_EXPIRED, x->ids, x->count, locked, e);
    int rc = n < 0 ? n : store_delete_rows(s, locked, (size_t)n, e);
    return rc < 0 ? rc : n;
}

static int expire_exports(struct store *s, void *ctx, struct error *e)
{
    const struct candidates *x = ctx;
    for (size_t i = 0; i < x->count; i++) {
        int64_t rc = STORE_RUN(s, ST_MARK_REMOVED, NULL, e, db_uint(x->ids[i]));
        if (rc > 0) /* else another runner was faster */
            rc = STORE_RUN(s, ST_TRASH_OF_EXPORT, NULL, e, db_uint(x->ids[i]));
        if (rc < 0)
            return (int)rc;
    }
    return (int)x->count;
}

/* Has BODY remove at most MAX of those that FIND finds. */
static int expire_found(struct store *s, enum statement_id find, int (*body)(struct store *, void *, struct error *),
                        size_t max, struct error *e)
{
    uint64_t ids[GROUP_MAX];
    struct candidates x = {ids, 0};
    int rc = read_candidates(s, find, max < GROUP_MAX ? max : GROUP_MAX, &x, e);
    return rc || !x.count ? rc : do_free_ones(s, body, x.ids, x.count, e);
}

static int expire_found_tasks(struct store *s, size_t max, struct error *e)
{
    return expire_found(s, ST_EXPIRED_TASKS, expire_tasks, max, e);
}

static int expire_found_exports(struct store *s, size_t max, struct error *e)
{
    return expire_found(s, ST_EXPIRED_EXPORTS, expire_exports, max, e);
}

int store_expire(struct store *s, size_t max, struct error *e)
{
    static int (*const kinds[])(struct store *, size_t, struct error *) = {expire_found_tasks, expire_found_exports,
                                                                          store_expire_uploads};
    int removed = 0, held = 0;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        int n = kinds[kind](s, max, e);
        if (n == ERR_DB_RETRY)
            held = n;
        else if (n < 0)
            return n;
        else
            removed += n;
    }
    return held ? held : removed;
}

struct forgetting {
    size_t max;
    int keys;
};

static int forget(struct store *s, void *ctx, struct error *e)
{
    struct forgetting *f = ctx;
    int64_t keys = STORE_RUN(s, ST_DROP_KEYS, NULL, e, db_uint(f->max));
    int64_t rc = keys < 0 ? keys : store_run(s, ST_PURGE_RUNNERS, 1, NULL, 0, NULL, e);
    f->keys = (int)keys;
    return rc < 0 ? (int)rc : 0;
}

int store_forget(struct store *s, size_t max, struct error *e)
{
    struct forgetting f = {max, 0};
    int rc = store_transaction_nowait(s, forget, &f, e);
    return rc ? rc : f.keys;
}

/* --- series of files --------------------------------------------------------------------------- */

struct series {
    const char *name;
    size_t keep;
    uint64_t *tasks; /* room for max */
    size_t max;
};

static int delete_older(struct store *s, void *ctx, struct error *e)
{
    const struct series *x = ctx;
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_LOCK_NEWEST, &r, e, db_text(x->name), db_uint(x->keep + x->max));
    size_t seen = 0, n = 0;
    while (rc >= 0 && n < x->max && (rc = db_next(r, e)) > 0)
        if (seen++ >= x->keep)
            x->tasks[n++] = db_col_uint(r, 0);
    if (rc < 0 || !n)
        return (int)rc;
    qsort(x->tasks, n, sizeof *x->tasks, compare_ids);
    rc = store_delete_rows(s, x->tasks, n, e);
    return rc < 0 ? (int)rc : (int)n;
}

int store_keep_newest(struct store *s, const char *series, size_t keep, size_t max, struct error *e)
{
    uint64_t tasks[GROUP_MAX];
    struct series x = {series, keep, tasks, max < GROUP_MAX ? max : GROUP_MAX};
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_NEWEST_OVER, &r, e, db_text(series), db_uint(keep));
    return rc <= 0 ? (int)rc : store_transaction_nowait(s, delete_older, &x, e);
}
