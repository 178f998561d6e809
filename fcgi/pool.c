/* SPDX-License-Identifier: MIT */
/* pool.c: the threads of a child process around the connections of conn.c and the watch of poller.c. */
#include "fcgi/pool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "fcgi/conn.h"
#include "fcgi/watch.h"

/* Requests need little stack: buffers come from the arena, and JSON's depth is bounded. */
#ifdef WITH_SANITIZERS
enum { STACK_SIZE = 2 * 1024 * 1024 };
#else
enum { STACK_SIZE = 256 * 1024 };
#endif

/* The pool whose worker this thread is, and whether it has the watch in hand. */
static _Thread_local struct pool *mine;
static _Thread_local bool in_hand;

/* How many requests this thread has served that may have left something to be done for many at once. Where it has
 * waited meanwhile, that is due. */
static _Thread_local unsigned unflushed;
static _Thread_local bool flush_due;

enum { UNFLUSHED_MAX = 32 }; /* however many more there are to serve */

/* --- serving ------------------------------------------------------------------------------------ */

void *pool_context(const struct pool_request *r)
{
    return r->pool->options->context;
}

void pool_served(struct pool_request *r, enum outcome outcome)
{
    struct conn *c = (struct conn *)r;
    if (outcome == OUTCOME_HELD)
        conn_park(r->pool, c);
    else if (outcome == OUTCOME_ANSWERED)
        conn_answered(r->pool, c, gateway_finish(c->gateway));
}

static void serve(struct pool *p, struct conn *c)
{
    const struct pool_options *o = p->options;
    enum gateway_event event = c->request.kept ? GATEWAY_REQUEST : gateway_begin(c->gateway);
    if (event != GATEWAY_REQUEST)
        return conn_answered(p, c, event == GATEWAY_NOTHING);
    c->request.transport = gateway_transport(c->gateway);
    pool_served(&c->request, o->serve(o->context, &c->request));
}

/* --- the watch (watch.h) ------------------------------------------------------------------------ */

/* Lock held, and given up meanwhile. */
static void watch(struct pool *p, int watcher)
{
    p->watcher = watcher;
    pthread_mutex_unlock(&p->lock);
    enum watch state = poller_watch(p->poller);
    pthread_mutex_lock(&p->lock);
    p->watcher = watcher == WORKER ? IN_HAND : NOBODY;
    in_hand = watcher == WORKER;
    if (state == WATCH_GOES_ON)
        return;
    p->over = true;
    p->gave_up = state == WATCH_GIVEN_UP;
    pthread_cond_broadcast(&p->work);
    pthread_cond_signal(&p->reserve);
}

void watch_leave(void)
{
    struct pool *p = mine;
    bool flush = unflushed > 1 && !flush_due; /* for requests before the one that waits */
    flush_due = true;
    if (!p || (!in_hand && !flush))
        return;
    pthread_mutex_lock(&p->lock);
    if (in_hand)
        p->watcher = NOBODY;
    in_hand = false;
    p->flush_wanted |= flush;
    conn_hire(p);
    pthread_mutex_unlock(&p->lock);
}

/* Lock held, and given up meanwhile. */
static void flush(struct pool *p)
{
    unflushed = 0;
    p->flush_wanted = false;
    if (p->queue_first || (!in_hand && p->watcher == NOBODY))
        conn_hire(p); /* leading may take long, and this thread may have been hired twice: to serve as well */
    pthread_mutex_unlock(&p->lock);
    p->options->flush(p->options->context);
    flush_due = false;
    pthread_mutex_lock(&p->lock);
}

/* Lock held, and given up meanwhile. What is queued is served first, so that it can be done for many at once; then
 * comes the watch, where nobody else has it. NULL: the thread shall end. */
static struct conn *next_connection(struct pool *p)
{
    struct conn *c;
    for (;;) {
        if (p->flush_wanted || (unflushed && flush_due) || unflushed >= UNFLUSHED_MAX)
            flush(p);
        c = conn_take(p);
        if (c || p->over)
            break;
        if (unflushed) {
            flush(p);
        } else if (p->watcher == NOBODY || in_hand) {
            watch(p, WORKER);
        } else {
            p->idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->idle--;
        }
    }
    if (c && !in_hand && (p->queue_first || p->watcher == NOBODY))
        conn_hire(p);
    return c;
}

static void *worker_main(void *argument)
{
    struct pool *p = argument;
    struct conn *c;
    mine = p;
    pthread_mutex_lock(&p->lock);
    while ((c = next_connection(p)) != NULL) {
        pthread_mutex_unlock(&p->lock);
        unflushed++;
        serve(p, c);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* The main thread: watches while all workers are busy, for signals and peers that go away. It never serves, as that
 * may block. */
static void stand_by(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (!p->over) {
        if (p->watcher != NOBODY || p->idle)
            pthread_cond_wait(&p->reserve, &p->lock);
        else
            watch(p, MAIN);
        if (p->watcher == NOBODY && p->idle)
            pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
}

static int start_workers(pthread_t *workers, struct pool *p, unsigned *started, struct error *e)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int failed = 0;
    for (*started = 0; *started < p->options->threads && !failed; *started += !failed)
        failed = pthread_create(&workers[*started], &attributes, worker_main, p);
    pthread_attr_destroy(&attributes);
    if (!failed)
        return 0;
    return error_set(e, ERR_SYSTEM, "cannot start thread %u of api.threads = %u: %s", *started + 1,
                     p->options->threads, strerror(failed));
}

static void end_workers(const pthread_t *workers, struct pool *p, unsigned count)
{
    pthread_mutex_lock(&p->lock);
    p->over = true;
    pthread_cond_broadcast(&p->work);
    conn_wake_poller(p);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < count; i++)
        pthread_join(workers[i], NULL);
}

static int open_descriptors(struct pool *p, int *signals, struct error *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    *signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (*signals < 0 || p->epoll < 0 || p->wake < 0)
        return error_errno(e, ERR_SYSTEM, "cannot open signalfd, epoll or eventfd");
    int flags = fcntl(p->options->listener, F_GETFL);
    if (flags < 0 || fcntl(p->options->listener, F_SETFL, flags | O_NONBLOCK) != 0)
        return error_errno(e, ERR_SYSTEM, "cannot make the listening socket non-blocking");
    return 0;
}

static void close_descriptor(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void say_ready(int fd)
{
    if (fd < 0)
        return;
    if (write(fd, "r", 1) != 1)
        log_warning("cannot report readiness");
    close(fd);
}

int pool_run(const struct pool_options *o, struct error *e)
{
    struct pool pool = {.options = o, .epoll = -1, .wake = -1};
    pthread_t *workers = xcalloc(o->threads, sizeof *workers);
    unsigned started = 0;
    int signals = -1;
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.work, NULL);
    pthread_cond_init(&pool.reserve, NULL);

    int result = open_descriptors(&pool, &signals, e);
    if (result == 0) {
        pool.poller = poller_create(&pool, signals);
        result = start_workers(workers, &pool, &started, e);
    }
    if (result == 0) {
        say_ready(o->ready);
        stand_by(&pool);
        if (pool.gave_up)
            _exit(EXIT_FAILURE); /* threads that still hold a request cannot be joined */
    }
    end_workers(workers, &pool, started);
    poller_destroy(&pool.poller);
    close_descriptor(signals);
    close_descriptor(pool.epoll);
    close_descriptor(pool.wake);
    pthread_cond_destroy(&pool.work);
    pthread_cond_destroy(&pool.reserve);
    pthread_mutex_destroy(&pool.lock);
    free(workers);
    return result;
}
