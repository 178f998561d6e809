/* SPDX-License-Identifier: MIT */
/* waiters.h: requests that wait for the end of a task, without a thread each: one thread of the process
 * looks all their tasks up with one statement, often while there is news and four times a second
 * otherwise. Knows nothing of HTTP. Any thread. */
#ifndef FCGI_WAITERS_H
#define FCGI_WAITERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct backend;
struct waiters;

/* Somebody who waits. The caller's memory, from waiters_add to waiters_leave. */
struct wait {
    struct wait *prev, *next;
    uint64_t id;
    int64_t until_ns;
    void *place; /* for wake */
    bool listed;
    bool over; /* the task has ended, or the time is up */
};

/* WAKE is called for a wait that is over, by the thread and with a lock held: it may call nothing of here.
 * At most MAX wait at a time. ERR_SYSTEM where the thread cannot start. */
int waiters_create(struct backend *b, size_t max, void (*wake)(void *place), struct waiters **out,
                   struct error *e) MUST_USE;
void waiters_destroy(struct waiters **w); /* NULL is accepted; nobody may be waiting */

/* Waits for the task's end, at most SECONDS. False: there are too many already. After true WAKE may have
 * been called before this returns. */
bool waiters_add(struct waiters *w, struct wait *wait, uint64_t id, int seconds, void *place) MUST_USE;

/* After this WAKE will not be called for it. Returns whether the wait is over. */
bool waiters_leave(struct waiters *w, struct wait *wait);

#endif
