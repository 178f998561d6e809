/* SPDX-License-Identifier: MIT */
/* lease.c: enters the runner, renews its lease and compares what the table says of its claims with what
 * it knows. A runner that loses its lease loses everything that it runs, at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "impl.h"

enum { HELD_MAX = 8192 };

static int64_t safe_ns(const struct dispatcher *d)
{
    return d->lease_usec * 1000 / 3 * 2;
}

bool lease_holds(const struct dispatcher *d, int64_t now_ns)
{
    return d->entered && now_ns - d->renewed_ns <= safe_ns(d);
}

static void renewed(struct dispatcher *d, int64_t sent_ns)
{
    d->entered = true;
    d->renewed_ns = sent_ns;
    atomic_store(&d->pool.slots->lease_until_ns, sent_ns + safe_ns(d));
}

static void types_json(const struct dispatcher *d, struct buf *out)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < d->types.count; i++) {
        if (i)
            buf_addc(out, ',');
        buf_json_s(out, d->types.names[i]);
    }
    buf_addc(out, ']');
}

/* Calls WRITE with what the runner's row is to say. */
static int write_card(struct dispatcher *d,
                      int (*write)(struct store *, const struct runner_card *, struct error *),
                      struct error *e)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    struct buf types = BUF_INIT;
    types_json(d, &types);
    struct runner_card card = {
        .worker = d->name,
        .host = host,
        .version = PACKAGE_VERSION,
        .types = buf_str(&types),
        .pid = (unsigned)getpid(),
        .slots = (unsigned)(pool_capacity(&d->pool, WORKER_SINGLE) + pool_capacity(&d->pool, WORKER_MANY)),
        .lease_usec = d->settings->runner.lease_usec,
    };
    /* until it is known which lease the row has, the shorter one counts */
    if (!d->lease_usec || card.lease_usec < d->lease_usec)
        d->lease_usec = card.lease_usec;
    int rc = write(d->store, &card, e);
    buf_free(&types);
    if (!rc) {
        d->lease_usec = card.lease_usec;
        d->card_changed = false;
    }
    return rc;
}

int lease_enter(struct dispatcher *d, struct error *e)
{
    int taken = store_expire_name(d->store, d->name, e);
    if (!taken)
        do
            taken = take_back_some(d, e);
        while (taken > 0);
    if (taken < 0)
        return taken;
    int64_t sent = clock_mono_ns();
    int rc = write_card(d, store_register_runner, e);
    if (!rc)
        renewed(d, sent);
    return rc;
}

/* Everything that runs or waits is somebody else's by now. */
static void lose_all(struct dispatcher *d, int64_t now_ns)
{
    pool_stop_all(&d->pool, STOP_LEASE, now_ns);
    struct run_claim *c;
    while ((c = waiting_pop(d)))
        claim_free(&c);
}

static bool list_has(const struct claim_list *l, uint64_t id, uint64_t fence)
{
    for (const struct run_claim *c = l->head; c; c = c->next)
        if (c->task.id == id && c->task.fence == fence)
            return true;
    return false;
}

static bool has_claim(const struct dispatcher *d, uint64_t id, uint64_t fence)
{
    for (size_t i = 0; i < d->pool.place_count; i++) {
        const struct run_claim *c = d->pool.places[i].claim;
        if (c && c->task.id == id && c->task.fence == fence)
            return true;
    }
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        if (list_has(&d->waiting[kind], id, fence))
            return true;
    return list_has(&d->ended, id, fence) || list_has(&d->apart, id, fence);
}

/* A claim whose COMMIT got no answer did happen after all: nobody here runs it, so give it back. */
static void hand_back_unknown(struct dispatcher *d, const struct held_task *h)
{
    log_warning("task %llu: claimed by a transaction of unknown outcome: handed back",
                (unsigned long long)h->id);
    struct claimed t = {.id = h->id, .fence = h->fence, .data = {"", 0}};
    struct run_claim *c = claim_create(d->settings, "", &t);
    claim_end_hand_back(c);
    claim_list_push(&d->ended, c);
}

/* The entry of C in HELD, or NULL: the claim has been taken away. */
static const struct held_task *find_held(const struct held_task *held, int count,
                                         const struct run_claim *c)
{
    for (int i = 0; i < count; i++)
        if (held[i].id == c->task.id && held[i].fence == c->task.fence)
            return &held[i];
    log_warning("task %llu: the claim has been taken away: stopped", (unsigned long long)c->task.id);
    return NULL;
}

static void stop_cancelled(struct pool_place *place, const struct held_task *h, int64_t kill_at_ns)
{
    struct run_claim *c = place->claim;
    if (c->stop == STOP_NONE)
        c->cancel_error = arena_strdup(c->arena, h->cancel_error);
    pool_stop(place, STOP_CANCELLED, kill_at_ns);
}

/* What waits for a worker: lost claims are forgotten, cancelled tasks never run. */
static void compare_waiting(struct dispatcher *d, struct claim_list *waiting, const struct held_task *held,
                            int count)
{
    for (size_t left = waiting->count; left; left--) {
        struct run_claim *c = claim_list_pop(waiting);
        const struct held_task *h = find_held(held, count, c);
        if (h && h->cancel_requested) {
            c->cancel_error = arena_strdup(c->arena, h->cancel_error);
            claim_end_cancelled(c);
            claim_list_push(&d->ended, c);
        } else if (h) {
            claim_list_push(waiting, c);
        } else {
            claim_free(&c);
        }
    }
}

static void compare_running(struct dispatcher *d, const struct held_task *held, int count, int64_t now_ns)
{
    int64_t grace_ns = d->settings->runner.cancel_grace_usec * 1000;
    for (size_t i = 0; i < d->pool.place_count; i++) {
        struct pool_place *place = &d->pool.places[i];
        const struct held_task *h = place->claim ? find_held(held, count, place->claim) : NULL;
        if (place->claim && !h)
            pool_stop(place, STOP_LEASE, now_ns);
        else if (h && h->cancel_requested)
            stop_cancelled(place, h, now_ns + grace_ns);
    }
}

/* Gives back unknown claims, takes over cancellations, stops what is ours no more. */
static void compare(struct dispatcher *d, const struct held_task *held, int count, int64_t now_ns)
{
    for (int i = 0; i < count; i++)
        if (!has_claim(d, held[i].id, held[i].fence))
            hand_back_unknown(d, &held[i]);
    if (count == HELD_MAX)
        return; /* not all were read: nothing can be said of the others */
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        compare_waiting(d, &d->waiting[kind], held, count);
    compare_running(d, held, count, now_ns);
}

/* Renews; after a change of the configuration with what it says now. */
static int renew(struct dispatcher *d, struct error *e)
{
    return d->card_changed ? write_card(d, store_change_runner, e)
                           : store_renew_runner(d->store, d->name, (unsigned)pool_busy(&d->pool), e);
}

void lease_renew(struct dispatcher *d, int64_t now_ns)
{
    struct error e = {0};
    int64_t sent = clock_mono_ns();
    d->renew_at_ns = now_ns + d->settings->runner.heartbeat_usec * 1000;
    int rc = renew(d, &e);
    if (rc == ERR_FENCED) {
        log_error("%s: everything that runs here is ended", e.text);
        d->entered = false;
        lose_all(d, now_ns);
        rc = lease_enter(d, &e);
        if (rc)
            database_failed(d, "entering the runner again", &e);
        return;
    }
    if (rc) {
        database_failed(d, "renewing the lease", &e);
        d->renew_at_ns = now_ns; /* as soon as the database is there again */
        return;
    }
    renewed(d, sent);
    struct arena *arena = arena_create();
    struct held_task *held = arena_alloc(arena, HELD_MAX * sizeof *held);
    int count = store_held_tasks(d->store, d->name, arena, held, HELD_MAX, &e);
    if (count < 0)
        database_failed(d, "reading the claims", &e);
    else
        compare(d, held, count, now_ns);
    arena_destroy(&arena);
}

void lease_check(struct dispatcher *d, int64_t now_ns)
{
    if (lease_holds(d, now_ns))
        return;
    for (size_t i = 0; i < d->pool.place_count; i++) {
        const struct run_claim *c = d->pool.places[i].claim;
        if (c && c->stop == STOP_NONE)
            log_error("task %llu: the lease could not be renewed: ended", (unsigned long long)c->task.id);
    }
    pool_stop_all(&d->pool, STOP_LEASE, now_ns);
    hand_back_waiting(d);
}

void lease_leave(struct dispatcher *d)
{
    struct error e = {0};
    if (store_leave_runner(d->store, d->name, &e))
        log_warning("cannot say good-bye to the database: %s", e.text);
}
