/* SPDX-License-Identifier: MIT */
/* pool.h: the dispatcher's worker processes: keeps as many as configured, hands tasks to those with a free
 * place, takes their answers and writes the obituary of those that die. Knows nothing of the database. */
#ifndef TASKS_RUNNER_POOL_H
#define TASKS_RUNNER_POOL_H

#include <sys/types.h>

#include "claim.h"
#include "slot.h"

struct pool_worker;

/* Where a worker runs a task: an ordinary worker has one, one that carries many has many. */
struct pool_place {
    struct pool_worker *worker; /* the one that it belongs to, for ever */
    struct slot *slot;
    struct run_claim *claim; /* what runs there; NULL = free */
};

struct pool_worker {
    enum worker_kind kind;
    pid_t pid; /* 0 = none */
    int fd;    /* -1 = none */
    struct pool_place *places; /* neighbours in the pool's */
    size_t place_count;        /* as configured when it was forked */
    size_t busy;               /* how many of them have a claim */
    unsigned generation;       /* of the configuration it was forked with */
    bool ended;                /* its socket has reported the end; the obituary is to come */
    struct buf in;
    struct buf out; /* what its socket did not take yet */
};

/* The workers of one kind. */
struct crew {
    struct pool_worker *workers; /* neighbours in the pool's */
    size_t cap;                  /* the most there will ever be */
    size_t count;                /* how many there should be */
    size_t used;                 /* those behind have never been forked: nothing to look at */
    size_t places;               /* of each */
    double run_ns;               /* how long its tasks take, a moving average; 0 = none has ended yet */
};

struct pool {
    struct pool_worker *workers;
    size_t worker_count;
    struct pool_place *places;
    size_t place_count;
    struct crew crews[WORKER_KINDS];
    struct slots *slots;
    const struct catalogue *catalogue;
    unsigned generation;
    unsigned many_generation; /* workers that carry many of older ones get no more tasks */
    int epoll;
    int64_t respawn_at_ns;    /* after a worker died idle: not before this */
    struct claim_list *ended; /* where ended claims go, their finish filled in */
};

/* The most there will ever be. */
struct pool_size {
    size_t workers;      /* ordinary ones */
    size_t many_workers; /* that carry many tasks: one, and those of older configurations that still do */
    size_t many_places;  /* of each */
};

int pool_init(struct pool *p, const struct pool_size *size, int epoll, struct claim_list *ended,
              struct error *e) MUST_USE;

/* Closes all sockets (idle workers end by themselves), kills what still runs, waits for all. */
void pool_destroy(struct pool *p);

/* From now on WORKERS ordinary workers, and where MANY_PLACES is not 0 one that carries so many (from its first
 * task on), with this configuration; those of older ones end when idle, and the newest of them goes on where there is
 * no room for another that carries many, but for MANY_ANEW: it does not know what those tasks need now. */
void pool_configure(struct pool *p, const struct catalogue *catalogue, size_t workers, size_t many_places,
                    bool many_anew);

/* Forks the ordinary workers that are missing, and with MANY_WANTED the one that carries many; retires what is
 * outdated. Nothing else forks. NOW by clock_mono_ns. */
void pool_maintain(struct pool *p, bool many_wanted, int64_t now_ns);

/* How many tasks of a kind may run at once as configured; how many more may now. */
size_t pool_capacity(const struct pool *p, enum worker_kind kind);
size_t pool_free(const struct pool *p, enum worker_kind kind);

/* How many tasks run. */
size_t pool_busy(const struct pool *p);

/* No place of a kind is free before one of its tasks ends. (That of an ordinary worker that has died is free as soon
 * as there is a new one.) */
bool pool_full(const struct pool *p, enum worker_kind kind);

/* Gives C to a worker of its kind that is there and has a free place; false where none is. */
bool pool_assign(struct pool *p, struct run_claim *c, int64_t now_ns);

/* A claim has waited for a place so long: tasks of KIND take longer than those that have ended. */
void pool_note_slow(struct pool *p, enum worker_kind kind, int64_t waits_ns);

/* Worker INDEX has something to say, has ended, or takes more. */
void pool_receive(struct pool *p, size_t index);

/* Collects children that have ended. */
void pool_reap(struct pool *p, int64_t now_ns);

/* Asks the task in PLACE to stop for REASON, and from KILL_AT on its worker is to be killed, but for the sake
 * of this task alone no worker that carries others is (see pool_enforce). */
void pool_stop(struct pool_place *place, enum stop_reason reason, int64_t kill_at_ns);
void pool_stop_all(struct pool *p, enum stop_reason reason, int64_t kill_at_ns);

/* Starts timeouts' stops, and kills workers: one whose tasks are all past their time to stop, and one with
 * such a task that has not looked whether to stop for GRACE: it hangs. Returns the next instant (ns) at which
 * there will be something to enforce, INT64_MAX for none. */
int64_t pool_enforce(struct pool *p, int64_t now_ns, int64_t grace_ns);

#endif
