/* SPDX-License-Identifier: MIT */
/* backend.c: connections, combined lookups, and what happens when the database is away. */
#include "fcgi/backend.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fcgi/breaker.h"
#include "fcgi/store_pool.h"
#include "fcgi/watch.h"

/* Two seconds are promised. A round trip may take one of them, waiting for a connection the rest of
 * api.database_wait. What is slow is ended by the server before: so what is not answered tells that the database is
 * away. What has failed within QUICK may be tried again. */
enum {
    STORE_TIMEOUT_S = 1,
    STATEMENT_MSEC = 750, /* its answer must be here in time on a busy machine, too */
    WAIT_MIN_MSEC = 100,
    WAIT_MAX_MSEC = 900,
    QUICK_MSEC = 300,
    LOOKUPS_MAX = 64, /* in one statement: their data is in memory at the same time */
    STALE_MSEC = 1000, /* a connection idle for longer is tested before something is changed with it */
};

struct backend {
    struct db_address address;
    struct breaker breaker;
    struct lease lookup; /* used by the leader of lookups only */
    struct combiner *lookups;
    struct arena *lookup_arena;
    struct store_pool *pool;
    int64_t wait_ns;
};

static int64_t msec_ns(int64_t msec)
{
    return msec * 1000000;
}

static struct text copy_text(struct arena *arena, struct text t)
{
    return (struct text){t.p ? arena_strndup(arena, t.p, t.len) : NULL, t.len};
}

static const struct task_file *copy_files(struct arena *arena, const struct task *t)
{
    if (!t->file_count)
        return NULL;
    struct task_file *files = arena_alloc(arena, t->file_count * sizeof *files);
    memcpy(files, t->files, t->file_count * sizeof *files);
    return files;
}

/* The batch's arena lives only until the next one. */
static struct task task_copy(struct arena *arena, const struct task *t)
{
    struct task copy = *t;
    copy.type = copy_text(arena, t->type);
    copy.data = copy_text(arena, t->data);
    copy.worker = copy_text(arena, t->worker);
    copy.cancel_reason = copy_text(arena, t->cancel_reason);
    copy.progress = copy_text(arena, t->progress);
    copy.error = copy_text(arena, t->error);
    copy.result = copy_text(arena, t->result);
    copy.files = copy_files(arena, t);
    return copy;
}

/* A connection that the server has closed long ago must not cost a create its answer. */
static int test_stale(struct lease *lease, int64_t now, struct error *e)
{
    if (now - lease->used_ns < msec_ns(STALE_MSEC) || store_fd(lease->store) < 0)
        return 0;
    int result = store_ping(lease->store, e);
    if (result != 0 && clock_mono_ns() - now < msec_ns(QUICK_MSEC))
        return 0; /* closed: the call itself connects anew */
    return result;
}

/* Tells the breaker how the call went; DETAIL says what failed. */
static void note_result(struct backend *b, bool away, const struct error *detail)
{
    if (!breaker_leave(&b->breaker, !away))
        return;
    if (away && detail->code == ERR_DENIED)
        log_warning("the database refuses: %s: see taskctl doctor", detail->text);
    else
        log_warning("the database %s%s", away ? "is away: " : "answers again", away ? detail->text : "");
}

/* Runs CALL with a store that nobody else has, unless the database is known to be away. */
static int run_with(struct backend *b, struct lease *lease, enum backend_kind kind,
                    int (*call)(struct store *s, void *context, struct error *e), void *context,
                    struct error *e)
{
    watch_leave();
    if (!breaker_enter(&b->breaker))
        return error_set(e, ERR_DB_GONE, "the database did not answer a moment ago");
    struct error detail = {0};
    int64_t start = clock_mono_ns();
    bool waited = false;
    int result = kind != BACKEND_READ ? test_stale(lease, start, &detail) : 0;
    if (result == 0) {
        error_clear(&detail);
        bool connected = store_fd(lease->store) >= 0;
        int64_t called = clock_mono_ns();
        result = call(lease->store, context, &detail);
        waited = kind == BACKEND_CHANGE && connected && !store_ends_changes(lease->store) &&
                 clock_mono_ns() - called > msec_ns(QUICK_MSEC);
    }
    if (result == ERR_DB_GONE && kind == BACKEND_READ &&
        clock_mono_ns() - start < msec_ns(QUICK_MSEC)) {
        error_clear(&detail);
        result = call(lease->store, context, &detail);
    }
    lease->used_ns = clock_mono_ns();
    /* a table that is missing is not a task that is missing; a refused account is no database */
    if (result == ERR_NOT_FOUND && detail.db_errno)
        result = ERR_DB;
    if (result == ERR_DENIED && detail.db_errno)
        result = ERR_DB_GONE;
    if (result == ERR_DB_GONE && waited)
        breaker_abstain(&b->breaker);
    else
        note_result(b, result == ERR_DB_GONE, &detail);
    if (result < 0 && e)
        *e = detail;
    return result;
}

int backend_call(struct backend *b, enum backend_kind kind,
                 int (*call)(struct store *s, void *context, struct error *e), void *context,
                 struct error *e)
{
    watch_leave();
    struct lease *lease = store_pool_take(b->pool, b->wait_ns);
    if (!lease)
        return error_set(e, ERR_TIMEOUT, "no database connection became free in time");
    int result = run_with(b, lease, kind, call, context, e);
    store_pool_give(b->pool, lease);
    return result;
}

/* --- lookups by id ------------------------------------------------------------------------------- */

struct lookup_batch {
    uint64_t ids[LOOKUPS_MAX];
    size_t count;
    struct arena *arena;
    struct task *found;
};

static int lookup_call(struct store *s, void *context, struct error *e)
{
    struct lookup_batch *batch = context;
    return store_get_tasks(s, batch->ids, batch->count, batch->arena, batch->found, e);
}

static void run_lookups(void *context, struct combine_job *first, size_t count)
{
    struct backend *b = context;
    struct error e = {0};
    arena_reset(b->lookup_arena);
    struct lookup_batch *batch = arena_alloc(b->lookup_arena, sizeof *batch);
    batch->count = 0;
    batch->arena = b->lookup_arena;
    batch->found = arena_calloc(b->lookup_arena, count, sizeof *batch->found);
    for (struct combine_job *j = first; j; j = j->next)
        batch->ids[batch->count++] = ((struct lookup *)j)->id;

    int result = run_with(b, &b->lookup, BACKEND_READ, lookup_call, batch, &e);
    size_t i = 0;
    for (struct combine_job *j = first; j; j = j->next, i++) {
        struct lookup *l = (struct lookup *)j;
        l->result = result;
        if (result != 0)
            l->error = e;
        else if (batch->found[i].id == 0)
            l->result = error_set(&l->error, ERR_NOT_FOUND, "there is no such task");
        else
            l->task = task_copy(l->arena, &batch->found[i]);
    }
}

static void finish_lookup(struct combine_job *job)
{
    struct lookup *l = (struct lookup *)job;
    l->done(l);
}

void backend_look_up(struct backend *b, struct lookup *l)
{
    error_clear(&l->error);
    combine_later(b->lookups, &l->job, finish_lookup);
}

void backend_flush(struct backend *b)
{
    combine_flush(b->lookups);
}

/* --- the rest ------------------------------------------------------------------------------------ */

struct task_call_context {
    uint64_t id;
    struct arena *arena;
    struct task *out;
};

static int task_call(struct store *s, void *context, struct error *e)
{
    const struct task_call_context *c = context;
    int rc = store_get_tasks(s, &c->id, 1, c->arena, c->out, e);
    return rc == 0 && c->out->id == 0 ? error_set(e, ERR_NOT_FOUND, "there is no such task") : rc;
}

int backend_get_task(struct backend *b, uint64_t id, struct arena *arena, struct task *out,
                     struct error *e)
{
    struct task_call_context c = {id, arena, out};
    return backend_call(b, BACKEND_READ, task_call, &c, e);
}

struct export_call_context {
    uint64_t id;
    struct arena *arena;
    struct export_file *out;
};

static int export_call(struct store *s, void *context, struct error *e)
{
    const struct export_call_context *c = context;
    return store_get_export(s, c->id, c->arena, c->out, e);
}

int backend_get_export(struct backend *b, uint64_t id, struct arena *arena, struct export_file *out,
                       struct error *e)
{
    struct export_call_context c = {id, arena, out};
    return backend_call(b, BACKEND_READ, export_call, &c, e);
}

int backend_create(const struct settings *s, struct backend **out, struct error *e)
{
    struct backend *b = xcalloc(1, sizeof *b);
    int result = settings_queue_address(s, "api", &b->address, e);
    if (result != 0) {
        free(b);
        return result;
    }
    b->address.connect_timeout_usec = STORE_TIMEOUT_S * INT64_C(1000000);
    int64_t wait = s->api.database_wait_usec / 1000 - STORE_TIMEOUT_S * 1000;
    b->wait_ns = msec_ns(wait < WAIT_MIN_MSEC   ? WAIT_MIN_MSEC
                         : wait > WAIT_MAX_MSEC ? WAIT_MAX_MSEC
                                                : wait);
    breaker_init(&b->breaker);
    b->lookup.store = store_create(&b->address, STORE_API, STORE_TIMEOUT_S);
    store_set_statement_limit(b->lookup.store, STATEMENT_MSEC);
    b->lookup_arena = arena_create();
    b->lookups = combiner_create(LOOKUPS_MAX, run_lookups, NULL, b);
    b->pool = store_pool_create(&b->address, (size_t)s->api.database_connections, STORE_TIMEOUT_S, STATEMENT_MSEC);
    *out = b;
    return 0;
}

void backend_destroy(struct backend **b)
{
    if (!*b)
        return;
    combiner_destroy(&(*b)->lookups);
    store_destroy(&(*b)->lookup.store);
    store_pool_destroy(&(*b)->pool);
    arena_destroy(&(*b)->lookup_arena);
    breaker_destroy(&(*b)->breaker);
    free(*b);
    *b = NULL;
}
