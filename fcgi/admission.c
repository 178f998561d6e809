/* SPDX-License-Identifier: MIT */
/* admission.c: sums up per user, reserves in chunks. */
#include "fcgi/admission.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "fcgi/backend.h"

/* A process reserves at most a fiftieth of a limit ahead: so far may a large limit be missed. */
enum { CHUNK_PART = 50, CHUNK_MAX = 1000 };

/* A refusal costs the database a count. It is remembered for so many times as long as it took, so that
 * those who are refused cannot load the database, and those who make room do not wait. */
enum { REMEMBER_TIMES = 20 };
static const int64_t remember_max_ns = INT64_C(1000000000);

static int by_user(const void *a, const void *b)
{
    int64_t x = ((const struct admission_part *)a)->user, y = ((const struct admission_part *)b)->user;
    return x < y ? -1 : x > y;
}

/* One part per user, with how many tasks are his; returns how many parts. */
static size_t sum_up(struct admission_part *parts, const struct new_task *tasks, size_t count, int64_t limit)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct admission_part){.user = tasks[i].created_by, .limit = limit, .wanted = 1};
    qsort(parts, count, sizeof *parts, by_user);
    for (size_t i = 0; i < count; i++)
        if (n && parts[n - 1].user == parts[i].user)
            parts[n - 1].wanted++;
        else
            parts[n++] = parts[i];
    return n;
}

/* Of several whose count is due any may be the one. */
static void choose_recount(struct admission *a, struct quota *q)
{
    size_t first = a->count ? (size_t)a->begun_ns % a->count : 0;
    for (size_t i = 0; i < a->count && !a->recount.limit; i++) {
        const struct admission_part *p = &a->parts[(first + i) % a->count];
        if (quota_count_due(q, p->user, a->begun_ns))
            a->recount = (struct recount_due){p->user, p->limit};
    }
}

int admission_begin(struct admission *a, struct quota *q, const struct queue_settings *limits,
                    const struct new_task *tasks, size_t count, struct arena *arena, struct error *e)
{
    *a = (struct admission){.quota = q, .begun_ns = clock_mono_ns()};
    a->parts = arena_calloc(arena, count + 1, sizeof *a->parts);
    a->missing = arena_calloc(arena, count + 1, sizeof *a->missing);
    if (limits->waiting_per_user)
        a->count = sum_up(a->parts, tasks, count, limits->waiting_per_user);
    if (limits->waiting_total)
        a->parts[a->count++] =
            (struct admission_part){.limit = limits->waiting_total, .wanted = (int64_t)count};
    choose_recount(a, q);
    for (size_t i = 0; i < a->count; i++) {
        struct admission_part *p = &a->parts[i];
        p->taken = quota_take(q, p->user, p->wanted);
        if (p->taken < p->wanted && !a->refused &&
            quota_refused(q, p->user, p->wanted - p->taken, a->begun_ns))
            a->refused = p;
    }
    a->remembered = a->refused != NULL;
    return a->refused ? error_set(e, ERR_LIMIT, "too many tasks waited a moment ago") : 0;
}

static int64_t chunk(const struct admission_part *p)
{
    int64_t part = p->limit / CHUNK_PART;
    return part < CHUNK_MAX ? part : CHUNK_MAX;
}

static bool is_missing(const struct admission_part *p)
{
    return p->taken < p->wanted;
}

/* What the parts that memory has no room for are to reserve; returns how many. */
static size_t list_missing(struct admission *a)
{
    size_t n = 0;
    for (const struct admission_part *p = a->parts; p < a->parts + a->count; p++) {
        int64_t wanted = p->wanted - p->taken;
        if (!is_missing(p))
            continue;
        a->missing[n++] = (struct reservation){
            .user = p->user,
            .limit = p->limit,
            .wanted = wanted,
            .ahead = chunk(p) > wanted ? chunk(p) - wanted : 0,
        };
    }
    return n;
}

bool admission_is_complete(const struct admission *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (is_missing(&a->parts[i]))
            return false;
    return true;
}

int admission_reserve(struct admission *a, struct store *s, struct error *e)
{
    if (a->remembered)
        return error_set(e, ERR_LIMIT, "too many tasks waited a moment ago");
    a->refused = NULL;
    size_t count = list_missing(a);
    int64_t now = clock_mono_ns();
    for (size_t i = 0; i < count; i++)
        if (quota_held(a->quota, a->missing[i].user, now))
            return error_set(e, ERR_TIMEOUT, "the row of user %lld was held a moment ago",
                             (long long)a->missing[i].user);
    const struct reservation *failed;
    int rc = store_reserve(s, a->missing, count, &failed, e);
    if (rc == ERR_TIMEOUT && failed && failed->user) /* who waits for the row of all is nobody's fault */
        quota_hold(a->quota, failed->user, clock_mono_ns() + remember_max_ns);
    const struct reservation *r = a->missing;
    for (struct admission_part *p = a->parts; p < a->parts + a->count; p++) {
        if (!is_missing(p))
            continue;
        if (rc == ERR_LIMIT && r == failed)
            a->refused = p;
        p->spare = r++->spare;
    }
    a->reserved = rc == 0;
    return rc;
}

void admission_end(struct admission *a, bool created)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct admission_part *p = &a->parts[i];
        if (created)
            quota_put(a->quota, p->user, a->reserved ? p->spare : 0);
        else
            quota_put(a->quota, p->user, p->taken);
    }
    if (created || !a->refused || a->remembered)
        return;
    int64_t now = clock_mono_ns(), keep = (now - a->begun_ns) * REMEMBER_TIMES;
    quota_refuse(a->quota, a->refused->user, a->refused->wanted - a->refused->taken,
                 now + (keep < remember_max_ns ? keep : remember_max_ns));
}

bool admission_queue_full(const struct admission *a)
{
    return a->refused && a->refused->user == 0;
}

struct recount {
    struct recount_due due;
    int64_t spare;
    bool kept;
};

static int recount_call(struct store *s, void *ctx, struct error *e)
{
    struct recount *r = ctx;
    return store_recount(s, r->due.user, r->due.limit, r->spare, &r->kept, e);
}

void admission_recount(struct recount_due d, struct quota *q, struct backend *b)
{
    if (!d.limit)
        return;
    struct error e = {0};
    struct recount r = {d, .spare = quota_take(q, d.user, INT64_MAX)};
    int64_t began = clock_mono_ns();
    int rc = backend_call(b, BACKEND_CHANGE, recount_call, &r, &e);
    int64_t now = clock_mono_ns();
    quota_counted(q, now, now - began);
    if (rc || r.kept) /* what failed is tried again in a second */
        quota_put(q, d.user, r.spare);
}
