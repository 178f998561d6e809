/* SPDX-License-Identifier: MIT */
/* pool.c: the threads of a child process around the connections of conn.c and the loop of poller.c. */
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

/* Requests need little stack: buffers come from the arena, and JSON's depth is bounded. */
#ifdef WITH_SANITIZERS
enum { STACK_SIZE = 2 * 1024 * 1024 };
#else
enum { STACK_SIZE = 256 * 1024 };
#endif

static void *worker_main(void *argument)
{
    struct pool *p = argument;
    const struct pool_options *o = p->options;
    struct conn *c;
    while ((c = conn_take(p)) != NULL) {
        enum gateway_event event = c->request.kept ? GATEWAY_REQUEST : gateway_begin(c->gateway);
        bool kept = event == GATEWAY_NOTHING;
        if (event == GATEWAY_REQUEST) {
            c->request.transport = gateway_transport(c->gateway);
            if (!o->serve(o->context, &c->request)) {
                conn_park(p, c);
                continue;
            }
            kept = gateway_finish(c->gateway);
        }
        conn_answered(p, c, kept);
    }
    return NULL;
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
    return error_set(e, ERR_SYSTEM, "cannot start thread %u: %s", *started, strerror(failed));
}

static void end_workers(const pthread_t *workers, struct pool *p, unsigned count)
{
    pthread_mutex_lock(&p->lock);
    p->workers_end = true;
    pthread_cond_broadcast(&p->work);
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

    int result = open_descriptors(&pool, &signals, e);
    if (result == 0)
        result = start_workers(workers, &pool, &started, e);
    if (result == 0) {
        say_ready(o->ready);
        if (!poller_run(&pool, signals))
            _exit(EXIT_FAILURE); /* threads that still hold a request cannot be joined */
    }
    end_workers(workers, &pool, started);
    close_descriptor(signals);
    close_descriptor(pool.epoll);
    close_descriptor(pool.wake);
    pthread_cond_destroy(&pool.work);
    pthread_mutex_destroy(&pool.lock);
    free(workers);
    return result;
}
