/* SPDX-License-Identifier: MIT */
/* breaker.c: open after a failure, closed after a success. */
#include "fcgi/breaker.h"

#include "base/clock.h"

void breaker_init(struct breaker *b)
{
    *b = (struct breaker){0};
    pthread_mutex_init(&b->lock, NULL);
}

void breaker_destroy(struct breaker *b)
{
    pthread_mutex_destroy(&b->lock);
}

bool breaker_enter(struct breaker *b)
{
    pthread_mutex_lock(&b->lock);
    bool enter = !b->open || (!b->probing && clock_mono_ns() >= b->retry_at_ns);
    if (enter && b->open)
        b->probing = true;
    pthread_mutex_unlock(&b->lock);
    return enter;
}

void breaker_abstain(struct breaker *b)
{
    pthread_mutex_lock(&b->lock);
    b->probing = false;
    pthread_mutex_unlock(&b->lock);
}

bool breaker_leave(struct breaker *b, bool good)
{
    pthread_mutex_lock(&b->lock);
    bool changed = b->open == good;
    b->open = !good;
    b->probing = false;
    if (!good)
        b->retry_at_ns = clock_mono_ns() + BREAKER_PAUSE_MSEC * INT64_C(1000000);
    pthread_mutex_unlock(&b->lock);
    return changed;
}
