/* SPDX-License-Identifier: MIT */
/* stats.c: counts by type, kept for a second. */
#include "fcgi/stats.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fcgi/backend.h"
#include "fcgi/view.h"
#include "fcgi/watch.h"
#include "store/history.h"

enum { KEEP_MSEC = 1000, OLD_MSEC = 5000, COUNTS_MAX = 4096 };

/* Everything but the backend is guarded by the lock; what is there is given while one thread counts anew, as that may
 * take long, unless it is old. */
struct stats {
    struct backend *backend;
    pthread_mutex_t lock;
    pthread_cond_t counted;
    bool counting;
    struct arena *arena; /* of who counts */
    struct buf json;
    int result; /* of the last time: a failure is kept as well, as who asks again would make it worse */
    struct error error;
    int64_t asked_ns; /* 0 = never */
};

/* What the database says. Types of it stand in no order that the three have in common. */
struct counts {
    struct arena *arena;
    struct task_count *live, *ended;
    struct paused_type *paused;
    int live_count, ended_count, paused_count;
};

static int count_call(struct store *s, void *context, struct error *e)
{
    struct counts *c = context;
    c->ended_count = c->paused_count = 0;
    c->live_count = store_count_live(s, COUNTS_MAX, c->arena, c->live, e);
    if (c->live_count >= 0)
        c->ended_count = store_count_ended(s, COUNTS_MAX, c->arena, c->ended, e);
    if (c->ended_count >= 0)
        c->paused_count = store_list_paused(s, COUNTS_MAX, c->arena, c->paused, e);
    int failed = c->live_count < 0 ? c->live_count : c->ended_count < 0 ? c->ended_count : c->paused_count;
    return failed < 0 ? failed : 0;
}

static bool same(struct text a, struct text b)
{
    return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* NAMES has room for every row of the three. */
static size_t add_name(struct text *names, size_t count, struct text name)
{
    for (size_t i = 0; i < count; i++)
        if (same(names[i], name))
            return count;
    names[count] = name;
    return count + 1;
}

static size_t find_names(const struct counts *c, struct text *names)
{
    size_t count = 0;
    for (int i = 0; i < c->live_count; i++)
        count = add_name(names, count, c->live[i].type);
    for (int i = 0; i < c->ended_count; i++)
        count = add_name(names, count, c->ended[i].type);
    for (int i = 0; i < c->paused_count; i++)
        count = add_name(names, count, c->paused[i].type);
    return count;
}

/* How many tasks are STATUS, of TYPE or (where it is NULL) of all. */
static uint64_t sum_live(const struct counts *c, const struct text *type, enum task_status status)
{
    uint64_t sum = 0;
    for (int i = 0; i < c->live_count; i++)
        if ((!type || same(c->live[i].type, *type)) &&
            strcmp(c->live[i].name.p, task_status_name(status)) == 0)
            sum += c->live[i].count;
    return sum;
}

static void add_type(struct buf *out, const struct counts *c, struct text type)
{
    buf_adds(out, "{\"type\":");
    buf_json(out, type.p, type.len);
    view_number(out, ",\"scheduled\":", sum_live(c, &type, TASK_scheduled));
    view_number(out, ",\"fresh\":", sum_live(c, &type, TASK_fresh));
    view_number(out, ",\"started\":", sum_live(c, &type, TASK_started));
    buf_adds(out, ",\"ended\":{");
    const char *comma = "";
    for (int i = 0; i < c->ended_count; i++) {
        if (!same(c->ended[i].type, type))
            continue;
        buf_adds(out, comma);
        buf_json(out, c->ended[i].name.p, c->ended[i].name.len);
        view_number(out, ":", c->ended[i].count);
        comma = ",";
    }
    bool paused = false;
    for (int i = 0; i < c->paused_count; i++)
        paused = paused || same(c->paused[i].type, type);
    buf_adds(out, paused ? "},\"paused\":true}" : "},\"paused\":false}");
}

static void write_json(struct buf *json, const struct counts *c)
{
    struct text *names = arena_calloc(
        c->arena, (size_t)(c->live_count + c->ended_count + c->paused_count) + 1, sizeof *names);
    size_t count = find_names(c, names);
    view_number(json, "{\"waiting\":",
               sum_live(c, NULL, TASK_scheduled) + sum_live(c, NULL, TASK_fresh));
    view_number(json, ",\"running\":", sum_live(c, NULL, TASK_started));
    buf_adds(json, ",\"types\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_addc(json, ',');
        add_type(json, c, names[i]);
    }
    buf_adds(json, "]}");
}

static int count(struct stats *s, struct buf *json, struct error *e)
{
    arena_reset(s->arena);
    struct counts c = {
        .arena = s->arena,
        .live = arena_calloc(s->arena, COUNTS_MAX, sizeof *c.live),
        .ended = arena_calloc(s->arena, COUNTS_MAX, sizeof *c.ended),
        .paused = arena_calloc(s->arena, COUNTS_MAX, sizeof *c.paused),
    };
    int result = backend_call(s->backend, BACKEND_READ, count_call, &c, e);
    if (result == 0)
        write_json(json, &c);
    return result;
}

static bool is_older_than(const struct stats *s, int64_t msec)
{
    return !s->asked_ns || clock_mono_ns() - s->asked_ns >= msec * INT64_C(1000000);
}

/* Lock held, and given up meanwhile. */
static void refresh(struct stats *s)
{
    struct buf json = BUF_INIT;
    struct error e = {0};
    s->counting = true;
    pthread_mutex_unlock(&s->lock);
    int result = count(s, &json, &e);
    pthread_mutex_lock(&s->lock);
    buf_free(&s->json);
    s->json = json;
    s->result = result;
    s->error = e;
    s->asked_ns = clock_mono_ns();
    s->counting = false;
    pthread_cond_broadcast(&s->counted);
}

int stats_get(struct stats *s, struct buf *out, struct error *e)
{
    watch_leave();
    pthread_mutex_lock(&s->lock);
    while (s->counting && is_older_than(s, OLD_MSEC))
        pthread_cond_wait(&s->counted, &s->lock);
    if (!s->counting && is_older_than(s, KEEP_MSEC))
        refresh(s);
    int result = s->result;
    if (result == 0)
        buf_add(out, s->json.data, s->json.len);
    else if (e)
        *e = s->error;
    pthread_mutex_unlock(&s->lock);
    return result;
}

struct stats *stats_create(struct backend *b)
{
    struct stats *s = xcalloc(1, sizeof *s);
    s->backend = b;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->counted, NULL);
    s->arena = arena_create();
    return s;
}

void stats_destroy(struct stats **s)
{
    if (!*s)
        return;
    pthread_cond_destroy(&(*s)->counted);
    pthread_mutex_destroy(&(*s)->lock);
    arena_destroy(&(*s)->arena);
    buf_free(&(*s)->json);
    free(*s);
    *s = NULL;
}
