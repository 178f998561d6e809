/* SPDX-License-Identifier: MIT */
/* aside.c: a thread that does one thing at a time for a loop. */
#include "aside.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum state { RESTS, GIVEN, DONE, ENDING };

struct aside {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum state state; /* of mutex, like all below */
    void (*work)(void *);
    void *context;
    void (*at_end)(void);
    int fd;
};

static void set_state(struct aside *a, enum state state)
{
    a->state = state;
    pthread_cond_broadcast(&a->changed);
}

static void *serve(void *context)
{
    struct aside *a = context;
    pthread_mutex_lock(&a->mutex);
    for (;;) {
        while (a->state == RESTS || a->state == DONE)
            pthread_cond_wait(&a->changed, &a->mutex);
        if (a->state == ENDING)
            break;
        pthread_mutex_unlock(&a->mutex);
        a->work(a->context);
        pthread_mutex_lock(&a->mutex);
        set_state(a, DONE);
        if (eventfd_write(a->fd, 1) != 0)
            log_bug("an eventfd takes no number");
    }
    pthread_mutex_unlock(&a->mutex);
    if (a->at_end)
        a->at_end();
    return NULL;
}

struct aside *aside_start(void (*at_end)(void), struct error *e)
{
    struct aside *a = xcalloc(1, sizeof *a);
    a->at_end = at_end;
    a->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->fd < 0) {
        error_errno(e, ERR_SYSTEM, "eventfd");
        free(a);
        return NULL;
    }
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    if (pthread_create(&a->thread, NULL, serve, a) == 0)
        return a;
    error_set(e, ERR_SYSTEM, "cannot start a thread");
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
    close(a->fd);
    free(a);
    return NULL;
}

int aside_fd(const struct aside *a)
{
    return a->fd;
}

void aside_give(struct aside *a, void (*work)(void *), void *context)
{
    pthread_mutex_lock(&a->mutex);
    if (a->state != RESTS)
        log_bug("a thread is given work while it has some");
    a->work = work;
    a->context = context;
    set_state(a, GIVEN);
    pthread_mutex_unlock(&a->mutex);
}

bool aside_done(struct aside *a)
{
    eventfd_t ignored;
    pthread_mutex_lock(&a->mutex);
    bool done = a->state == DONE;
    if (done) {
        (void)eventfd_read(a->fd, &ignored);
        set_state(a, RESTS);
    }
    pthread_mutex_unlock(&a->mutex);
    return done;
}

void aside_wait(struct aside *a)
{
    pthread_mutex_lock(&a->mutex);
    while (a->state != DONE)
        pthread_cond_wait(&a->changed, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
}

void aside_stop(struct aside **ap)
{
    struct aside *a = *ap;
    *ap = NULL;
    if (!a)
        return;
    pthread_mutex_lock(&a->mutex);
    while (a->state == GIVEN)
        pthread_cond_wait(&a->changed, &a->mutex);
    set_state(a, ENDING);
    pthread_mutex_unlock(&a->mutex);
    pthread_join(a->thread, NULL);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
    close(a->fd);
    free(a);
}
