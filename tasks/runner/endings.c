/* SPDX-License-Identifier: MIT */
/* endings.c: writes how tasks ended, many plain successes by one statement, and keeps what the database refuses, or
 * another session holds, from holding up the others. */
#include "endings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* When an ending that failed is tried again: the pause doubles. One whose row is held is looked at again and again,
 * since that costs little. */
static const int64_t retry_ns = 1000000000, retry_most_ns = 8000000000;

static int write_alone(struct endings *n, struct store *s, size_t i, struct error *e)
{
    n->failing = i;
    n->failing_count = 1;
    int rc = store_finish(s, &n->claims[i]->finish, e);
    n->known[i] = rc > 0;
    n->lost[i] = rc == ERR_FENCED;
    if (n->lost[i])
        error_clear(e);
    return n->known[i] || n->lost[i] ? 0 : rc;
}

static int compare_plain(const void *a, const void *b)
{
    const struct finish *x = &(*(struct run_claim *const *)a)->finish;
    const struct finish *y = &(*(struct run_claim *const *)b)->finish;
    if (x->keep_usec != y->keep_usec)
        return x->keep_usec < y->keep_usec ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Writes the COUNT endings from AT on, which are plain and share their retention, by one statement. */
static int write_together(struct endings *n, struct store *s, size_t at, size_t count, struct error *e)
{
    const struct finish *ends[FINISH_GROUP_MAX];
    n->failing = at;
    n->failing_count = count;
    for (size_t i = 0; i < count; i++)
        ends[i] = &n->claims[at + i]->finish;
    memset(n->known + at, 0, count * sizeof *n->known);
    return store_finish_plain(s, ends, count, n->lost + at, e);
}

/* Puts those whose rows other sessions hold behind the rest. */
static int leave_out_held(struct endings *n, struct store *s, struct error *e)
{
    uint64_t ids[ENDINGS_MAX];
    bool held[ENDINGS_MAX];
    struct run_claim *out[ENDINGS_MAX];
    size_t plain = 0, stay = 0, out_count = 0;
    for (size_t i = 0; i < n->count; i++)
        ids[i] = n->claims[i]->task.id;
    int rc = store_lock_tasks(s, ids, n->count, held, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < n->count; i++) {
        plain += i < n->plain_count && !held[i];
        if (held[i])
            out[out_count++] = n->claims[i];
        else
            n->claims[stay++] = n->claims[i];
    }
    memcpy(n->claims + stay, out, out_count * sizeof *out);
    n->plain_count = plain;
    n->written_count = stay;
    return 0;
}

/* Plain successes stand first (endings_take): they are most of what there is where tasks are short. */
int endings_write(struct endings *n, struct store *s, struct error *e)
{
    size_t i = 0, group;
    n->failing_count = 0;
    n->written_count = n->count;
    int rc = n->careful ? leave_out_held(n, s, e) : 0;
    for (; i < n->plain_count && !rc; i += group) {
        int64_t keep_usec = n->claims[i]->finish.keep_usec;
        for (group = 1; i + group < n->plain_count && group < FINISH_GROUP_MAX; group++)
            if (n->claims[i + group]->finish.keep_usec != keep_usec)
                break;
        rc = write_together(n, s, i, group, e);
    }
    for (; i < n->written_count && !rc; i++)
        rc = write_alone(n, s, i, e);
    if (!rc)
        n->failing_count = 0;
    return rc;
}

/* What has ended, by type and outcome, for the counters. */
struct tally {
    const char *type, *outcome;
    uint64_t count;
};

static int compare_tallies(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    int types = strcmp(x->type, y->type);
    return types ? types : strcmp(x->outcome, y->outcome);
}

int endings_count(const struct endings *n, struct store *s, unsigned slot, struct arena *arena, struct error *e)
{
    struct tally *tallies = arena_alloc(arena, n->written_count * sizeof *tallies);
    size_t count = 0;
    for (size_t i = 0; i < n->written_count; i++) {
        struct tally one = {n->claims[i]->task.type, finish_outcome(&n->claims[i]->finish), 1};
        size_t at = 0;
        while (at < count && compare_tallies(&tallies[at], &one) != 0)
            at++;
        if (n->lost[i] || n->known[i] || n->claims[i]->finish.kind == FINISH_HAND_BACK)
            continue;
        if (at < count)
            tallies[at].count++;
        else
            tallies[count++] = one;
    }
    qsort(tallies, count, sizeof *tallies, compare_tallies); /* every runner locks in one order */
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++)
        rc = store_count_endings(s, slot, tallies[i].type, tallies[i].outcome, tallies[i].count, e);
    return rc;
}

void endings_take(struct endings *n, struct claim_list *ended)
{
    n->count = n->plain_count = n->failing_count = 0;
    while (ended->count && n->count < ENDINGS_MAX)
        n->claims[n->count++] = claim_list_pop(ended);
    for (size_t i = 0; i < n->count; i++)
        if (finish_is_plain(&n->claims[i]->finish) && !n->claims[i]->unsure) {
            struct run_claim *c = n->claims[i];
            n->claims[i] = n->claims[n->plain_count];
            n->claims[n->plain_count++] = c;
        }
    qsort(n->claims, n->plain_count, sizeof *n->claims, compare_plain);
}

void endings_take_apart(struct endings *n, struct claim_list *apart, int64_t now_ns)
{
    n->count = n->plain_count = n->failing_count = 0;
    for (size_t left = apart->count; left; left--) {
        struct run_claim *c = claim_list_pop(apart);
        if (n->count < ENDINGS_MAX && c->retry_at_ns <= now_ns)
            n->claims[n->count++] = c;
        else
            claim_list_push(apart, c);
    }
}

/* Another file of a series is there: an older one may go. */
static bool adds_to_series(const struct finish *f)
{
    for (size_t i = 0; i < f->file_count; i++)
        if (f->files[i].series)
            return true;
    return false;
}

static void settle(struct dispatcher *d, struct run_claim *c, bool lost)
{
    if (lost) {
        log_warning("task %llu: the claim was lost before its end was written: discarded",
                    (unsigned long long)c->task.id);
        remove_files(d, c, true); /* whoever has it now may have ended it: sweep_checkpoints sees */
    } else if (c->finish.kind != FINISH_SUCCESS) {
        claim_log_end(c);
        remove_files(d, c, c->finish.kind == FINISH_RETRY || c->finish.kind == FINISH_HAND_BACK);
        if (c->finish.kind == FINISH_RETRY) /* it comes back by its own time */
            d->look_at_ns = 0;
    } else if (adds_to_series(&c->finish)) {
        d->expire_at_ns = 0;
    }
    claim_free(&c);
}

static void put_off(struct dispatcher *d, struct run_claim *c)
{
    if (!c->retry_at_ns)
        log_warning("task %llu: another session holds its row: its end is written when that is over",
                    (unsigned long long)c->task.id);
    c->retry_at_ns = clock_mono_ns() + retry_ns;
    claim_list_push(&d->apart, c);
}

void endings_settle(struct endings *n, struct dispatcher *d)
{
    for (size_t i = 0; i < n->written_count; i++)
        settle(d, n->claims[i], n->lost[i]);
    for (size_t i = n->written_count; i < n->count; i++)
        put_off(d, n->claims[i]);
}

static void refuse(struct endings *n, struct dispatcher *d, const struct error *e)
{
    struct run_claim *c = n->claims[n->failing];
    log_error("task %llu: the database refuses its end: %s", (unsigned long long)c->task.id, e->text);
    remove_files(d, c, false);
    if (!c->refused) {
        claim_end_refused(c, e->text);
        return;
    }
    /* not even the short form: forget it, so that it holds nobody up; the next comparison of the claims
     * hands it back */
    n->claims[n->failing] = n->claims[--n->count];
    claim_free(&c);
}

static int64_t longer(int64_t pause_ns)
{
    if (!pause_ns)
        return retry_ns;
    return pause_ns < retry_most_ns ? pause_ns * 2 : retry_most_ns;
}

/* A single one has failed by itself. One of many: it shows when each is written by itself, at once. */
static void set_apart(struct endings *n)
{
    int64_t now = clock_mono_ns();
    for (size_t i = 0; i < n->failing_count; i++) {
        struct run_claim *c = n->claims[n->failing + i];
        if (n->failing_count == 1)
            c->retry_pause_ns = longer(c->retry_pause_ns);
        c->retry_at_ns = now + c->retry_pause_ns;
    }
}

void endings_unsure(struct endings *n)
{
    for (size_t i = 0; i < n->written_count; i++)
        n->claims[i]->unsure = true;
}

/* Perhaps it has failed for one of them: the others must not wait for that one. */
void endings_failed(struct endings *n, struct dispatcher *d, int rc, const struct error *e)
{
    bool refused = rc == ERR_DB_REFUSED && n->failing_count;
    bool held = rc == ERR_DB_RETRY && n->failing_count && !n->careful; /* as the next one will find, which is */
    bool alone = n->careful && n->failing_count == 1 && rc != ERR_DB_GONE && rc != ERR_TIMEOUT; /* has its own pause */
    if (held || (alone && !refused))
        log_warning("writing endings: %s", e->text);
    else if (!refused)
        database_failed(d, "writing endings and claiming", e);
    if (n->failing_count == 1 && refused)
        refuse(n, d, e);
    else if (refused || n->careful)
        set_apart(n);
    for (size_t i = 0; i < n->count; i++)
        claim_list_push(n->claims[i]->retry_at_ns ? &d->apart : &d->ended, n->claims[i]);
}
