/* SPDX-License-Identifier: MIT */
/* combine.c: one leads, as databases do it with commits. */
#include "fcgi/combine.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

struct combiner {
    pthread_mutex_t lock;
    struct combine_job *first, *last; /* waiting for the next batch */
    bool led;                         /* some thread leads */
    size_t max;
    combine_run_fn *run;
    combine_rest_fn *rest;
    void *context;
};

struct combiner *combiner_create(size_t max, combine_run_fn *run, combine_rest_fn *rest, void *context)
{
    struct combiner *c = xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->max = max;
    c->run = run;
    c->rest = rest;
    c->context = context;
    return c;
}

void combiner_destroy(struct combiner **c)
{
    if (!*c)
        return;
    pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

/* Lock held. Takes the first MAX jobs out of the queue. */
static struct combine_job *take_batch(struct combiner *c, size_t *count)
{
    struct combine_job *first = c->first, *last = first;
    *count = 1;
    while (last->next && *count < c->max) {
        last = last->next;
        ++*count;
    }
    c->first = last->next;
    if (!c->first)
        c->last = NULL;
    last->next = NULL;
    return first;
}

/* Lock held, and given up meanwhile. */
static void run_batch(struct combiner *c)
{
    size_t count;
    struct combine_job *first = take_batch(c, &count);
    pthread_mutex_unlock(&c->lock);
    c->run(c->context, first, count);
    for (struct combine_job *job = first, *next; job; job = next) {
        next = job->next; /* it is gone when it has been finished */
        job->finish(job);
    }
    if (c->rest)
        c->rest(c->context);
    pthread_mutex_lock(&c->lock);
}

void combine_later(struct combiner *c, struct combine_job *job, void (*finish)(struct combine_job *job))
{
    job->finish = finish;
    job->next = NULL;
    pthread_mutex_lock(&c->lock);
    if (c->last)
        c->last->next = job;
    else
        c->first = job;
    c->last = job;
    pthread_mutex_unlock(&c->lock);
}

void combine_flush(struct combiner *c)
{
    pthread_mutex_lock(&c->lock);
    if (!c->led) {
        c->led = true;
        while (c->first)
            run_batch(c);
        c->led = false;
    }
    pthread_mutex_unlock(&c->lock);
}
