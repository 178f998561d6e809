/* SPDX-License-Identifier: MIT */
/* pool.h: the connections and threads of one child process. One thread at a time watches the sources of
 * connections and all idle connections. When bytes come it serves them itself, and before it waits for
 * anything it leaves the watch to another thread (leader and followers; Schmidt and others, Pattern-Oriented
 * Software Architecture 2, 2000), so that nothing is handed over on the way of a lone request. Idle
 * connections hold no thread, and neither do requests that are parked because their answer has to wait. */
#ifndef FCGI_POOL_H
#define FCGI_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "fcgi/outcome.h"
#include "fcgi/transport.h"

struct pool;

/* A request on its way through the pool. */
struct pool_request {
    struct pool *pool; /* the pool's own */
    struct transport *transport;
    void *kept; /* the server's; not NULL while the request is parked */
};

/* Serves one request. Called by worker threads, any number at a time. OUTCOME_HELD: R is parked; as soon as
 * this has been decided nothing of it may be touched until it is served again, which pool_wake causes, or the
 * peer going away, or the end of the pool. OUTCOME_ELSEWHERE: pool_served or pool_serve_again must follow, or
 * already has. */
typedef enum outcome pool_serve_fn(void *context, struct pool_request *r);

/* What has become of a request that was elsewhere; nothing is done where it is so again. Any thread. */
void pool_served(struct pool_request *r, enum outcome outcome);

/* Has a request that was elsewhere served again, by a worker. Any thread; never blocks. */
void pool_serve_again(struct pool_request *r);

/* The context of the pool's options. */
void *pool_context(const struct pool_request *r) MUST_USE;

/* Has a parked request served again, also where serve has not quite returned yet. Only while the request is
 * known not to have been answered. Any thread; never blocks. */
void pool_wake(struct pool_request *r);

struct pool_options {
    int listener;        /* the shared listening socket, made non-blocking */
    int handover_in;     /* connections that older children pass on; shared by all children */
    int handover_out;    /* its other end */
    int ready;           /* gets one byte when the pool serves, then is closed; -1 = none */
    unsigned threads;    /* at least 1 */
    unsigned connections; /* at most so many are held; further ones wait in the listener's queue */
    int64_t io_timeout_usec; /* how long a peer may stall within a request */
    int64_t drain_usec;      /* how long kept connections are served after SIGTERM */
    pool_serve_fn *serve;
    void (*flush)(void *context); /* by a worker that has served, soon after it; it may take long */
    void *context;
};

/* Serves until it is told to stop and has drained. SIGTERM: accept nothing more, serve the kept
 * connections until the web server drops them or drain_usec has passed. SIGUSR2: pass the kept
 * connections on to younger children and end. Both must be blocked in the calling thread already.
 * Returns 0, or ERR_SYSTEM where it could not start. */
int pool_run(const struct pool_options *o, struct error *e) MUST_USE;

#endif
