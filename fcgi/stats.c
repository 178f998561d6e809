/* SPDX-License-Identifier: MIT */
/* stats.c: counts by type, kept for a second. */
#include "fcgi/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fcgi/backend.h"
#include "fcgi/combine.h"
#include "fcgi/view.h"
#include "store/history.h"

enum { KEEP_MSEC = 1000, ASK_TOGETHER = 1024, COUNTS_MAX = 4096 };

/* Everything but the backend belongs to the leader of those who ask. */
struct stats {
    struct backend *backend;
    struct combiner *askers;
    struct arena *arena;
    struct buf json;
    int64_t made_ns; /* 0 = never */
};

struct asker {
    struct combine_job job;
    struct buf *out;
    struct error *error;
    int result;
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

static void write_json(struct stats *s, const struct counts *c)
{
    struct text *names = arena_calloc(
        s->arena, (size_t)(c->live_count + c->ended_count + c->paused_count) + 1, sizeof *names);
    size_t count = find_names(c, names);
    buf_clear(&s->json);
    view_number(&s->json, "{\"waiting\":",
               sum_live(c, NULL, TASK_scheduled) + sum_live(c, NULL, TASK_fresh));
    view_number(&s->json, ",\"running\":", sum_live(c, NULL, TASK_started));
    buf_adds(&s->json, ",\"types\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_addc(&s->json, ',');
        add_type(&s->json, c, names[i]);
    }
    buf_adds(&s->json, "]}");
}

static int refresh(struct stats *s, struct error *e)
{
    arena_reset(s->arena);
    struct counts c = {
        .arena = s->arena,
        .live = arena_calloc(s->arena, COUNTS_MAX, sizeof *c.live),
        .ended = arena_calloc(s->arena, COUNTS_MAX, sizeof *c.ended),
        .paused = arena_calloc(s->arena, COUNTS_MAX, sizeof *c.paused),
    };
    int result = backend_call(s->backend, BACKEND_READ, count_call, &c, e);
    if (result != 0)
        return result;
    write_json(s, &c);
    s->made_ns = clock_mono_ns();
    return 0;
}

static void run_askers(void *context, struct combine_job *first, size_t count)
{
    struct stats *s = context;
    struct error e = {0};
    int result = 0;
    (void)count;
    if (!s->made_ns || clock_mono_ns() - s->made_ns >= KEEP_MSEC * INT64_C(1000000))
        result = refresh(s, &e);
    for (struct combine_job *j = first; j; j = j->next) {
        struct asker *a = (struct asker *)j;
        a->result = result;
        if (result == 0)
            buf_add(a->out, s->json.data, s->json.len);
        else if (a->error)
            *a->error = e;
    }
}

int stats_get(struct stats *s, struct buf *out, struct error *e)
{
    struct asker a = {.out = out, .error = e};
    combine(s->askers, &a.job);
    return a.result;
}

struct stats *stats_create(struct backend *b)
{
    struct stats *s = xcalloc(1, sizeof *s);
    s->backend = b;
    s->askers = combiner_create(ASK_TOGETHER, run_askers, s);
    s->arena = arena_create();
    return s;
}

void stats_destroy(struct stats **s)
{
    if (!*s)
        return;
    combiner_destroy(&(*s)->askers);
    arena_destroy(&(*s)->arena);
    buf_free(&(*s)->json);
    free(*s);
    *s = NULL;
}
