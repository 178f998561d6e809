/* SPDX-License-Identifier: MIT */
/* conn.h: the connections of a pool, shared between pool.c (threads) and poller.c (the loop). */
#ifndef FCGI_CONN_H
#define FCGI_CONN_H

#include <pthread.h>
#include <stdbool.h>

#include "fcgi/gateway.h"
#include "fcgi/pool.h"

/* Who may touch a connection: one worker while it is busy, else the poller; so that no connection goes away
 * while the poller has an event of it in its hands. */
enum conn_state {
    CONN_IDLE, /* armed in epoll: its next event makes it busy */
    CONN_BUSY, /* queued for a worker or with one */
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
    int wake; /* eventfd: a worker tells the poller that something has changed */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct conn *conns;
    unsigned count; /* of conns */
    unsigned busy;  /* of them with a request, parked ones too */
    struct conn *queue_first, *queue_last;
    struct conn *waking;
    enum pool_phase phase;
    bool full;    /* the poller took the sources out of epoll: wake it when a connection goes */
    bool workers_end;
};

/* Takes over FD, a connected socket, and arms it. */
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

/* Takes the next connection from the queue, waits for one; NULL: the thread shall end. */
struct conn *conn_take(struct pool *p) MUST_USE;

/* The loop, until the drain is over. Returns whether every request has been answered. */
bool poller_run(struct pool *p, int signals) MUST_USE;

#endif
