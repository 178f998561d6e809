/* SPDX-License-Identifier: MIT */
/* poller.c: what a child watches: new connections, idle connections, signals, the drain. It never reads a
 * request and never blocks outside epoll. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fcgi/conn.h"

enum {
    EVENTS = 64,
    PASS_AGAIN_MSEC = 10,    /* while no younger child takes a connection */
    ACCEPT_AGAIN_MSEC = 100, /* after running out of descriptors or memory */
    END_MSEC = 5000,         /* for requests under way once the drain time is over */
};

struct poller {
    struct pool *pool;
    int signals;
    bool accepting;         /* the listener is in epoll */
    bool receiving;         /* handover_in is in epoll */
    int64_t pause_until_ns; /* no accepting before; 0 = none */
    int64_t deadline_ns;    /* of the present phase of the drain */
};

static int64_t msec_ns(int64_t msec)
{
    return msec * 1000000;
}

static void pause_accepting(struct poller *l, const char *why)
{
    log_warning("cannot take a connection: %s", why);
    l->pause_until_ns = clock_mono_ns() + msec_ns(ACCEPT_AGAIN_MSEC);
}

/* Sources are distinguished by the address of the variable that holds their descriptor. */
static void watch(struct poller *l, const int *fd)
{
    if (!conn_epoll(l->pool, EPOLL_CTL_ADD, *fd, EPOLLIN, fd))
        log_bug("epoll_ctl: %s", strerror(errno));
}

/* Those of connections, which other children watch as well. False: not now, as the kernel has no room for it. */
static bool watch_source(struct poller *l, const int *fd)
{
    if (conn_epoll(l->pool, EPOLL_CTL_ADD, *fd, EPOLLIN | EPOLLEXCLUSIVE, fd))
        return true;
    pause_accepting(l, strerror(errno));
    return false;
}

static void unwatch(struct poller *l, const int *fd)
{
    epoll_ctl(l->pool->epoll, EPOLL_CTL_DEL, *fd, NULL);
}

/* Puts the sources of connections in or out of epoll as the phase and the load ask for. */
static void choose_sources(struct poller *l, int64_t now)
{
    const struct pool_options *o = l->pool->options;
    pthread_mutex_lock(&l->pool->lock);
    enum pool_phase phase = l->pool->phase;
    bool full = l->pool->full = l->pool->count >= o->connections;
    pthread_mutex_unlock(&l->pool->lock);

    if (l->pause_until_ns && now >= l->pause_until_ns)
        l->pause_until_ns = 0;
    bool open = !full && !l->pause_until_ns;
    bool accept = open && phase == POOL_SERVING;
    bool receive = open && (phase == POOL_SERVING || phase == POOL_STOPPING);
    if (accept && !l->accepting)
        accept = watch_source(l, &o->listener);
    if (!accept && l->accepting)
        unwatch(l, &o->listener);
    if (receive && !l->receiving)
        receive = watch_source(l, &o->handover_in);
    if (!receive && l->receiving)
        unwatch(l, &o->handover_in);
    l->accepting = accept;
    l->receiving = receive;
}

/* Takes one connection and goes to the end of the line: the kernel wakes the first of those who wait,
 * so the children take turns, and none of them holds all the kept connections. */
static void accept_one(struct poller *l)
{
    const int *listener = &l->pool->options->listener;
    int fd = accept4(*listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        conn_open(l->pool, fd);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        return pause_accepting(l, strerror(errno));
    unwatch(l, listener);
    l->accepting = watch_source(l, listener);
}

/* Takes one connection that an older child passes on. */
static void receive_one(struct poller *l)
{
    int fd = -1;
    char control[CMSG_SPACE(sizeof fd)] = {0}, byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t n = recvmsg(l->pool->options->handover_in, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return pause_accepting(l, strerror(errno));
    if (n > 0 && message.msg_flags & MSG_CTRUNC) /* the message is here, its descriptor is lost */
        return pause_accepting(l, "no descriptor is free for one that was passed on: it is closed");
    struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof fd))
        return;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    conn_open(l->pool, fd);
}

static void enter_phase(struct poller *l, enum pool_phase phase)
{
    int64_t drain = l->pool->options->drain_usec * 1000;
    l->deadline_ns = clock_mono_ns() + (phase == POOL_ENDING ? msec_ns(END_MSEC) : drain);
    pthread_mutex_lock(&l->pool->lock);
    l->pool->phase = phase;
    pthread_mutex_unlock(&l->pool->lock);
}

static void take_signal(struct poller *l)
{
    struct signalfd_siginfo info;
    if (read(l->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (l->pool->phase == POOL_ENDING)
        return;
    enter_phase(l, info.ssi_signo == SIGUSR2 ? POOL_PASSING : POOL_STOPPING);
}

static void take_event(struct poller *l, const struct epoll_event *event)
{
    const struct pool_options *o = l->pool->options;
    const void *source = event->data.ptr;
    uint64_t count;
    if (source == &o->listener) {
        accept_one(l);
    } else if (source == &o->handover_in) {
        receive_one(l);
    } else if (source == &l->signals) {
        take_signal(l);
    } else if (source == &l->pool->wake) {
        ssize_t ignored = read(l->pool->wake, &count, sizeof count);
        (void)ignored; /* looking again is all that follows */
    } else {
        conn_dispatch(l->pool, event->data.ptr);
    }
}

/* What is left to do; the phase moves on when its time is over. */
static enum watch drained(struct poller *l, int64_t now)
{
    struct pool *p = l->pool;
    pthread_mutex_lock(&p->lock);
    unsigned count = p->count, busy = p->busy;
    pthread_mutex_unlock(&p->lock);
    if (p->phase == POOL_SERVING)
        return WATCH_GOES_ON;
    if (count == 0)
        return WATCH_DONE;
    if (now < l->deadline_ns)
        return WATCH_GOES_ON;
    if (p->phase != POOL_ENDING) {
        log_info("drain time is over: closing %u connections, %u of them at work", count, busy);
        enter_phase(l, POOL_ENDING);
        conn_sweep(p);
        return WATCH_GOES_ON;
    }
    log_warning("ending with %u requests unanswered", busy);
    return WATCH_GIVEN_UP;
}

/* Milliseconds until something must be looked at without an event; -1 = no limit. */
static int patience(const struct poller *l, int64_t now)
{
    if (l->pool->phase == POOL_PASSING)
        return PASS_AGAIN_MSEC;
    int64_t until = l->pause_until_ns ? l->pause_until_ns : INT64_MAX;
    if (l->pool->phase != POOL_SERVING && l->deadline_ns < until)
        until = l->deadline_ns;
    if (until == INT64_MAX)
        return -1;
    return until <= now ? 0 : (int)((until - now) / msec_ns(1)) + 1;
}

struct poller *poller_create(struct pool *p, int signals)
{
    struct poller *l = xcalloc(1, sizeof *l);
    l->pool = p;
    l->signals = signals;
    watch(l, &l->signals);
    watch(l, &p->wake);
    return l;
}

void poller_destroy(struct poller **l)
{
    free(*l);
    *l = NULL;
}

enum watch poller_watch(struct poller *l)
{
    struct pool *p = l->pool;
    struct epoll_event events[EVENTS];
    choose_sources(l, clock_mono_ns());
    int n = epoll_wait(p->epoll, events, EVENTS, patience(l, clock_mono_ns()));
    if (n < 0 && errno != EINTR)
        log_bug("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < n; i++)
        take_event(l, &events[i]);
    conn_queue_woken(p);
    if (p->phase != POOL_SERVING)
        conn_sweep(p);
    return drained(l, clock_mono_ns());
}
