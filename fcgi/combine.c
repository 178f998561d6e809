/* SPDX-License-Identifier: MIT */
/* combine.c: leader and followers, as databases do it with commits. */
#include "fcgi/combine.h"

#include <stdlib.h>

#include "base/mem.h"
#include "fcgi/watch.h"

/* Invariant: a job of combine is queued only while there is a leader, whose own job is not in the queue once its
 * batch has begun. */
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

/* Lock held, and given up meanwhile. Does one batch and returns it. */
static struct combine_job *run_batch(struct combiner *c)
{
    size_t count;
    struct combine_job *first = take_batch(c, &count);
    pthread_mutex_unlock(&c->lock);
    c->run(c->context, first, count);
    pthread_mutex_lock(&c->lock);
    return first;
}

/* Lock held, and given up meanwhile. Does one batch, the leader's own job in it. */
static void lead(struct combiner *c, const struct combine_job *own)
{
    struct combine_job *job = run_batch(c), *next;
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

/* Lock held. */
static void enqueue(struct combiner *c, struct combine_job *job)
{
    job->next = NULL;
    if (c->last)
        c->last->next = job;
    else
        c->first = job;
    c->last = job;
}

void combine(struct combiner *c, struct combine_job *job)
{
    job->done = false;
    pthread_cond_init(&job->changed, NULL);
    watch_leave();
    pthread_mutex_lock(&c->lock);
    enqueue(c, job);
    job->leads = !c->led;
    c->led = true;
    while (!job->done && !job->leads)
        pthread_cond_wait(&job->changed, &c->lock);
    if (!job->done)
        lead(c, job);
    pthread_mutex_unlock(&c->lock);
    pthread_cond_destroy(&job->changed);
}

/* Lock held, and given up meanwhile. */
static void finish_batch(struct combiner *c, struct combine_job *first)
{
    pthread_mutex_unlock(&c->lock);
    for (struct combine_job *job = first, *next; job; job = next) {
        next = job->next; /* it is gone when it has been finished */
        job->finish(job);
    }
    pthread_mutex_lock(&c->lock);
}

void combine_later(struct combiner *c, struct combine_job *job, void (*finish)(struct combine_job *job))
{
    job->finish = finish;
    pthread_mutex_lock(&c->lock);
    enqueue(c, job);
    pthread_mutex_unlock(&c->lock);
}

void combine_flush(struct combiner *c)
{
    pthread_mutex_lock(&c->lock);
    if (!c->led) {
        c->led = true;
        while (c->first)
            finish_batch(c, run_batch(c));
        c->led = false;
    }
    pthread_mutex_unlock(&c->lock);
}
