/* SPDX-License-Identifier: MIT */
/* endings.c: writes how tasks ended, many plain successes by one statement, and keeps what the database refuses
 * from holding up the others. */
#include "endings.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static int write_alone(struct endings *n, struct store *s, size_t i, struct error *e)
{
    n->failing = i;
    n->failing_count = 1;
    int rc = store_finish(s, &n->claims[i]->finish, e);
    n->lost[i] = rc == ERR_FENCED;
    if (rc != ERR_FENCED)
        return rc;
    error_clear(e);
    return 0;
}

static bool is_shared(const struct run_claim *c)
{
    return !c->alone && finish_is_plain(&c->finish);
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
    return store_finish_plain(s, ends, count, n->lost + at, e);
}

/* Plain successes stand first (endings_take): they are most of what there is where tasks are short. */
int endings_write(struct endings *n, struct store *s, struct error *e)
{
    int rc = 0;
    size_t i = 0, group;
    n->failing_count = 0;
    for (; i < n->plain_count && !rc; i += group) {
        int64_t keep_usec = n->claims[i]->finish.keep_usec;
        for (group = 1; i + group < n->plain_count && group < FINISH_GROUP_MAX; group++)
            if (n->claims[i + group]->finish.keep_usec != keep_usec)
                break;
        rc = write_together(n, s, i, group, e);
    }
    for (; i < n->count && !rc; i++)
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
    struct tally *tallies = arena_alloc(arena, n->count * sizeof *tallies);
    size_t count = 0;
    for (size_t i = 0; i < n->count; i++) {
        struct tally one = {n->claims[i]->task.type, finish_outcome(&n->claims[i]->finish), 1};
        size_t at = 0;
        while (at < count && compare_tallies(&tallies[at], &one) != 0)
            at++;
        if (n->lost[i] || n->claims[i]->finish.kind == FINISH_HAND_BACK)
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

/* One that has made a transaction fail goes alone, when there are no others. */
bool endings_take(struct endings *n, struct claim_list *ended)
{
    n->count = n->plain_count = n->failing_count = 0;
    for (size_t left = ended->count; left && n->count < ENDINGS_MAX; left--) {
        struct run_claim *c = claim_list_pop(ended);
        if (c->troubled)
            claim_list_push(ended, c);
        else
            n->claims[n->count++] = c;
    }
    bool alone = !n->count && ended->count;
    if (alone)
        n->claims[n->count++] = claim_list_pop(ended);
    for (size_t i = 0; i < n->count; i++)
        if (is_shared(n->claims[i])) {
            struct run_claim *c = n->claims[i];
            n->claims[i] = n->claims[n->plain_count];
            n->claims[n->plain_count++] = c;
        }
    qsort(n->claims, n->plain_count, sizeof *n->claims, compare_plain);
    return !alone;
}

/* Another file of a series is there: an older one may go. */
static bool adds_to_series(const struct finish *f)
{
    for (size_t i = 0; i < f->file_count; i++)
        if (f->files[i].series)
            return true;
    return false;
}

void endings_settle(struct endings *n, struct dispatcher *d)
{
    for (size_t i = 0; i < n->count; i++) {
        struct run_claim *c = n->claims[i];
        if (n->lost[i]) {
            log_warning("task %llu: the claim was lost before its end was written: discarded",
                        (unsigned long long)c->task.id);
            remove_files(d, c, true); /* whoever has it now may have ended it: sweep_checkpoints sees */
        } else if (c->finish.kind != FINISH_SUCCESS) {
            remove_files(d, c, c->finish.kind == FINISH_RETRY || c->finish.kind == FINISH_HAND_BACK);
            if (c->finish.kind == FINISH_RETRY) /* it comes back by its own time */
                d->look_at_ns = 0;
        } else if (adds_to_series(&c->finish)) {
            d->expire_at_ns = 0;
        }
        claim_free(&c);
    }
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

/* Perhaps it has failed for one of them: the others must not wait for that one. */
void endings_failed(struct endings *n, struct dispatcher *d, int rc, const struct error *e)
{
    bool refused = rc == ERR_DB_REFUSED && n->failing_count;
    if (!refused)
        database_failed(d, "writing endings and claiming", e);
    if (n->failing_count == 1 && refused)
        refuse(n, d, e);
    else if (n->failing_count == 1 && rc != ERR_DB_GONE)
        n->claims[n->failing]->troubled = true;
    else if (rc != ERR_DB_GONE) /* one of many: it shows when each is written by itself */
        for (size_t i = 0; i < n->failing_count; i++)
            n->claims[n->failing + i]->alone = true;
    for (size_t i = 0; i < n->count; i++)
        claim_list_push(&d->ended, n->claims[i]);
}

