/* SPDX-License-Identifier: MIT */
/* turnover.c: when the next transaction is due and what it is to do, while the one before is carried out beside
 * the loop: the workers have what to do meanwhile. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "impl.h"
#include "turn.h"

enum { BATCHES_AHEAD = 2 };

/* With tasks shorter than this, some are claimed ahead of the free workers. */
static const double ahead_window_ns = 20e6;

/* How long a claim may wait for a place, behind what takes far longer than those before. */
static const int64_t stuck_ns = 1000000000;

/* How long an ending may wait for others while workers are being fed. */
static const int64_t gather_ns = 5000000;

/* --- the claims that wait for a place ---------------------------------------------------------------- */

size_t waiting_count(const struct dispatcher *d)
{
    size_t n = 0;
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        n += d->waiting[kind].count;
    return n;
}

struct run_claim *waiting_pop(struct dispatcher *d)
{
    struct run_claim *c = NULL;
    for (int kind = 0; kind < WORKER_KINDS && !c; kind++)
        c = claim_list_pop(&d->waiting[kind]);
    return c;
}

static void hand_back(struct dispatcher *d, struct claim_list *waiting)
{
    struct run_claim *c;
    while ((c = claim_list_pop(waiting))) {
        claim_end_hand_back(c);
        claim_list_push(&d->ended, c);
    }
}

void hand_back_waiting(struct dispatcher *d)
{
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        hand_back(d, &d->waiting[kind]);
}

/* Another runner may have a place for what was claimed ahead. This one claims no more than it has places for until
 * its tasks are short again, so that it does not take them back at once. */
static void hand_back_stuck(struct dispatcher *d, enum worker_kind kind, int64_t now_ns)
{
    const struct run_claim *first = d->waiting[kind].head;
    int64_t waits_ns = first ? now_ns - first->waits_since_ns : 0;
    if (waits_ns < stuck_ns || !pool_full(&d->pool, kind))
        return;
    log_info("%zu tasks have waited for a worker for a second: handed back", d->waiting[kind].count);
    pool_note_slow(&d->pool, kind, waits_ns);
    hand_back(d, &d->waiting[kind]);
}

void assign_waiting(struct dispatcher *d, int64_t now_ns)
{
    for (int kind = 0; kind < WORKER_KINDS; kind++) {
        while (d->waiting[kind].head && pool_assign(&d->pool, d->waiting[kind].head, now_ns))
            claim_list_pop(&d->waiting[kind]);
        hand_back_stuck(d, (enum worker_kind)kind, now_ns);
    }
}

void excuse_waiting(struct dispatcher *d, int64_t now_ns)
{
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        for (struct run_claim *c = d->waiting[kind].head; c; c = c->next)
            c->waits_since_ns = now_ns;
}

/* --- how many, of what ------------------------------------------------------------------------------- */

static size_t count_type(const struct dispatcher *d, const char *type)
{
    size_t n = 0;
    for (size_t i = 0; i < d->pool.place_count; i++) {
        const struct run_claim *c = d->pool.places[i].claim;
        n += c && strcmp(c->task.type, type) == 0;
    }
    for (const struct run_claim *c = d->waiting[runner_kind(d, type)].head; c; c = c->next)
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

/* How many more tasks of TYPE, which has LIMITS, this runner may have: none of a paused one. */
static size_t room_for(const struct dispatcher *d, const char *type, const struct task_limits *limits)
{
    if (is_paused(d, type))
        return 0;
    if (limits->per_runner <= 0)
        return SIZE_MAX;
    size_t have = count_type(d, type);
    return have < (size_t)limits->per_runner ? (size_t)limits->per_runner - have : 0;
}

static bool claimable(const struct dispatcher *d, enum worker_kind kind)
{
    for (size_t i = 0; i < d->lanes.count; i++) {
        const struct lane *lane = &d->lanes.items[i];
        struct task_limits limits;
        if (!lane->waiting || runner_kind(d, lane->type) != kind)
            continue;
        task_limits_get(d->settings, lane->type, &limits);
        if (room_for(d, lane->type, &limits) > 0)
            return true;
    }
    return false;
}

/* How many tasks may wait for a worker, claimed ahead because they are so short that a claim each would cost more
 * than they: a batch that the workers are fed from, and one that is claimed meanwhile. */
static size_t ahead(const struct dispatcher *d, enum worker_kind kind)
{
    double run_ns = d->pool.crews[kind].run_ns;
    if (run_ns <= 0 || run_ns >= ahead_window_ns)
        return 0;
    double fit = (double)pool_capacity(&d->pool, kind) * ahead_window_ns / run_ns;
    size_t most = (size_t)d->settings->runner.batch * BATCHES_AHEAD;
    return fit < (double)most ? (size_t)fit : most;
}

/* Free places and those ahead, a batch at a time. Each kind by itself: a backlog of one holds up no other. */
static size_t wanted(const struct dispatcher *d, enum worker_kind kind)
{
    if (d->draining || !lease_holds(d, clock_mono_ns()))
        return 0;
    size_t batch = (size_t)d->settings->runner.batch, waiting = d->waiting[kind].count;
    size_t free = pool_free(&d->pool, kind), room = free + ahead(d, kind);
    size_t want = room > waiting ? room - waiting : 0;
    return want < free + batch ? want : free + batch;
}

bool turnover_wants(const struct dispatcher *d)
{
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        if (wanted(d, (enum worker_kind)kind) > 0)
            return true;
    return false;
}

static int64_t apart_due_at(const struct dispatcher *d)
{
    int64_t first = INT64_MAX;
    for (const struct run_claim *c = d->apart.head; c; c = c->next)
        first = c->retry_at_ns < first ? c->retry_at_ns : first;
    return first;
}

/* At once; but while short tasks still wait for a worker, the workers come first, and endings gather for a
 * moment so that one commit serves many. */
int64_t endings_due_at(const struct dispatcher *d)
{
    int64_t apart_at = apart_due_at(d);
    if (!d->ended.count)
        return apart_at;
    bool gather = waiting_count(d) > 0 && d->ended.count < (size_t)d->settings->runner.batch;
    int64_t at = gather ? d->ended.head->ended_ns + gather_ns : 0;
    return at < apart_at ? at : apart_at;
}

bool turnover_due(const struct dispatcher *d, int64_t now_ns)
{
    if (!database_ready(d, now_ns))
        return false;
    if (now_ns >= endings_due_at(d))
        return true;
    for (int k = 0; k < WORKER_KINDS; k++) {
        enum worker_kind kind = (enum worker_kind)k;
        if (d->waiting[kind].count <= ahead(d, kind) / BATCHES_AHEAD && wanted(d, kind) > 0 && claimable(d, kind))
            return true;
    }
    return false;
}

/* --- the transaction --------------------------------------------------------------------------------- */

/* What may be claimed of each lane; nothing where nobody is to ask. */
static void plan_lanes(struct turn *t, struct dispatcher *d)
{
    lanes_sort(&d->lanes);
    t->asked = lanes_copy(&d->lanes, t->plan);
    t->limits = arena_calloc(t->plan, t->asked.count, sizeof *t->limits);
    for (size_t i = 0; i < t->asked.count && t->want_all; i++) {
        const struct lane *lane = &t->asked.items[i];
        struct task_limits limits;
        if (!lane->waiting)
            continue;
        task_limits_get(d->settings, lane->type, &limits);
        t->limits[i] = (struct turn_lane){runner_kind(d, lane->type), room_for(d, lane->type, &limits),
                                          limits.running_total};
    }
}

bool turnover_runs(const struct dispatcher *d)
{
    return d->turn != NULL;
}

void turnover_begin(struct dispatcher *d, int64_t now_ns)
{
    struct turn *t = turn_create();
    t->store = d->store;
    t->worker = d->name;
    t->counter_slot = d->counter_slot;
    t->running_per_user = d->settings->queue.running_per_user;
    t->endings.careful = d->last_turn != TURN_DONE || d->apart.count;
    d->last_apart = !d->last_apart && d->apart.count && now_ns >= apart_due_at(d);
    if (d->last_apart)
        endings_take_apart(&t->endings, &d->apart, now_ns);
    else
        endings_take(&t->endings, &d->ended);
    bool claim = !d->last_apart && !(d->last_turn == TURN_FAILED && t->endings.count);
    for (int kind = 0; kind < WORKER_KINDS && claim; kind++)
        t->want_all += t->want[kind] = wanted(d, (enum worker_kind)kind);
    plan_lanes(t, d);
    d->turn = t;
    aside_give(d->aside, turn_run, t);
}

static void take_claims(struct dispatcher *d, const struct turn *t)
{
    int64_t now = clock_mono_ns();
    for (size_t i = 0; i < t->task_count; i++) {
        struct run_claim *c = claim_create(d->settings, t->types[i], &t->tasks[i]);
        c->waits_since_ns = now;
        c->kind = runner_kind(d, t->types[i]);
        if (turn_is_request(t->types[i]))
            claim_set_request(c, t->has_request[i] ? &t->requests[i] : NULL);
        if (t->tasks[i].cancel_requested) {
            c->stop = STOP_CANCELLED;
            claim_end_cancelled(c);
            claim_list_push(&d->ended, c);
        } else if (claim_end_invalid(c, &t->tasks[i])) {
            claim_list_push(&d->ended, c);
        } else {
            claim_list_push(&d->waiting[c->kind], c);
        }
    }
    if (d->draining) /* it was told to end meanwhile */
        hand_back_waiting(d);
}

void turnover_take(struct dispatcher *d)
{
    struct turn *t = d->turn;
    if (!t || !aside_done(d->aside))
        return;
    d->turn = NULL;
    d->last_turn = t->rc >= 0 ? TURN_DONE : t->endings.failing_count ? TURN_FAILED_ENDING : TURN_FAILED;
    if (t->rc < 0) {
        if (t->unknown)
            endings_unsure(&t->endings);
        endings_failed(&t->endings, d, t->rc, &t->error);
        if (t->unknown) /* tasks may have been claimed that we do not know of: ask soon */
            d->renew_at_ns = 0;
    } else {
        d->database_pause_ns = 0;
        endings_settle(&t->endings, d);
        lanes_take_over(&d->lanes, &t->lanes);
        take_claims(d, t);
    }
    turn_destroy(&t);
}

void turnover_finish(struct dispatcher *d)
{
    if (d->turn)
        aside_wait(d->aside);
    turnover_take(d);
}
