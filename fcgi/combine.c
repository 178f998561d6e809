/* SPDX-License-Identifier: MIT */
/* combine.c: leader and followers, as databases do it with commits. */
#include "fcgi/combine.h"

#include <stdlib.h>

#include "base/mem.h"

/* Invariant: a job is queued only while there is a leader; the leader's own job is not in the queue
 * once its batch has begun. */
struct combiner {
    pthread_mutex_t lock;
    struct combine_job *first, *last; /* waiting for the next batch */
    bool led;                         /* some thread leads */
    size_t max;
    combine_run_fn *run;
    void *context;
};

struct combiner *combiner_create(size_t max, combine_run_fn *run, void *context)
{
    struct combiner *c = xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->max = max;
    c->run = run;
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

/* Lock held, and given up meanwhile. Does one batch, the leader's own job in it. */
static void lead(struct combiner *c, const struct combine_job *own)
{
    size_t count;
    struct combine_job *job = take_batch(c, &count), *next;
    pthread_mutex_unlock(&c->lock);
    c->run(c->context, job, count);
    pthread_mutex_lock(&c->lock);
    for (; job; job = next) {
        next = job->next; /* a job is gone as soon as its thread sees that it is done */
        job->done = true;
        if (job != own)
            pthread_cond_signal(&job->changed);
    }
    c->led = c->first != NULL;
    if (c->led) {
        c->first->leads = true;
        pthread_cond_signal(&c->first->changed);
    }
}

void combine(struct combiner *c, struct combine_job *job)
{
    job->next = NULL;
    job->done = false;
    pthread_cond_init(&job->changed, NULL);
    pthread_mutex_lock(&c->lock);
    job->leads = !c->led;
    c->led = true;
    if (c->last)
        c->last->next = job;
    else
        c->first = job;
    c->last = job;
    while (!job->done && !job->leads)
        pthread_cond_wait(&job->changed, &c->lock);
    if (!job->done)
        lead(c, job);
    pthread_mutex_unlock(&c->lock);
    pthread_cond_destroy(&job->changed);
}
