/* SPDX-License-Identifier: MIT */
/* conn.c: the life of a connection: idle, busy, idle again; passed on or closed. */
#include "fcgi/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

void conn_wake_poller(const struct pool *p)
{
    const uint64_t one = 1;
    ssize_t ignored = write(p->wake, &one, sizeof one);
    (void)ignored; /* only a full counter fails, and then the poller wakes anyway */
}

bool conn_epoll(const struct pool *p, int operation, int fd, uint32_t events, const void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)what};
    if (epoll_ctl(p->epoll, operation, fd, &event) == 0)
        return true;
    if (errno != ENOSPC && errno != ENOMEM)
        log_bug("epoll_ctl: %s", strerror(errno));
    return false;
}

/* Lock held. False: the kernel has no room for it. */
static bool watch(struct pool *p, struct conn *c, uint32_t events)
{
    int operation = c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (conn_epoll(p, operation, gateway_fd(c->gateway), events | EPOLLRDHUP | EPOLLONESHOT, c))
        return c->watched = true;
    log_warning("cannot watch a connection: %s", strerror(errno));
    return false;
}

/* Lock held. Whoever calls it looks at the queue himself next, or hires a worker. */
static void queue(struct pool *p, struct conn *c)
{
    c->state = CONN_BUSY;
    c->woken = false;
    c->queued = NULL;
    if (p->queue_last)
        p->queue_last->queued = c;
    else
        p->queue_first = c;
    p->queue_last = c;
}

/* Lock held, in the poller. A parked connection whose event has not come: it must not come later, when a
 * worker may be closing it. */
static void queue_parked(struct pool *p, struct conn *c)
{
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, gateway_fd(c->gateway), NULL);
    c->watched = false;
    queue(p, c);
}

/* Lock held. Frees the struct; the descriptor is closed, or has been passed on. */
static void forget(struct pool *p, struct conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        p->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    p->count--;
    gateway_destroy(&c->gateway);
    free(c);
    if (p->full || p->phase != POOL_SERVING)
        conn_wake_poller(p);
}

/* Lock held. Waits for its next request, or closes it. */
static void arm(struct pool *p, struct conn *c)
{
    c->state = CONN_IDLE;
    if (!watch(p, c, EPOLLIN))
        forget(p, c);
}

/* Lock held, the connection in nobody else's hands. Sends the descriptor to whichever younger child
 * takes it: nothing has been read ahead between two requests, so the peer notices nothing. Returns
 * false where nobody takes it now. */
static bool pass_on(struct pool *p, struct conn *c)
{
    int fd = gateway_fd(c->gateway);
    char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(p->options->handover_out, &message, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
        return false;
    /* the connection lives on elsewhere, so closing our descriptor would not take it out of epoll */
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
    return true;
}

void conn_open(struct pool *p, int fd)
{
    const struct timeval timeout = {
        .tv_sec = p->options->io_timeout_usec / 1000000,
        .tv_usec = p->options->io_timeout_usec % 1000000,
    };
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* fails on Unix sockets, as it should */

    struct conn *c = xcalloc(1, sizeof *c);
    c->gateway = gateway_create(fd);
    c->request.pool = p;
    pthread_mutex_lock(&p->lock);
    c->next = p->conns;
    if (c->next)
        c->next->prev = c;
    p->conns = c;
    p->count++;
    arm(p, c);
    pthread_mutex_unlock(&p->lock);
}

void conn_dispatch(struct pool *p, struct conn *c)
{
    pthread_mutex_lock(&p->lock);
    if (c->state == CONN_IDLE)
        p->busy++;
    if (c->state == CONN_IDLE || c->state == CONN_PARKED)
        queue(p, c);
    pthread_mutex_unlock(&p->lock);
}

void conn_park(struct pool *p, struct conn *c)
{
    pthread_mutex_lock(&p->lock);
    if (!c->woken && p->phase == POOL_SERVING && watch(p, c, 0)) {
        c->state = CONN_PARKED;
    } else { /* answered at once */
        queue(p, c);
        conn_hire(p);
    }
    pthread_mutex_unlock(&p->lock);
}

void pool_wake(struct pool_request *r)
{
    struct pool *p = r->pool;
    struct conn *c = (struct conn *)r;
    pthread_mutex_lock(&p->lock);
    if (c->state == CONN_PARKED) {
        c->state = CONN_WAKING;
        c->queued = p->waking;
        p->waking = c;
        conn_wake_poller(p);
    } else if (c->state == CONN_BUSY) {
        c->woken = true;
    }
    pthread_mutex_unlock(&p->lock);
}

void conn_queue_woken(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    for (struct conn *c = p->waking, *next; c; c = next) {
        next = c->queued;
        queue_parked(p, c);
    }
    p->waking = NULL;
    pthread_mutex_unlock(&p->lock);
}

void pool_serve_again(struct pool_request *r)
{
    struct pool *p = r->pool;
    pthread_mutex_lock(&p->lock);
    queue(p, (struct conn *)r);
    conn_hire(p);
    pthread_mutex_unlock(&p->lock);
}

void conn_hire(struct pool *p)
{
    if (p->idle)
        pthread_cond_signal(&p->work);
    else if (p->watcher == WORKER)
        conn_wake_poller(p); /* it can serve as well */
    else if (p->watcher == NOBODY)
        pthread_cond_signal(&p->reserve);
}

struct conn *conn_take(struct pool *p)
{
    struct conn *c = p->queue_first;
    if (c) {
        p->queue_first = c->queued;
        if (!p->queue_first)
            p->queue_last = NULL;
    }
    return c;
}

void conn_answered(struct pool *p, struct conn *c, bool kept)
{
    pthread_mutex_lock(&p->lock);
    p->busy--;
    if (!kept || p->phase == POOL_ENDING || (p->phase == POOL_PASSING && pass_on(p, c)))
        forget(p, c);
    else
        arm(p, c);
    pthread_mutex_unlock(&p->lock);
}

void conn_sweep(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    for (struct conn *c = p->conns, *next; c; c = next) {
        next = c->next;
        if (c->state == CONN_PARKED && p->phase != POOL_SERVING)
            queue_parked(p, c);
        if (c->state != CONN_IDLE)
            continue;
        if (p->phase == POOL_PASSING && !pass_on(p, c))
            break; /* the queue is full: the next sweep goes on */
        if (p->phase == POOL_PASSING || p->phase == POOL_ENDING)
            forget(p, c);
    }
    pthread_mutex_unlock(&p->lock);
}
