/* SPDX-License-Identifier: MIT */
/* waiters.c: the list of those who wait, and the thread that looks for them. */
#include "fcgi/waiters.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fcgi/backend.h"

static const int64_t pause_min_ns = INT64_C(10000000), pause_max_ns = INT64_C(250000000);

/* Everything below lock is guarded by it. */
struct waiters {
    struct backend *backend;
    void (*wake)(void *place);
    size_t max;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct wait *first;
    size_t count;
    int64_t pause_ns, look_at_ns; /* between two looks; the next look */
    bool end;
};

/* --- the list; all with the lock held --------------------------------------------------------------- */

static void unlist(struct waiters *w, struct wait *wait)
{
    if (!wait->listed)
        return;
    if (wait->prev)
        wait->prev->next = wait->next;
    else
        w->first = wait->next;
    if (wait->next)
        wait->next->prev = wait->prev;
    wait->listed = false;
    w->count--;
}

static void finish(struct waiters *w, struct wait *wait)
{
    unlist(w, wait);
    wait->over = true;
    w->wake(wait->place);
}

/* Those whose time is up; returns when the next one's will be, INT64_MAX = nobody waits. */
static int64_t finish_late(struct waiters *w, int64_t now)
{
    int64_t earliest = INT64_MAX;
    for (struct wait *wait = w->first, *next; wait; wait = next) {
        next = wait->next;
        if (wait->until_ns <= now)
            finish(w, wait);
        else if (wait->until_ns < earliest)
            earliest = wait->until_ns;
    }
    return earliest;
}

/* --- looking ------------------------------------------------------------------------------------------ */

/* Ids in ascending order, each once. */
struct look {
    uint64_t *ids;
    bool *ended;
    size_t count;
};

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Lock held. */
static void collect(const struct waiters *w, struct look *look)
{
    size_t n = 0;
    look->ids = xcalloc(w->count, sizeof *look->ids);
    for (const struct wait *wait = w->first; wait; wait = wait->next)
        look->ids[n++] = wait->id;
    qsort(look->ids, n, sizeof *look->ids, by_id);
    look->count = 0;
    for (size_t i = 0; i < n; i++)
        if (!i || look->ids[i] != look->ids[i - 1])
            look->ids[look->count++] = look->ids[i];
    look->ended = xcalloc(look->count, sizeof *look->ended);
}

static int look_call(struct store *s, void *context, struct error *e)
{
    const struct look *look = context;
    return store_find_ended(s, look->ids, look->count, look->ended, e);
}

static bool has_ended(const struct look *look, uint64_t id)
{
    const uint64_t *found = bsearch(&id, look->ids, look->count, sizeof *look->ids, by_id);
    return found && look->ended[found - look->ids];
}

/* Lock held, and given up meanwhile. While the database is away they wait on: it may come back in time. */
static void look(struct waiters *w)
{
    struct look l;
    struct error e = {0};
    bool news = false;
    collect(w, &l);
    pthread_mutex_unlock(&w->lock);
    int result = backend_call(w->backend, BACKEND_READ, look_call, &l, &e);
    pthread_mutex_lock(&w->lock);
    for (struct wait *wait = w->first, *next; result == 0 && wait; wait = next) {
        next = wait->next;
        if (!has_ended(&l, wait->id))
            continue;
        finish(w, wait);
        news = true;
    }
    free(l.ids);
    free(l.ended);
    int64_t doubled = w->pause_ns * 2;
    w->pause_ns = news ? pause_min_ns : doubled < pause_max_ns ? doubled : pause_max_ns;
    w->look_at_ns = clock_mono_ns() + w->pause_ns;
}

/* --- the thread --------------------------------------------------------------------------------------- */

/* Lock held, and given up meanwhile. */
static void sleep_until(struct waiters *w, int64_t now, int64_t until)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t nsec = at.tv_nsec + (until - now);
    at.tv_sec += nsec / 1000000000;
    at.tv_nsec = nsec % 1000000000;
    pthread_cond_timedwait(&w->changed, &w->lock, &at);
}

static void *run(void *argument)
{
    struct waiters *w = argument;
    pthread_mutex_lock(&w->lock);
    while (!w->end) {
        int64_t now = clock_mono_ns(), until = finish_late(w, now);
        if (!w->first)
            pthread_cond_wait(&w->changed, &w->lock);
        else if (now >= w->look_at_ns)
            look(w);
        else
            sleep_until(w, now, until < w->look_at_ns ? until : w->look_at_ns);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

bool waiters_add(struct waiters *w, struct wait *wait, uint64_t id, int seconds, void *place)
{
    pthread_mutex_lock(&w->lock);
    bool room = w->count < w->max;
    if (room) {
        int64_t now = clock_mono_ns();
        *wait = (struct wait){
            .next = w->first,
            .id = id,
            .until_ns = now + seconds * INT64_C(1000000000),
            .place = place,
            .listed = true,
        };
        if (w->first)
            w->first->prev = wait;
        w->first = wait;
        w->count++;
        w->pause_ns = pause_min_ns;
        if (w->count == 1 || w->look_at_ns > now + pause_min_ns)
            w->look_at_ns = now + pause_min_ns;
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}

bool waiters_leave(struct waiters *w, struct wait *wait)
{
    pthread_mutex_lock(&w->lock);
    unlist(w, wait);
    bool over = wait->over;
    pthread_mutex_unlock(&w->lock);
    return over;
}

int waiters_create(struct backend *b, size_t max, void (*wake)(void *place), struct waiters **out,
                   struct error *e)
{
    struct waiters *w = xcalloc(1, sizeof *w);
    pthread_condattr_t monotonic;
    w->backend = b;
    w->max = max;
    w->wake = wake;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int failed = pthread_create(&w->thread, NULL, run, w);
    if (failed) {
        free(w);
        return error_set(e, ERR_SYSTEM, "cannot start the thread for requests that wait: %s",
                         strerror(failed));
    }
    *out = w;
    return 0;
}

void waiters_destroy(struct waiters **w)
{
    if (!*w)
        return;
    pthread_mutex_lock(&(*w)->lock);
    (*w)->end = true;
    pthread_cond_signal(&(*w)->changed);
    pthread_mutex_unlock(&(*w)->lock);
    pthread_join((*w)->thread, NULL);
    pthread_cond_destroy(&(*w)->changed);
    pthread_mutex_destroy(&(*w)->lock);
    free(*w);
    *w = NULL;
}
