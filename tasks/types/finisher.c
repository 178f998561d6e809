/* SPDX-License-Identifier: MIT */
/* finisher.c: a few threads between two lists. */
#include "finisher.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

enum { THREADS = 4, STACK_SIZE = 256 * 1024 };

struct list {
    struct finishing *head, **tail;
};

/* mutex guards all of it. */
struct finisher {
    pthread_t threads[THREADS];
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct list waiting, done;
    bool ending;
    void (*wake)(void *ctx);
    void *ctx;
};

static void push(struct list *l, struct finishing *job)
{
    job->next = NULL;
    *l->tail = job;
    l->tail = &job->next;
}

static struct finishing *pop(struct list *l)
{
    struct finishing *job = l->head;
    if (job)
        l->head = job->next;
    if (!l->head)
        l->tail = &l->head;
    return job;
}

static void *finish_files(void *arg)
{
    struct finisher *f = arg;
    pthread_mutex_lock(&f->mutex);
    while (!f->ending) {
        struct finishing *job = pop(&f->waiting);
        if (!job) {
            pthread_cond_wait(&f->more, &f->mutex);
            continue;
        }
        pthread_mutex_unlock(&f->mutex);
        job->rc = result_file_finish(job->file, RESULT_NO_ROWS, &job->error);
        pthread_mutex_lock(&f->mutex);
        push(&f->done, job);
        f->wake(f->ctx);
    }
    pthread_mutex_unlock(&f->mutex);
    return NULL;
}

struct finisher *finisher_create(void (*wake)(void *ctx), void *ctx)
{
    struct finisher *f = xcalloc(1, sizeof *f);
    pthread_attr_t attr;
    f->wake = wake;
    f->ctx = ctx;
    f->waiting.tail = &f->waiting.head;
    f->done.tail = &f->done.head;
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->more, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&f->threads[i], &attr, finish_files, f) != 0)
            log_bug("cannot start a thread that finishes files");
    pthread_attr_destroy(&attr);
    return f;
}

void finisher_destroy(struct finisher **finisher)
{
    struct finisher *f = *finisher;
    if (!f)
        return;
    pthread_mutex_lock(&f->mutex);
    f->ending = true;
    pthread_cond_broadcast(&f->more);
    pthread_mutex_unlock(&f->mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(f->threads[i], NULL);
    pthread_cond_destroy(&f->more);
    pthread_mutex_destroy(&f->mutex);
    free(f);
    *finisher = NULL;
}

void finisher_put(struct finisher *f, struct finishing *job)
{
    pthread_mutex_lock(&f->mutex);
    push(&f->waiting, job);
    pthread_cond_signal(&f->more);
    pthread_mutex_unlock(&f->mutex);
}

struct finishing *finisher_get(struct finisher *f)
{
    pthread_mutex_lock(&f->mutex);
    struct finishing *job = pop(&f->done);
    pthread_mutex_unlock(&f->mutex);
    return job;
}
