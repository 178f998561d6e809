/* SPDX-License-Identifier: MIT */
/* store.c: the connection with its prepared statements, and transactions that are repeated when the
 * server asks for it. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "impl.h"
#include "store/migrate.h"

enum {
    TRANSACTION_TRIES = 8,
    RUNNER_SILENCE = 3, /* time-outs: a lease, rounded up to whole seconds */
    API_SILENCE_S = 60, /* its connections rest for longer, and are opened anew */
};

void store_library_init(void)
{
    db_library_init();
}

struct store *store_create(const struct db_address *address, enum store_role role, int timeout_s)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->address = address;
    s->role = role;
    s->timeout_s = timeout_s;
    return s;
}

void store_disconnect(struct store *s)
{
    memset(s->stmts, 0, sizeof s->stmts); /* db_close frees them */
    db_close(&s->db);
    s->depth = 0;
}

void store_set_timeout(struct store *s, int timeout_s)
{
    store_disconnect(s);
    s->timeout_s = timeout_s;
}

void store_set_statement_limit(struct store *s, int64_t msec)
{
    s->statement_msec = msec;
}

bool store_ends_changes(const struct store *s)
{
    return s->ends_changes;
}

void store_destroy(struct store **sp)
{
    if (!*sp)
        return;
    store_disconnect(*sp);
    free((*sp)->seen);
    free(*sp);
    *sp = NULL;
}

int store_fd(const struct store *s)
{
    return s->db ? db_fd(s->db) : -1;
}

int store_connect(struct store *s, struct error *e)
{
    if (s->db && db_usable(s->db))
        return 0;
    if (s->depth) /* a transaction cannot go on over another connection */
        return error_set(e, ERR_DB_GONE, "the connection to the database is lost");
    store_disconnect(s);
    struct db_options options = {
        .session = DB_SESSION_QUEUE,
        .timeout_s = s->timeout_s,
        .silence_s = s->role == STORE_RUNNER ? RUNNER_SILENCE * s->timeout_s : API_SILENCE_S,
        .statement_msec = s->statement_msec,
    };
    int rc = db_open(s->address, &options, &s->db, e);
    if (!rc)
        s->ends_changes = s->statement_msec && db_is_mariadb(s->db);
    if (rc)
        store_disconnect(s);
    return rc;
}

size_t store_group_for(size_t n)
{
    size_t size = 1;
    while (size < n && size < GROUP_MAX)
        size *= 2;
    return size;
}

size_t store_group_filled(size_t n)
{
    if (n <= GROUP_ANY)
        return n;
    size_t size = GROUP_ANY;
    while (size * 2 <= n && size < GROUP_MAX)
        size *= 2;
    return size;
}

/* Writes the group between OPEN and CLOSE, the braces, COUNT times. */
static void expand_group(struct buf *out, const char *open, const char *close, size_t count)
{
    const char *text = open + 1, *bar = memchr(text, '|', (size_t)(close - text));
    const char *end = bar ? bar : close;
    for (size_t i = 0; i < count; i++) {
        if (i && bar)
            buf_add(out, bar + 1, (size_t)(close - bar) - 1);
        else if (i)
            buf_adds(out, ", ");
        buf_add(out, text, (size_t)(end - text));
    }
}

/* The statement's text with each {group} written COUNT times. */
static void expand(struct buf *out, const char *sql, size_t count)
{
    const char *open, *close;
    while ((open = strchr(sql, '{')) && (close = strchr(open, '}'))) {
        buf_add(out, sql, (size_t)(open - sql));
        expand_group(out, open, close, count);
        sql = close + 1;
    }
    buf_adds(out, sql);
}

void store_statement_text(struct buf *out, enum statement_id id, size_t count)
{
    expand(out, statements[id].sql, count);
}

/* Which of a statement's sizes COUNT is; GROUP_SIZES: none. */
static unsigned size_number(size_t count)
{
    unsigned number = count < GROUP_ANY ? (unsigned)count - 1 : GROUP_ANY - 1;
    for (size_t size = GROUP_ANY; size < count; size *= 2)
        number++;
    return count && store_group_filled(count) == count ? number : GROUP_SIZES;
}

static int prepare(struct store *s, enum statement_id id, size_t count, struct db_stmt **out,
                   struct error *e)
{
    unsigned size = size_number(count);
    if (size >= GROUP_SIZES)
        log_bug("statement %s: group of %zu", statements[id].name, count);
    if (!(statements[id].roles & s->role))
        log_bug("statement %s is not one of this role", statements[id].name);
    if (!s->stmts[id][size]) {
        struct buf sql = BUF_INIT;
        store_statement_text(&sql, id, count);
        int rc = db_prepare(s->db, buf_str(&sql), &s->stmts[id][size], e);
        buf_free(&sql);
        if (rc) {
            error_prefix(e, "%s", statements[id].name);
            return rc;
        }
    }
    *out = s->stmts[id][size];
    return 0;
}

int64_t store_run(struct store *s, enum statement_id id, size_t count,
                  const struct db_value *params, unsigned param_count, struct db_stmt **out,
                  struct error *e)
{
    struct db_stmt *stmt = NULL;
    int rc = store_connect(s, e);
    if (!rc)
        rc = prepare(s, id, count, &stmt, e);
    if (rc)
        return rc;
    int64_t n = db_run(stmt, params, param_count, e);
    if (n < 0)
        error_prefix(e, "%s", statements[id].name);
    if (out)
        *out = stmt;
    return n;
}

/* Appends COUNT ids to PARAMS, the last one as often as the group has room. Returns the group's size. */
static size_t add_ids(struct db_value *params, const uint64_t *ids, size_t count)
{
    size_t group = store_group_for(count);
    for (size_t i = 0; i < group; i++)
        params[i] = db_uint(ids[i < count ? i : count - 1]);
    return group;
}

int64_t store_run_group(struct store *s, enum statement_id id, const uint64_t *ids, size_t count,
                        struct db_stmt **out, struct error *e)
{
    struct db_value params[GROUP_MAX];
    size_t group = add_ids(params, ids, count);
    return store_run(s, id, group, params, (unsigned)group, out, e);
}

int64_t store_run_ids(struct store *s, enum statement_id id, const struct db_value *prefix,
                      unsigned prefix_count, const uint64_t *ids, size_t count, struct error *e)
{
    struct db_value *params = xcalloc(prefix_count + GROUP_MAX, sizeof *params);
    if (prefix_count)
        memcpy(params, prefix, prefix_count * sizeof *params);
    int64_t sum = 0;
    while (count) {
        size_t n = count < GROUP_MAX ? count : GROUP_MAX, group = add_ids(params + prefix_count, ids, n);
        int64_t changed = store_run(s, id, group, params, prefix_count + (unsigned)group, NULL, e);
        if (changed < 0) {
            sum = changed;
            break;
        }
        sum += changed;
        ids += n;
        count -= n;
    }
    free(params);
    return sum;
}

int store_choose_ids(struct store *s, enum statement_id id, const uint64_t *ids, size_t count, uint64_t *out,
                     struct error *e)
{
    struct db_stmt *r;
    size_t n = 0;
    int64_t rc = count ? store_run_group(s, id, ids, count, &r, e) : 0;
    while (rc >= 0 && n < count && (rc = db_next(r, e)) > 0)
        out[n++] = db_col_uint(r, 0);
    return rc < 0 ? (int)rc : (int)n;
}

int store_mark_ids(struct store *s, enum statement_id id, const uint64_t *ids, size_t count, bool *marked,
                   struct error *e)
{
    uint64_t chosen[GROUP_MAX];
    int n = 0;
    memset(marked, 0, count * sizeof *marked);
    for (size_t at = 0; at < count && n >= 0; at += GROUP_MAX) {
        size_t end = at + GROUP_MAX < count ? at + GROUP_MAX : count;
        n = store_choose_ids(s, id, ids + at, end - at, chosen, e);
        for (int k = 0; k < n; k++)
            for (size_t i = at; i < end; i++)
                marked[i] |= ids[i] == chosen[k];
    }
    return n < 0 ? n : 0;
}

int store_ping(struct store *s, struct error *e)
{
    int rc = store_connect(s, e);
    return rc ? rc : db_ping(s->db, e);
}

int store_check_schema(struct store *s, struct error *e)
{
    struct db_stmt *stmt;
    int64_t rc = store_run(s, ST_SCHEMA, 1, NULL, 0, &stmt, e);
    if (rc >= 0)
        rc = db_next(stmt, e);
    if (rc == ERR_NOT_FOUND && e->db_errno == ERRNO_NO_TABLE)
        return error_set(e, ERR_CONFLICT, "the database has no tables of Backdesk: run taskctl migrate");
    if (rc < 0)
        return (int)rc;
    uint64_t version = db_col_uint(stmt, 0);
    if (version == STORE_SCHEMA_VERSION)
        return 0;
    return error_set(e, ERR_CONFLICT,
                     "the schema has version %llu, this program needs %d: %s",
                     (unsigned long long)version, STORE_SCHEMA_VERSION,
                     version < STORE_SCHEMA_VERSION ? "run taskctl migrate"
                                                    : "install the newer program");
}

int store_check(struct store *s, struct error *e)
{
    int rc = store_check_schema(s, e);
    struct db_stmt *ignored;
    for (int id = 0; !rc && id < ST_COUNT; id++)
        if (statements[id].roles & s->role)
            rc = prepare(s, (enum statement_id)id, 1, &ignored, e);
    return rc;
}

/* What is tried until the server takes it. */
struct attempt {
    int (*body)(struct store *, void *, struct error *);
    void *ctx;
    bool *unknown; /* out: the commit may have been made */
    bool once;     /* a lock that was waited for in vain is not waited for again */
};

/* 1 to 32 ms, more with each try, so that two who collided do not collide again. */
static void pause_before_retry(int attempt)
{
    uint64_t most = 2000000ull << (attempt < 4 ? attempt : 4);
    struct timespec pause = {0, (long)(1000000 + random_below(most))};
    nanosleep(&pause, NULL);
}

static int try_transaction(struct store *s, const struct attempt *a, struct error *e)
{
    int rc = store_connect(s, e);
    if (!rc)
        rc = db_begin(s->db, e);
    if (rc)
        return rc;
    s->depth = 1;
    rc = a->body(s, a->ctx, e);
    if (rc >= 0) {
        int committed = db_commit(s->db, e);
        if (committed) {
            rc = committed;
            *a->unknown = rc == ERR_DB_GONE || rc == ERR_TIMEOUT;
        }
    }
    s->depth = 0;
    if (rc < 0)
        db_rollback(s->db);
    return rc;
}

/* The server rolls a statement that fails back by itself. */
static int try_change(struct store *s, const struct attempt *a, struct error *e)
{
    int rc = store_connect(s, e);
    if (rc)
        return rc;
    s->depth = 1; /* the statements go over one connection here, too */
    rc = a->body(s, a->ctx, e);
    s->depth = 0;
    return rc;
}

/* Makes TRY anew where the server asks for it. */
static int repeat(struct store *s, int (*try)(struct store *, const struct attempt *, struct error *),
                  const struct attempt *a, struct error *e)
{
    int rc = 0;
    int64_t start = clock_mono_ns(), most_ns = s->timeout_s * INT64_C(1000000000);
    for (int attempt = 0; attempt < TRANSACTION_TRIES; attempt++) {
        if (attempt && most_ns && clock_mono_ns() - start > most_ns)
            break;
        if (attempt)
            pause_before_retry(attempt);
        error_clear(e);
        rc = try(s, a, e);
        if (rc != ERR_DB_RETRY || (a->once && e->db_errno == ERRNO_LOCK_WAIT))
            break;
    }
    return rc;
}

static int transaction(struct store *s, const struct attempt *a, struct error *e)
{
    *a->unknown = false;
    return s->depth ? a->body(s, a->ctx, e) : repeat(s, try_transaction, a, e);
}

int store_transaction(struct store *s, int (*body)(struct store *, void *, struct error *),
                      void *ctx, bool *unknown, struct error *e)
{
    bool nowhere;
    const struct attempt a = {body, ctx, unknown ? unknown : &nowhere, false};
    return transaction(s, &a, e);
}

int store_try_transaction(struct store *s, int (*body)(struct store *, void *, struct error *), void *ctx,
                          bool *unknown, struct error *e)
{
    const struct attempt a = {body, ctx, unknown, true};
    return transaction(s, &a, e);
}

static int64_t set_lock_wait(struct store *s, int64_t seconds, struct error *e)
{
    const struct db_value value = db_int(seconds);
    return store_run(s, ST_LOCK_WAIT, 1, &value, 1, NULL, e);
}

int store_transaction_nowait(struct store *s, int (*body)(struct store *, void *, struct error *), void *ctx,
                             struct error *e)
{
    bool unknown;
    struct error ignored = {0};
    int rc = store_connect(s, e);
    int64_t set = rc ? rc : set_lock_wait(s, db_is_mariadb(s->db) ? 0 : 1, e);
    if (set < 0)
        return (int)set;
    rc = store_try_transaction(s, body, ctx, &unknown, e);
    if (set_lock_wait(s, DB_LOCK_WAIT_S, &ignored) < 0) /* a new connection waits as it should */
        store_disconnect(s);
    return rc;
}

int store_change_once(struct store *s, int (*body)(struct store *, void *, struct error *), void *ctx,
                      struct error *e)
{
    const struct attempt a = {body, ctx, NULL, false};
    return s->depth ? body(s, ctx, e) : repeat(s, try_change, &a, e);
}

struct text store_text(struct db_stmt *stmt, unsigned col, struct arena *arena)
{
    struct text t = {NULL, 0};
    const char *p = db_col_text(stmt, col, &t.len);
    if (p)
        t.p = arena_strndup(arena, p, t.len);
    return t;
}
