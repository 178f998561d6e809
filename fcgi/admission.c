/* SPDX-License-Identifier: MIT */
/* admission.c: sums up per user, reserves in chunks. */
#include "fcgi/admission.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"

/* A process reserves at most a fiftieth of a limit ahead: so far may a large limit be missed. */
enum { CHUNK_PART = 50, CHUNK_USER_MAX = 100, CHUNK_TOTAL_MAX = 1000 };

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

int admission_begin(struct admission *a, struct quota *q, const struct queue_settings *limits,
                    const struct new_task *tasks, size_t count, struct arena *arena, struct error *e)
{
    *a = (struct admission){.quota = q, .begun_ns = clock_mono_ns()};
    a->parts = arena_calloc(arena, count + 1, sizeof *a->parts);
    if (limits->waiting_per_user)
        a->count = sum_up(a->parts, tasks, count, limits->waiting_per_user);
    if (limits->waiting_total)
        a->parts[a->count++] =
            (struct admission_part){.limit = limits->waiting_total, .wanted = (int64_t)count};
    for (size_t i = 0; i < a->count; i++) {
        struct admission_part *p = &a->parts[i];
        p->count = quota_count_due(q, p->user, a->begun_ns);
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
    int64_t most = p->user ? CHUNK_USER_MAX : CHUNK_TOTAL_MAX, part = p->limit / CHUNK_PART;
    return part < most ? part : most;
}

static int reserve_part(struct admission_part *p, struct quota *q, struct store *s, struct error *e)
{
    int64_t missing = p->wanted - p->taken, began = clock_mono_ns();
    if (!missing)
        return 0;
    if (quota_held(q, p->user, began))
        return error_set(e, ERR_TIMEOUT, "the row of user %lld was held a moment ago", (long long)p->user);
    p->ahead = chunk(p) > missing ? chunk(p) - missing : 0;
    int rc = store_reserve(s, p->user, p->limit, missing + p->ahead, p->count, e);
    if (rc == ERR_LIMIT && p->ahead) {
        error_clear(e);
        p->ahead = 0;
        rc = store_reserve(s, p->user, p->limit, missing, p->count, e);
    }
    int64_t now = clock_mono_ns();
    if (p->count)
        quota_counted(q, now, now - began);
    if (rc == ERR_TIMEOUT && p->user) /* who waits for the row of all is nobody's fault */
        quota_hold(q, p->user, now + remember_max_ns);
    return rc;
}

bool admission_is_complete(const struct admission *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->parts[i].taken < a->parts[i].wanted)
            return false;
    return true;
}

int admission_reserve(struct admission *a, struct store *s, struct error *e)
{
    if (a->remembered)
        return error_set(e, ERR_LIMIT, "too many tasks waited a moment ago");
    a->refused = NULL;
    for (size_t i = 0; i < a->count; i++) {
        int rc = reserve_part(&a->parts[i], a->quota, s, e);
        if (rc == ERR_LIMIT)
            a->refused = &a->parts[i];
        if (rc != 0)
            return rc;
    }
    a->reserved = true;
    return 0;
}

void admission_end(struct admission *a, bool created)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct admission_part *p = &a->parts[i];
        if (created)
            quota_put(a->quota, p->user, a->reserved ? p->ahead : 0);
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
