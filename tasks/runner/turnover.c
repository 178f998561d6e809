/* SPDX-License-Identifier: MIT */
/* turnover.c: one transaction that writes how tasks ended and claims the next ones, so that one commit
 * serves many tasks. Everything it learns is taken over only after the commit. */
#include <string.h>

#include "base/clock.h"
#include "endings.h"
#include "impl.h"

/* With tasks shorter than this, some are claimed ahead of the free workers. */
static const double ahead_window_ns = 20e6;

/* How long an ending may wait for others while workers are being fed. */
static const int64_t gather_ns = 5000000;

struct turn {
    struct dispatcher *d;
    struct endings endings;
    size_t want[WORKER_KINDS], want_all;
    struct arena *arena;
    struct lanes lanes; /* a copy: the transaction may run twice */
    struct claimed *tasks;
    const char **types; /* of tasks */
    size_t task_count;
    struct http_request *requests; /* of tasks; those of other types are empty */
    bool *has_request;
    size_t taken[WORKER_KINDS]; /* of tasks */
};

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

void hand_back_waiting(struct dispatcher *d)
{
    struct run_claim *c;
    while ((c = waiting_pop(d))) {
        claim_end_hand_back(c);
        claim_list_push(&d->ended, c);
    }
}

void assign_waiting(struct dispatcher *d, int64_t now_ns)
{
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        while (d->waiting[kind].head && pool_assign(&d->pool, d->waiting[kind].head, now_ns))
            claim_list_pop(&d->waiting[kind]);
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

static bool claimable(const struct dispatcher *d, enum worker_kind kind)
{
    for (size_t i = 0; i < d->lanes.count; i++) {
        const struct lane *lane = &d->lanes.items[i];
        if (lane->waiting && runner_kind(d, lane->type) == kind && room_for(d, lane->type) > 0)
            return true;
    }
    return false;
}

/* Free places, plus some ahead where tasks are so short that a claim each would cost more than they. Each kind
 * by itself: a backlog of one holds up no other. */
static size_t wanted(const struct dispatcher *d, enum worker_kind kind)
{
    if (d->draining || !lease_holds(d, clock_mono_ns()))
        return 0;
    size_t ahead = 0, waiting = d->waiting[kind].count;
    double run_ns = d->pool.crews[kind].run_ns;
    if (run_ns > 0 && run_ns < ahead_window_ns) {
        double fit = (double)pool_capacity(&d->pool, kind) * ahead_window_ns / run_ns;
        size_t most = (size_t)d->settings->runner.batch;
        ahead = fit < (double)most ? (size_t)fit : most;
    }
    size_t room = pool_free(&d->pool, kind) + ahead;
    return room > waiting ? room - waiting : 0;
}

bool turnover_wants(const struct dispatcher *d)
{
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        if (wanted(d, (enum worker_kind)kind) > 0)
            return true;
    return false;
}

/* At once; but while short tasks still wait for a worker, the workers come first, and endings gather for a
 * moment so that one commit serves many. */
int64_t endings_due_at(const struct dispatcher *d)
{
    if (!d->ended.count)
        return INT64_MAX;
    bool gather = waiting_count(d) > 0 && d->ended.count < (size_t)d->settings->runner.batch;
    return gather ? d->ended.head->ended_ns + gather_ns : 0;
}

bool turnover_due(const struct dispatcher *d, int64_t now_ns)
{
    if (!database_ready(d, now_ns))
        return false;
    if (now_ns >= endings_due_at(d))
        return true;
    for (int k = 0; k < WORKER_KINDS; k++) {
        enum worker_kind kind = (enum worker_kind)k;
        if (!d->waiting[kind].count && wanted(d, kind) > 0 && claimable(d, kind))
            return true;
    }
    return false;
}

/* --- the transaction --------------------------------------------------------------------------------- */

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
    int rc = limit > 0 && t->want_all ? store_count_users(s, limit, t->arena, &users, e) : 0;
    if (rc)
        return rc;
    for (size_t i = 0; i < t->lanes.count && t->task_count < t->want_all; i++) {
        struct lane *lane = &t->lanes.items[i];
        enum worker_kind kind = runner_kind(t->d, lane->type);
        size_t room = room_for(t->d, lane->type), max = t->want[kind] - t->taken[kind];
        for (size_t k = 0; k < t->task_count && room; k++)
            room -= room != SIZE_MAX && strcmp(t->types[k], lane->type) == 0;
        if (!lane->waiting || !room || !max)
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
        t->taken[kind] += (size_t)n;
    }
    return 0;
}

static bool is_request(const char *type)
{
    return strcmp(type, HTTP_REQUEST_TYPE) == 0;
}

/* The rows beside the deferred requests among the tasks. */
static int read_requests(struct store *s, struct turn *t, struct error *e)
{
    uint64_t *ids = arena_alloc(t->arena, t->task_count * sizeof *ids);
    struct http_request *found = arena_calloc(t->arena, t->task_count, sizeof *found);
    bool *has = arena_calloc(t->arena, t->task_count, sizeof *has);
    size_t count = 0, at = 0;
    for (size_t i = 0; i < t->task_count; i++)
        if (is_request(t->types[i]))
            ids[count++] = t->tasks[i].id;
    int rc = count ? store_get_http_requests(s, ids, count, t->arena, found, has, e) : 0;
    t->requests = arena_calloc(t->arena, t->task_count, sizeof *t->requests);
    t->has_request = arena_calloc(t->arena, t->task_count, sizeof *t->has_request);
    for (size_t i = 0; i < t->task_count && !rc; i++)
        if (is_request(t->types[i])) {
            t->requests[i] = found[at];
            t->has_request[i] = has[at++];
        }
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
    t->task_count = 0;
    memset(t->taken, 0, sizeof t->taken);
    t->tasks = arena_calloc(t->arena, t->want_all, sizeof *t->tasks);
    t->types = arena_calloc(t->arena, t->want_all, sizeof *t->types);
    copy_lanes(t);
    int rc = endings_write(&t->endings, s, e);
    if (!rc)
        rc = endings_count(&t->endings, s, t->d->counter_slot, t->arena, e);
    if (!rc)
        rc = claim_lanes(s, t, e);
    return rc ? rc : read_requests(s, t, e);
}

static void settle_claims(struct turn *t)
{
    for (size_t i = 0; i < t->task_count; i++) {
        struct run_claim *c = claim_create(t->d->settings, t->types[i], &t->tasks[i]);
        c->kind = runner_kind(t->d, t->types[i]);
        if (is_request(t->types[i]))
            claim_set_request(c, t->has_request[i] ? &t->requests[i] : NULL);
        if (t->tasks[i].cancel_requested) {
            c->stop = STOP_CANCELLED;
            claim_end_cancelled(c);
            claim_list_push(&t->d->ended, c);
        } else {
            claim_list_push(&t->d->waiting[c->kind], c);
        }
    }
    /* the copy is sorted and has moved floors */
    for (size_t i = 0; i < t->lanes.count; i++)
        t->d->lanes.items[i] = t->lanes.items[i];
}

void turnover(struct dispatcher *d, int64_t now_ns)
{
    struct turn t = {.d = d, .arena = arena_create()};
    struct error e = {0};
    bool unknown = false;
    bool claim = endings_take(&t.endings, &d->ended);
    for (int kind = 0; kind < WORKER_KINDS && claim; kind++)
        t.want_all += t.want[kind] = wanted(d, (enum worker_kind)kind);
    int rc = store_transaction(d->store, turn_body, &t, &unknown, &e);
    if (rc < 0) {
        endings_failed(&t.endings, d, rc, &e);
        if (unknown) /* tasks may have been claimed that we do not know of: ask soon */
            d->renew_at_ns = now_ns;
    } else {
        endings_settle(&t.endings, d);
        settle_claims(&t);
    }
    arena_destroy(&t.arena);
}
