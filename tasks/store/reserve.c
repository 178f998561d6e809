/* SPDX-License-Identifier: MIT */
/* reserve.c: limits on waiting tasks. Each user has a row, and the whole queue one (user 0), that says how many may
 * wait at the most; who submits adds what he is going to enter, and counts only where that is above the limit. */
#include <inttypes.h>
#include <stdlib.h>

#include "impl.h"
#include "store/submit.h"

struct reserving {
    struct reservation *all; /* by user, the whole queue's last */
    size_t count;
    const struct reservation *failed;
    int64_t *bounds; /* of each, as it stands in its row; -1: the row is not ours */
};

/* Takes the rows of N reservations from AT on, those that are there: BY says whether it waits for them. */
static int lock_rows(struct store *s, struct reserving *v, enum statement_id by, size_t at, size_t n, struct error *e)
{
    uint64_t users[GROUP_MAX];
    for (size_t end = at + n, size; at < end; at += size) {
        size = end - at < GROUP_MAX ? end - at : GROUP_MAX;
        for (size_t i = 0; i < size; i++)
            users[i] = (uint64_t)v->all[at + i].user;
        struct db_stmt *r;
        int64_t rc = store_run_group(s, by, users, size, &r, e);
        while (rc >= 0 && (rc = db_next(r, e)) > 0)
            for (size_t i = 0; i < size; i++)
                if (v->all[at + i].user == db_col_int(r, 0))
                    v->bounds[at + i] = db_col_int(r, 1);
        if (rc < 0)
            return (int)rc;
    }
    return 0;
}

/* Makes the rows that are not there. */
static int open_rows(struct store *s, struct reserving *v, size_t at, size_t n, struct error *e)
{
    uint64_t *users = xcalloc(n + 1, sizeof *users);
    size_t count = 0;
    for (size_t i = at; i < at + n; i++)
        if (v->bounds[i] < 0)
            users[count++] = (uint64_t)v->all[i].user;
    int64_t rc = store_run_ids(s, ST_QUOTA_OPEN, NULL, 0, users, count, e);
    if (rc >= 0 && count)
        rc = lock_rows(s, v, ST_QUOTA_LOCK, at, n, e);
    free(users);
    return rc < 0 ? (int)rc : 0;
}

/* Which of the rows has probably been waited for in vain; NULL where all are free now. */
static const struct reservation *find_held(struct store *s, struct reserving *v, size_t at, size_t n)
{
    uint64_t *users = xcalloc(n + 1, sizeof *users);
    bool *there = xcalloc(n + 1, sizeof *there);
    const struct reservation *held = NULL, *hidden = NULL; /* perhaps made, and not committed */
    struct error e = {0};
    for (size_t i = 0; i < n; i++)
        users[i] = (uint64_t)v->all[at + i].user;
    if (store_mark_ids(s, ST_QUOTA_THERE, users, n, there, &e) == 0 &&
        lock_rows(s, v, ST_QUOTA_LOCK_FREE, at, n, &e) == 0)
        for (size_t i = n; i-- > 0;)
            if (v->bounds[at + i] < 0)
                *(there[i] ? &held : &hidden) = &v->all[at + i];
    free(users);
    free(there);
    return held ? held : hidden;
}

/* Runs a statement whose result is one number. */
static int64_t number(struct db_stmt *r, int64_t rc, struct error *e)
{
    if (rc >= 0)
        rc = db_next(r, e);
    return rc < 0 ? rc : rc > 0 ? db_col_int(r, 0) : 0;
}

static int64_t count_waiting(struct store *s, int64_t user, int64_t most, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = user ? STORE_RUN(s, ST_COUNT_WAITING_OF, &r, e, db_int(user), db_int(most))
                      : STORE_RUN(s, ST_COUNT_WAITING, &r, e, db_int(most));
    return number(r, rc, e);
}

/* BOUND tasks may wait for him so far; gets what may with V, too. */
static int make_room(struct store *s, struct reservation *v, int64_t *bound, struct error *e)
{
    int64_t waiting = *bound;
    if (waiting + v->wanted + v->ahead > v->limit)
        waiting = count_waiting(s, v->user, v->limit, e);
    if (waiting < 0)
        return (int)waiting;
    if (waiting + v->wanted > v->limit)
        return error_set(e, ERR_LIMIT, "%" PRId64 " tasks wait already, %" PRId64 " may", waiting, v->limit);
    v->spare = waiting + v->wanted + v->ahead > v->limit ? 0 : v->ahead;
    *bound = waiting + v->wanted + v->spare;
    return 0;
}

/* Everybody takes rows in this order, and so nobody waits for somebody who waits for him (but where rows are made for
 * the same new users at the same moment). */
static int reserve_some(struct store *s, struct reserving *v, size_t at, size_t n, struct error *e)
{
    int rc = lock_rows(s, v, ST_QUOTA_LOCK, at, n, e);
    if (!rc)
        rc = open_rows(s, v, at, n, e);
    if (rc == ERR_TIMEOUT)
        v->failed = find_held(s, v, at, n);
    for (size_t i = at; i < at + n && !rc; i++) {
        rc = make_room(s, &v->all[i], &v->bounds[i], e);
        if (rc)
            v->failed = &v->all[i];
    }
    return rc;
}

static int write_bounds(struct store *s, const struct reserving *v, struct error *e)
{
    struct db_value params[GROUP_MAX * 2];
    for (size_t at = 0; at < v->count; at += GROUP_MAX) {
        size_t n = v->count - at < GROUP_MAX ? v->count - at : GROUP_MAX, group = store_group_for(n);
        for (size_t i = 0; i < group; i++) { /* the last one fills the group up */
            size_t one = at + (i < n ? i : n - 1);
            params[i * 2] = db_int(v->all[one].user);
            params[i * 2 + 1] = db_int(v->bounds[one]);
        }
        int64_t rc = store_run(s, ST_QUOTA_SET, group, params, (unsigned)(group * 2), NULL, e);
        if (rc < 0)
            return (int)rc;
    }
    return 0;
}

/* The row of all last: who waits for the row of a user must not keep everybody waiting. */
static int reserve(struct store *s, void *ctx, struct error *e)
{
    struct reserving *v = ctx;
    size_t users = v->count - (v->all[v->count - 1].user == 0);
    v->failed = NULL;
    for (size_t i = 0; i < v->count; i++)
        v->bounds[i] = -1;
    int rc = reserve_some(s, v, 0, users, e);
    if (!rc)
        rc = reserve_some(s, v, users, v->count - users, e);
    return rc ? rc : write_bounds(s, v, e);
}

int store_reserve(struct store *s, struct reservation *all, size_t count, const struct reservation **failed,
                  struct error *e)
{
    struct reserving v = {.all = all, .count = count, .bounds = xcalloc(count + 1, sizeof *v.bounds)};
    int rc = count ? store_transaction(s, reserve, &v, NULL, e) : 0;
    *failed = v.failed;
    free(v.bounds);
    return rc;
}

struct recount {
    int64_t user, limit, spare;
    bool kept;
};

static int recount(struct store *s, void *ctx, struct error *e)
{
    struct recount *v = ctx;
    struct reservation one = {.user = v->user};
    int64_t bound = -1;
    struct reserving row = {.all = &one, .count = 1, .bounds = &bound};
    v->kept = true;
    int rc = lock_rows(s, &row, ST_QUOTA_LOCK_FREE, 0, 1, e);
    if (rc || bound < 0)
        return rc;
    int64_t old = bound, waiting = count_waiting(s, v->user, v->limit, e);
    if (waiting < 0)
        return (int)waiting;
    v->kept = waiting + v->spare <= v->limit;
    bound = waiting + (v->kept ? v->spare : 0);
    return bound == old ? 0 : write_bounds(s, &row, e);
}

int store_recount(struct store *s, int64_t user, int64_t limit, int64_t spare, bool *kept, struct error *e)
{
    struct recount v = {.user = user, .limit = limit, .spare = spare};
    int rc = store_transaction(s, recount, &v, NULL, e);
    *kept = v.kept;
    return rc;
}
