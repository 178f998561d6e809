/* SPDX-License-Identifier: MIT */
/* conn.h: the connections of a pool, shared between pool.c (threads) and poller.c (the watch). */
#ifndef FCGI_CONN_H
#define FCGI_CONN_H

#include <pthread.h>
#include <stdbool.h>

#include "fcgi/gateway.h"
#include "fcgi/pool.h"

/* Who may touch a connection: one thread while it is busy, else the poller, which is whoever has the watch; so
 * that no connection goes away while the poller has an event of it in its hands. */
enum conn_state {
    CONN_IDLE, /* armed in epoll: its next event makes it busy */
    CONN_BUSY, /* queued for a worker, with one, or elsewhere */
    CONN_PARKED, /* in the middle of a request that waits; epoll tells when the peer goes away */
    CONN_WAKING, /* was parked; the poller is told to queue it */
};

struct conn {
    struct pool_request request; /* first member: pool_wake finds the connection by it */
    struct gateway *gateway;
    enum conn_state state;
    bool watched; /* in epoll */
    bool woken;   /* while it was busy: it must not be parked */
    struct conn *prev, *next; /* of all connections */
    struct conn *queued;      /* the next one in the queue, or of those to be woken */
};

enum pool_phase {
    POOL_SERVING,
    POOL_STOPPING, /* no new connections, the kept ones are served */
    POOL_PASSING,  /* no new connections, the kept ones go to younger children */
    POOL_ENDING,   /* kept connections are closed after their answer */
};

/* Everything below lock is guarded by it. */
struct pool {
    const struct pool_options *options;
    int epoll;
    int wake; /* eventfd: tells the poller that something has changed */
    struct poller *poller; /* the state of the watch: of whoever has it */
    pthread_mutex_t lock;
    pthread_cond_t work;    /* idle workers wait for it */
    pthread_cond_t reserve; /* the main thread does: it watches where all workers are busy */
    unsigned idle;          /* workers that wait */
    enum {
        NOBODY,
        WORKER,  /* a worker waits for events */
        IN_HAND, /* a worker has the watch, serves, and comes back to it or leaves it to another */
        MAIN,
    } watcher;
    bool flush_wanted;      /* by a worker that waits for something else now */
    bool over, gave_up;     /* the threads shall end; requests are left unanswered */
    struct conn *conns;
    unsigned count; /* of conns */
    unsigned busy;  /* of them with a request, parked ones too */
    struct conn *queue_first, *queue_last;
    struct conn *waking;
    enum pool_phase phase;
    bool full;    /* the poller took the sources out of epoll: wake it when a connection goes */
};

/* epoll_ctl for the pool's. False, with errno: the kernel has no room for it; whatever else fails is a bug. */
bool conn_epoll(const struct pool *p, int operation, int fd, uint32_t events, const void *what) MUST_USE;

/* Takes over FD, a connected socket, and arms it; closes it where it cannot be watched. */
void conn_open(struct pool *p, int fd);

/* Gives an idle or parked connection to the workers. Called by the poller on its event. */
void conn_dispatch(struct pool *p, struct conn *c);

/* A busy connection has been answered: back to idle, passed on, or closed. Any thread. */
void conn_answered(struct pool *p, struct conn *c, bool kept);

/* A busy connection's request waits; the worker is free. */
void conn_park(struct pool *p, struct conn *c);

/* Queues those that pool_wake has named. Called by the poller between two rounds of events. */
void conn_queue_woken(struct pool *p);

/* Passes on or closes idle connections as the phase asks for, and has parked requests answered. Called by the
 * poller between two rounds of events. */
void conn_sweep(struct pool *p);

/* The poller sleeps in epoll; that it must look at something again is told through the eventfd. */
void conn_wake_poller(const struct pool *p);

/* Lock held. Has somebody else look after the queue and the watch. */
void conn_hire(struct pool *p);

/* Lock held. Takes the next connection out of the queue; NULL: it is empty. */
struct conn *conn_take(struct pool *p) MUST_USE;

enum watch { WATCH_GOES_ON, WATCH_DONE, WATCH_GIVEN_UP };

/* SIGNALS: descriptor of the signals that tell the pool to end. */
struct poller *poller_create(struct pool *p, int signals) MUST_USE;
void poller_destroy(struct poller **l); /* NULL is accepted */

/* Waits for events once and takes them: new connections are opened, others queued. By whoever has the watch, who
 * keeps having it until told that the drain is over: every request is answered, or that has been given up. */
enum watch poller_watch(struct poller *l) MUST_USE;

#endif
