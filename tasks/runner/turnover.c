/* SPDX-License-Identifier: MIT */
/* turnover.c: one transaction that writes how tasks ended and claims the next ones, so that one commit
 * serves many tasks. Everything it learns is taken over only after the commit. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "impl.h"

enum { FINISH_MAX = 512, HEADS_MAX = RUNNER_TYPES_MAX * 10 };

/* With tasks shorter than this, some are claimed ahead of the free workers. */
static const double ahead_window_ns = 20e6;

/* How long an ending may wait for others while workers are being fed. */
static const int64_t gather_ns = 5000000;

/* How writing one ending went, this time. */
enum written { WRITTEN, WRITTEN_LOST, WRITTEN_REFUSED };

struct turn {
    struct dispatcher *d;
    struct run_claim *endings[FINISH_MAX];
    enum written written[FINISH_MAX];
    size_t ending_count;
    size_t plain_count; /* the first of them, which are written many at a time */
    /* indexes of the endings that were being written when the transaction failed */
    size_t failing[FINISH_GROUP_MAX];
    size_t failing_count;
    size_t want;
    struct arena *arena;
    struct lanes lanes; /* a copy: the transaction may run twice */
    struct claimed *tasks;
    const char **types; /* of tasks */
    size_t task_count;
};

static size_t count_type(const struct dispatcher *d, const char *type)
{
    size_t n = 0;
    for (size_t i = 0; i < d->pool.cap; i++) {
        const struct run_claim *c = d->pool.workers[i].claim;
        n += c && strcmp(c->task.type, type) == 0;
    }
    for (const struct run_claim *c = d->waiting.head; c; c = c->next)
        n += strcmp(c->task.type, type) == 0;
    return n;
}

static bool is_paused(const struct dispatcher *d, const char *type)
{
    for (size_t i = 0; i < d->paused_count; i++)
        if (strcmp(d->paused[i], type) == 0)
            return true;
    return false;
}

/* How many more tasks of TYPE this runner may have: none of a paused one, else by its per_runner limit. */
static size_t room_for(const struct dispatcher *d, const char *type)
{
    struct task_limits limits;
    if (is_paused(d, type))
        return 0;
    task_limits_get(d->settings, type, &limits);
    if (limits.per_runner <= 0)
        return SIZE_MAX;
    size_t have = count_type(d, type);
    return have < (size_t)limits.per_runner ? (size_t)limits.per_runner - have : 0;
}

static bool claimable(const struct dispatcher *d)
{
    for (size_t i = 0; i < d->lanes.count; i++)
        if (d->lanes.items[i].waiting && room_for(d, d->lanes.items[i].type) > 0)
            return true;
    return false;
}

/* Free workers, plus some ahead where tasks are so short that a claim each would cost more than they. */
static size_t wanted(const struct dispatcher *d)
{
    if (d->draining || !lease_holds(d, clock_mono_ns()))
        return 0;
    size_t ahead = 0;
    if (d->pool.run_ns > 0 && d->pool.run_ns < ahead_window_ns) {
        double fit = (double)d->pool.count * ahead_window_ns / d->pool.run_ns;
        size_t most = (size_t)d->settings->runner.batch;
        ahead = fit < (double)most ? (size_t)fit : most;
    }
    size_t room = pool_idle(&d->pool) + ahead;
    return room > d->waiting.count ? room - d->waiting.count : 0;
}

bool turnover_wants(const struct dispatcher *d)
{
    return wanted(d) > 0;
}

/* At once; but while short tasks still wait for a worker, the workers come first, and endings gather for a
 * moment so that one commit serves many. */
int64_t endings_due_at(const struct dispatcher *d)
{
    if (!d->ended.count)
        return INT64_MAX;
    bool gather = d->waiting.count > 0 && d->ended.count < (size_t)d->settings->runner.batch;
    return gather ? d->ended.head->ended_ns + gather_ns : 0;
}

bool turnover_due(const struct dispatcher *d, int64_t now_ns)
{
    if (!database_ready(d, now_ns))
        return false;
    return now_ns >= endings_due_at(d) || (!d->waiting.count && wanted(d) > 0 && claimable(d));
}

static int write_alone(struct store *s, struct turn *t, size_t i, struct error *e)
{
    t->failing[0] = i;
    t->failing_count = 1;
    int rc = store_finish(s, &t->endings[i]->finish, e);
    t->written[i] = rc == ERR_FENCED ? WRITTEN_LOST : WRITTEN;
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
static int write_together(struct store *s, struct turn *t, size_t at, size_t count, struct error *e)
{
    const struct finish *ends[FINISH_GROUP_MAX];
    bool lost[FINISH_GROUP_MAX];
    t->failing_count = count;
    for (size_t i = 0; i < count; i++) {
        t->failing[i] = at + i;
        ends[i] = &t->endings[at + i]->finish;
    }
    int rc = store_finish_plain(s, ends, count, lost, e);
    for (size_t i = 0; i < count && !rc; i++)
        t->written[at + i] = lost[i] ? WRITTEN_LOST : WRITTEN;
    return rc;
}

/* Plain successes stand first (take_endings): they are most of what there is where tasks are short. */
static int write_endings(struct store *s, struct turn *t, struct error *e)
{
    int rc = 0;
    size_t i = 0, n;
    for (; i < t->plain_count && !rc; i += n) {
        int64_t keep_usec = t->endings[i]->finish.keep_usec;
        for (n = 1; i + n < t->plain_count && n < FINISH_GROUP_MAX; n++)
            if (t->endings[i + n]->finish.keep_usec != keep_usec)
                break;
        rc = write_together(s, t, i, n, e);
    }
    for (; i < t->ending_count && !rc; i++)
        rc = write_alone(s, t, i, e);
    return rc;
}

/* At most WANT, and no more than the type's limit over all runners leaves. */
static int shared_room(struct store *s, const struct turn *t, const char *type, size_t want,
                       struct error *e)
{
    struct task_limits limits;
    task_limits_get(t->d->settings, type, &limits);
    if (limits.running_total <= 0)
        return (int)want;
    int room = store_type_room(s, type, limits.running_total, e);
    return room < 0 || (size_t)room < want ? room : (int)want;
}

static int claim_lanes(struct store *s, struct turn *t, struct error *e)
{
    struct running_users *users = NULL;
    int64_t limit = t->d->settings->queue.running_per_user;
    int rc = limit > 0 && t->want ? store_count_users(s, limit, t->arena, &users, e) : 0;
    if (rc)
        return rc;
    for (size_t i = 0; i < t->lanes.count && t->task_count < t->want; i++) {
        struct lane *lane = &t->lanes.items[i];
        size_t room = room_for(t->d, lane->type), max = t->want - t->task_count;
        for (size_t k = 0; k < t->task_count && room; k++)
            room -= room != SIZE_MAX && strcmp(t->types[k], lane->type) == 0;
        if (!lane->waiting || !room)
            continue;
        int take = shared_room(s, t, lane->type, max < room ? max : room, e);
        if (take < 0)
            return take;
        if (take == 0) {
            lane->waiting = false; /* until the next look: somebody must end first */
            continue;
        }
        int n = store_claim_lane(s, t->d->name, lane->type, lane->priority, &lane->floor, (size_t)take,
                                 users, t->arena, t->tasks + t->task_count, &lane->waiting, e);
        if (n < 0)
            return n;
        for (int k = 0; k < n; k++)
            t->types[t->task_count++] = lane->type;
    }
    return 0;
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

static int count_endings(struct store *s, const struct turn *t, struct error *e)
{
    struct tally *tallies = arena_alloc(t->arena, t->ending_count * sizeof *tallies);
    size_t n = 0;
    for (size_t i = 0; i < t->ending_count; i++) {
        struct tally one = {t->endings[i]->task.type, finish_outcome(&t->endings[i]->finish), 1};
        size_t at = 0;
        while (at < n && compare_tallies(&tallies[at], &one) != 0)
            at++;
        if (t->written[i] == WRITTEN_LOST || t->endings[i]->finish.kind == FINISH_HAND_BACK)
            continue;
        if (at < n)
            tallies[at].count++;
        else
            tallies[n++] = one;
    }
    qsort(tallies, n, sizeof *tallies, compare_tallies); /* every runner locks in one order */
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i++)
        rc = store_count_endings(s, t->d->counter_slot, tallies[i].type, tallies[i].outcome,
                                 tallies[i].count, e);
    return rc;
}

static void copy_lanes(struct turn *t)
{
    const struct lanes *from = &t->d->lanes;
    t->lanes = (struct lanes){arena_alloc(t->arena, from->count * sizeof *from->items), from->count,
                              from->count};
    if (from->count)
        memcpy(t->lanes.items, from->items, from->count * sizeof *from->items);
    lanes_sort(&t->lanes);
}

static int turn_body(struct store *s, void *ctx, struct error *e)
{
    struct turn *t = ctx;
    arena_reset(t->arena);
    t->failing_count = 0;
    t->task_count = 0;
    t->tasks = arena_calloc(t->arena, t->want, sizeof *t->tasks);
    t->types = arena_calloc(t->arena, t->want, sizeof *t->types);
    copy_lanes(t);
    int rc = write_endings(s, t, e);
    if (rc)
        return rc;
    t->failing_count = 0;
    rc = count_endings(s, t, e);
    return rc ? rc : claim_lanes(s, t, e);
}

/* As many as fit; but one that has made a transaction fail goes alone, when there are no others. */
static void take_endings(struct turn *t)
{
    struct claim_list *ended = &t->d->ended;
    for (size_t left = ended->count; left && t->ending_count < FINISH_MAX; left--) {
        struct run_claim *c = claim_list_pop(ended);
        if (c->troubled)
            claim_list_push(ended, c);
        else
            t->endings[t->ending_count++] = c;
    }
    if (!t->ending_count && ended->count) {
        t->endings[t->ending_count++] = claim_list_pop(ended);
        t->want = 0;
    }
    for (size_t i = 0; i < t->ending_count; i++)
        if (is_shared(t->endings[i])) {
            struct run_claim *c = t->endings[i];
            t->endings[i] = t->endings[t->plain_count];
            t->endings[t->plain_count++] = c;
        }
    qsort(t->endings, t->plain_count, sizeof *t->endings, compare_plain);
}

static void put_endings_back(struct turn *t)
{
    for (size_t i = 0; i < t->ending_count; i++)
        claim_list_push(&t->d->ended, t->endings[i]);
}

static void settle_endings(struct turn *t)
{
    for (size_t i = 0; i < t->ending_count; i++) {
        struct run_claim *c = t->endings[i];
        if (t->written[i] == WRITTEN_LOST) {
            log_warning("task %llu: the claim was lost before its end was written: discarded",
                        (unsigned long long)c->task.id);
            c->finish.file_count = c->finish.kind == FINISH_SUCCESS ? c->finish.file_count : 0;
            remove_files(t->d, c, true); /* whoever has it now may have ended it: sweep_checkpoints sees */
        } else if (c->finish.kind != FINISH_SUCCESS) {
            remove_files(t->d, c, c->finish.kind == FINISH_RETRY || c->finish.kind == FINISH_HAND_BACK);
            if (c->finish.kind == FINISH_RETRY) /* it comes back by its own time */
                t->d->look_at_ns = 0;
        }
        claim_free(&c);
    }
}

static void settle_claims(struct turn *t)
{
    for (size_t i = 0; i < t->task_count; i++) {
        struct run_claim *c = claim_create(t->d->settings, t->types[i], &t->tasks[i]);
        if (t->tasks[i].cancel_requested) {
            c->stop = STOP_CANCELLED;
            claim_end_cancelled(c);
            claim_list_push(&t->d->ended, c);
        } else {
            claim_list_push(&t->d->waiting, c);
        }
    }
    /* the copy is sorted and has moved floors */
    for (size_t i = 0; i < t->lanes.count; i++)
        t->d->lanes.items[i] = t->lanes.items[i];
}

static void refuse(struct turn *t, const struct error *e)
{
    size_t failing = t->failing[0];
    struct run_claim *c = t->endings[failing];
    log_error("task %llu: the database refuses its end: %s", (unsigned long long)c->task.id, e->text);
    remove_files(t->d, c, false);
    if (!c->refused) {
        claim_end_refused(c, e->text);
        return;
    }
    /* not even the short form: forget it, so that it holds nobody up; the next comparison of the claims
     * hands it back */
    t->endings[failing] = t->endings[--t->ending_count];
    claim_free(&c);
}

/* The transaction has failed, perhaps for one ending: the others must not wait for that one. */
static void turn_failed(struct turn *t, int rc, const struct error *e)
{
    bool refused = rc == ERR_DB_REFUSED && t->failing_count;
    if (refused && t->failing_count == 1) {
        refuse(t, e);
    } else if (refused) { /* one of many: it shows when each is written by itself */
        for (size_t i = 0; i < t->failing_count; i++)
            t->endings[t->failing[i]]->alone = true;
    } else {
        database_failed(t->d, "writing endings and claiming", e);
        if (t->failing_count == 1 && rc != ERR_DB_GONE)
            t->endings[t->failing[0]]->troubled = true;
        for (size_t i = 0; t->failing_count > 1 && i < t->failing_count && rc != ERR_DB_GONE; i++)
            t->endings[t->failing[i]]->alone = true;
    }
    put_endings_back(t);
}

void turnover(struct dispatcher *d, int64_t now_ns)
{
    struct turn t = {.d = d, .want = wanted(d), .arena = arena_create()};
    struct error e = {0};
    bool unknown = false;
    take_endings(&t);
    int rc = store_transaction(d->store, turn_body, &t, &unknown, &e);
    if (rc < 0) {
        turn_failed(&t, rc, &e);
        if (unknown) /* tasks may have been claimed that we do not know of: ask soon */
            d->renew_at_ns = now_ns;
    } else {
        settle_endings(&t);
        settle_claims(&t);
    }
    arena_destroy(&t.arena);
}

void assign_waiting(struct dispatcher *d, int64_t now_ns)
{
    while (d->waiting.head && pool_assign(&d->pool, d->waiting.head, now_ns))
        claim_list_pop(&d->waiting);
}

/* NEXT_DUE by our clock; what is farther away than a day is asked for again before. */
static int64_t due_at(int64_t next_due, int64_t database_now, int64_t now_ns)
{
    static const int64_t day_usec = INT64_C(86400) * 1000000;
    if (next_due == INT64_MAX)
        return INT64_MAX;
    int64_t left = next_due <= database_now ? 0 : next_due - database_now;
    return now_ns + (left < day_usec ? left : day_usec) * 1000;
}

void look(struct dispatcher *d, int64_t now_ns)
{
    struct lane_head heads[HEADS_MAX];
    int64_t next_due, database_now;
    struct error e = {0};
    int64_t began = clock_mono_ns();
    int n = store_look(d->store, d->types.names, d->types.count, heads, HEADS_MAX, &next_due,
                       &database_now, &e);
    int64_t poll_ns = d->settings->runner.poll_usec * 1000;
    if (n < 0) {
        database_failed(d, "looking for work", &e);
        d->look_at_ns = now_ns + poll_ns;
        return;
    }
    lanes_look(&d->lanes, heads, (size_t)n);
    d->promote_at_ns = due_at(next_due, database_now, now_ns);
    /* a look that is slow (a held read view makes it so) is made rarer: 5% of the time at most */
    int64_t pause = (clock_mono_ns() - began) * 20;
    d->look_at_ns = now_ns + (pause < poll_ns ? poll_ns : pause > 1000000000 ? 1000000000 : pause);
}

void read_pauses(struct dispatcher *d, int64_t now_ns)
{
    struct error e = {0};
    int n = store_paused_types(d->store, d->paused, PAUSED_MAX, &e);
    if (n < 0)
        database_failed(d, "reading the paused types", &e);
    else
        d->paused_count = (size_t)n;
    d->pauses_at_ns = now_ns + 1000000000;
}

void promote(struct dispatcher *d, int64_t now_ns)
{
    struct error e = {0};
    int n = store_promote(d->store, (size_t)d->settings->runner.batch * 4, &e);
    if (n < 0)
        database_failed(d, "making due tasks fresh", &e);
    d->promote_at_ns = INT64_MAX;
    d->look_at_ns = n > 0 ? now_ns : d->look_at_ns; /* the look finds them, and the next due one */
}
