/* SPDX-License-Identifier: MIT */
/* quota.c: a hash table with a short row of places for each user; in a full row the entry that was used
 * longest ago makes room. */
#include "fcgi/quota.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

enum { ROWS_BITS = 7, PLACES = 8, COUNTING_PART = 20 };

static const int64_t count_pause_ns = INT64_C(1000000000);

/* used 0: the place is free. */
struct entry {
    int64_t user;
    uint64_t used;
    int64_t room, count_again_ns;
    int64_t refused_count, refused_until_ns;
    int64_t held_until_ns;
};

struct quota {
    pthread_mutex_t lock;
    uint64_t used; /* grows with every use */
    int64_t count_again_ns; /* of any user */
    struct entry entries[1 << ROWS_BITS][PLACES];
};

struct quota *quota_create(void)
{
    struct quota *q = xcalloc(1, sizeof *q);
    pthread_mutex_init(&q->lock, NULL);
    return q;
}

void quota_destroy(struct quota **q)
{
    if (!*q)
        return;
    pthread_mutex_destroy(&(*q)->lock);
    free(*q);
    *q = NULL;
}

/* Lock held. The user's entry, or where NEW a place made free for it, else NULL. */
static struct entry *find(struct quota *q, int64_t user, bool new)
{
    /* Fibonacci hashing: user ids are often consecutive */
    uint64_t hash = (uint64_t)user * UINT64_C(0x9e3779b97f4a7c15);
    struct entry *row = q->entries[hash >> (64 - ROWS_BITS)], *oldest = row;
    for (struct entry *e = row; e < row + PLACES; e++) {
        if (e->used && e->user == user) {
            e->used = ++q->used;
            return e;
        }
        if (e->used < oldest->used)
            oldest = e;
    }
    if (!new)
        return NULL;
    *oldest = (struct entry){.user = user, .used = ++q->used};
    return oldest;
}

int64_t quota_take(struct quota *q, int64_t user, int64_t wanted)
{
    pthread_mutex_lock(&q->lock);
    struct entry *e = find(q, user, false);
    int64_t taken = !e ? 0 : e->room < wanted ? e->room : wanted;
    if (e)
        e->room -= taken;
    pthread_mutex_unlock(&q->lock);
    return taken;
}

void quota_put(struct quota *q, int64_t user, int64_t count)
{
    if (!count)
        return;
    pthread_mutex_lock(&q->lock);
    find(q, user, true)->room += count;
    pthread_mutex_unlock(&q->lock);
}

bool quota_count_due(struct quota *q, int64_t user, int64_t now_ns)
{
    pthread_mutex_lock(&q->lock);
    struct entry *e = find(q, user, true);
    bool due = now_ns >= e->count_again_ns && now_ns >= q->count_again_ns;
    if (due) {
        e->count_again_ns = now_ns + count_pause_ns;
        q->count_again_ns = now_ns + count_pause_ns; /* until it is known what this one takes */
    }
    pthread_mutex_unlock(&q->lock);
    return due;
}

void quota_counted(struct quota *q, int64_t now_ns, int64_t took_ns)
{
    pthread_mutex_lock(&q->lock);
    q->count_again_ns = now_ns + took_ns * (COUNTING_PART - 1);
    pthread_mutex_unlock(&q->lock);
}

void quota_refuse(struct quota *q, int64_t user, int64_t wanted, int64_t until_ns)
{
    pthread_mutex_lock(&q->lock);
    struct entry *e = find(q, user, true);
    e->refused_count = wanted;
    e->refused_until_ns = until_ns;
    pthread_mutex_unlock(&q->lock);
}

bool quota_refused(struct quota *q, int64_t user, int64_t wanted, int64_t now_ns)
{
    pthread_mutex_lock(&q->lock);
    const struct entry *e = find(q, user, false);
    bool refused = e && now_ns < e->refused_until_ns && wanted >= e->refused_count;
    pthread_mutex_unlock(&q->lock);
    return refused;
}

void quota_hold(struct quota *q, int64_t user, int64_t until_ns)
{
    pthread_mutex_lock(&q->lock);
    find(q, user, true)->held_until_ns = until_ns;
    pthread_mutex_unlock(&q->lock);
}

bool quota_held(struct quota *q, int64_t user, int64_t now_ns)
{
    pthread_mutex_lock(&q->lock);
    const struct entry *e = find(q, user, false);
    bool held = e && now_ns < e->held_until_ns;
    pthread_mutex_unlock(&q->lock);
    return held;
}
