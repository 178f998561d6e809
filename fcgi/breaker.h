/* SPDX-License-Identifier: MIT */
/* breaker.h: spares requests the wait for a database that is known to be away. After a failure
 * everybody is refused for a short while; then one may try, and its luck decides for all. */
#ifndef FCGI_BREAKER_H
#define FCGI_BREAKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum { BREAKER_PAUSE_MSEC = 250 };

struct breaker {
    pthread_mutex_t lock;
    bool open;
    bool probing; /* one is trying */
    int64_t retry_at_ns;
};

void breaker_init(struct breaker *b);
void breaker_destroy(struct breaker *b);

/* True: try, and tell breaker_leave how it went. False: do not even try. Any thread. */
bool breaker_enter(struct breaker *b) MUST_USE;

/* Instead of breaker_leave: what happened says nothing about the database. */
void breaker_abstain(struct breaker *b);

/* Returns whether that is news: the first failure, or the first success after one. */
bool breaker_leave(struct breaker *b, bool good) MUST_USE;

#endif
