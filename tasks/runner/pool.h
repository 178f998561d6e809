/* SPDX-License-Identifier: MIT */
/* pool.h: the dispatcher's worker processes: keeps as many as configured, hands tasks to idle ones,
 * takes their answers and writes the obituary of those that die. Knows nothing of the database. */
#ifndef TASKS_RUNNER_POOL_H
#define TASKS_RUNNER_POOL_H

#include <sys/types.h>

#include "claim.h"
#include "slot.h"

struct pool_worker {
    pid_t pid; /* 0 = none: the slot is free */
    int fd;    /* -1 = none */
    struct slot *slot;
    struct run_claim *claim; /* what it runs; NULL = idle */
    unsigned generation;     /* of the configuration it was forked with */
    bool ended;              /* its socket has reported the end; the obituary is to come */
    struct buf in;
};

struct pool {
    struct pool_worker *workers;
    size_t count;       /* how many there should be */
    size_t cap;         /* places in workers and slots */
    struct slots *slots;
    const struct catalogue *catalogue;
    unsigned generation;
    int epoll;
    int64_t respawn_at_ns; /* after a worker died idle: not before this */
    struct claim_list *ended; /* where ended claims go, their finish filled in */
    double run_ns;            /* how long tasks take, a moving average; 0 = none has ended yet */
};

/* CAP: the most workers there will ever be. */
int pool_init(struct pool *p, size_t cap, int epoll, struct claim_list *ended, struct error *e) MUST_USE;

/* Closes all sockets (idle workers end by themselves), kills what still runs, waits for all. */
void pool_destroy(struct pool *p);

/* From now on COUNT workers with this configuration; those of older ones end when idle. */
void pool_configure(struct pool *p, const struct catalogue *catalogue, size_t count);

/* Forks what is missing, retires what is outdated. NOW by clock_mono_ns. */
void pool_maintain(struct pool *p, int64_t now_ns);

size_t pool_idle(const struct pool *p);
size_t pool_busy(const struct pool *p);

/* Gives C to an idle worker; false where none is. */
bool pool_assign(struct pool *p, struct run_claim *c, int64_t now_ns);

/* Bytes or the end have come from worker INDEX. */
void pool_receive(struct pool *p, size_t index);

/* Collects children that have ended. */
void pool_reap(struct pool *p, int64_t now_ns);

/* Asks the task of W to stop for REASON; kills it GRACE_NS later (see pool_enforce). */
void pool_stop(struct pool_worker *w, enum stop_reason reason, int64_t kill_at_ns);

/* Starts timeouts' stops and kills those whose time to stop is up. Returns the next instant (ns) at which
 * there will be something to enforce, INT64_MAX for none. */
int64_t pool_enforce(struct pool *p, int64_t now_ns, int64_t cancel_grace_ns);

#endif
