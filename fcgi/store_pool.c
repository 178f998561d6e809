/* SPDX-License-Identifier: MIT */
/* store_pool.c: lends stores in the order of asking. */
#include "fcgi/store_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

/* Somebody who waits, on the stack of his thread. */
struct waiter {
    struct waiter *next;
    pthread_cond_t served;
    struct lease *lease; /* set by who gives one back */
};

struct store_pool {
    pthread_mutex_t lock;
    struct lease *leases;
    struct lease **idle; /* a stack: the store used last is the likeliest to be connected */
    size_t count, idle_count;
    struct waiter *first, *last;
};

struct store_pool *store_pool_create(const struct db_address *address, size_t count, int timeout_s,
                                     int64_t statement_msec)
{
    struct store_pool *p = xcalloc(1, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    p->leases = xcalloc(count, sizeof *p->leases);
    p->idle = xcalloc(count, sizeof *p->idle);
    p->count = p->idle_count = count;
    for (size_t i = 0; i < count; i++) {
        p->leases[i].store = store_create(address, STORE_API, timeout_s);
        store_set_statement_limit(p->leases[i].store, statement_msec);
        p->idle[i] = &p->leases[i];
    }
    return p;
}

void store_pool_destroy(struct store_pool **p)
{
    if (!*p)
        return;
    for (size_t i = 0; i < (*p)->count; i++)
        store_destroy(&(*p)->leases[i].store);
    pthread_mutex_destroy(&(*p)->lock);
    free((*p)->leases);
    free((*p)->idle);
    free(*p);
    *p = NULL;
}

/* Lock held. Takes a waiter who has given up out of the queue. */
static void leave_queue(struct store_pool *p, const struct waiter *w)
{
    struct waiter **link = &p->first, *before = NULL;
    while (*link != w) {
        before = *link;
        link = &before->next;
    }
    *link = w->next;
    if (p->last == w)
        p->last = before;
}

/* Lock held, and given up meanwhile. */
static struct lease *wait_in_line(struct store_pool *p, int64_t wait_ns)
{
    struct waiter self = {0};
    struct timespec until;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self.served, &monotonic);
    pthread_condattr_destroy(&monotonic);
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nsec = until.tv_nsec + wait_ns;
    until.tv_sec += nsec / 1000000000;
    until.tv_nsec = nsec % 1000000000;

    if (p->last)
        p->last->next = &self;
    else
        p->first = &self;
    p->last = &self;
    while (!self.lease)
        if (pthread_cond_timedwait(&self.served, &p->lock, &until) == ETIMEDOUT && !self.lease) {
            leave_queue(p, &self);
            break;
        }
    pthread_cond_destroy(&self.served);
    return self.lease;
}

struct lease *store_pool_take(struct store_pool *p, int64_t wait_ns)
{
    pthread_mutex_lock(&p->lock);
    struct lease *lease = p->idle_count ? p->idle[--p->idle_count] : wait_in_line(p, wait_ns);
    pthread_mutex_unlock(&p->lock);
    return lease;
}

void store_pool_give(struct store_pool *p, struct lease *lease)
{
    pthread_mutex_lock(&p->lock);
    struct waiter *w = p->first;
    if (w) {
        p->first = w->next;
        if (!p->first)
            p->last = NULL;
        w->lease = lease;
        pthread_cond_signal(&w->served);
    } else {
        p->idle[p->idle_count++] = lease;
    }
    pthread_mutex_unlock(&p->lock);
}
