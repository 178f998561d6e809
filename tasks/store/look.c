/* SPDX-License-Identifier: MIT */
/* look.c: finds the lanes that have tasks, and makes due ones fresh. A lane is found from the one before it, by one
 * step in the claim index: the cost is the number of lanes, up to SEEN_MAX of them, whatever the server knows of the
 * table. A loose scan (GROUP BY) does the same at its best, but reads every task that waits where the statistics that
 * the server chooses its plan by are those of the empty table that it once opened. */
#include <stdlib.h>
#include <string.h>

#include "impl.h"
#include "store/claim.h"

enum {
    PLACE_PARAMS = 6, /* of one place in ST_LOOK_NEXT */
    PLACES_MAX = 16,  /* asked for with one statement */
    SEEN_MAX = 256,   /* lanes; where there are more, a scan */
    DUE_LANES_MAX = 256,
};

/* A lane's place in the index. The type is any text that plain SQL may have written, a NUL in it, too, but without the
 * blanks behind it, which comparisons of the server pass over. */
struct lane_place {
    enum task_status status; /* fresh or scheduled */
    char type[65];
    size_t type_len;
    int priority;
};

static const struct lane_place beginning = {TASK_fresh, "", 0, -1};

/* By the last look. */
struct lanes_seen {
    struct lane_place places[SEEN_MAX];
    size_t count; /* 0 where there were too many */
    bool too_many;
};

struct found_lane {
    struct lane_place place;
    int64_t turn; /* the first in it */
};

struct found_lanes {
    struct found_lane *items;
    size_t count, cap;
    int64_t now; /* the server's */
};

static bool same_place(const struct lane_place *a, const struct lane_place *b)
{
    return a->status == b->status && a->priority == b->priority && a->type_len == b->type_len &&
           memcmp(a->type, b->type, a->type_len) == 0;
}

static bool found_before(const struct found_lanes *f, const struct lane_place *p)
{
    for (size_t i = 0; i < f->count; i++)
        if (same_place(&f->items[i].place, p))
            return true;
    return false;
}

static bool was_seen(const struct lanes_seen *seen, const struct lane_place *p)
{
    for (size_t i = 0; i < seen->count; i++)
        if (same_place(&seen->places[i], p))
            return true;
    return false;
}

/* Reads the lanes of R. UNIQUE: it gives each of them once, and none that has been found before. */
static int read_lanes(struct db_stmt *r, bool unique, struct found_lanes *f, struct error *e)
{
    int more;
    while ((more = db_next(r, e)) > 0) {
        struct found_lane lane = {.turn = 0};
        size_t len;
        lane.place.status = *db_col_text(r, 0, &len) == 's' ? TASK_scheduled : TASK_fresh; /* blanks may follow */
        const char *type = db_col_text(r, 1, &len);
        while (len && type[len - 1] == ' ')
            len--;
        if (len >= sizeof lane.place.type)
            return error_set(e, ERR_DB, "a type's name is longer than its column");
        memcpy(lane.place.type, type, len);
        lane.place.type_len = len;
        lane.place.priority = (int)db_col_int(r, 2);
        lane.turn = db_col_int(r, 3);
        f->now = db_col_instant(r, 4);
        if (!unique && found_before(f, &lane.place))
            continue;
        if (f->count == f->cap) {
            f->cap = f->cap ? f->cap * 2 : 16;
            f->items = xrealloc(f->items, f->cap * sizeof *f->items);
        }
        f->items[f->count++] = lane;
    }
    return more;
}

/* Which lanes come right behind the COUNT places of AFTER, at most PLACES_MAX. */
static int ask_next(struct store *s, const struct lane_place *after, size_t count, struct found_lanes *f,
                    struct error *e)
{
    struct db_value params[PLACES_MAX * PLACE_PARAMS];
    struct db_stmt *r;
    if (count == 1 && same_place(after, &beginning)) { /* the look of an idle runner: the least that can be asked */
        int64_t rc = store_run(s, ST_LOOK_FIRST, 1, NULL, 0, &r, e);
        return rc < 0 ? (int)rc : read_lanes(r, true, f, e);
    }
    size_t group = store_group_for(count);
    for (size_t i = 0; i < group; i++) { /* the last one fills the group up */
        const struct lane_place *a = &after[i < count ? i : count - 1];
        struct db_value *p = params + i * PLACE_PARAMS;
        p[0] = p[3] = p[5] = db_text(task_status_name(a->status));
        p[1] = p[4] = db_textn(a->type, a->type_len);
        p[2] = db_int(a->priority);
    }
    int64_t rc = store_run(s, ST_LOOK_NEXT, group, params, (unsigned)(group * PLACE_PARAMS), &r, e);
    return rc < 0 ? (int)rc : read_lanes(r, false, f, e);
}

/* From the lanes that the last look saw, then from those that were not among them: one statement where none are new. */
static int step_through(struct store *s, struct found_lanes *f, struct error *e)
{
    struct lane_place after[PLACES_MAX] = {beginning};
    size_t count = 1, next_seen = 0, next_found = 0;
    do {
        while (count < PLACES_MAX && next_seen < s->seen->count)
            after[count++] = s->seen->places[next_seen++];
        for (; count < PLACES_MAX && next_found < f->count; next_found++)
            if (!was_seen(s->seen, &f->items[next_found].place)) /* those are asked for in any case */
                after[count++] = f->items[next_found].place;
        int rc = count ? ask_next(s, after, count, f, e) : 0;
        if (rc)
            return rc;
        count = 0;
    } while ((next_seen < s->seen->count || next_found < f->count) && f->count <= SEEN_MAX);
    return 0;
}

static int scan(struct store *s, struct found_lanes *f, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = store_run(s, ST_LOOK, 1, NULL, 0, &r, e);
    f->count = 0;
    return rc < 0 ? (int)rc : read_lanes(r, true, f, e);
}

/* Finds the lanes with fresh or scheduled tasks. The caller frees F->items, also after an error. */
static int find_lanes(struct store *s, struct found_lanes *f, struct error *e)
{
    struct lanes_seen *seen = s->seen;
    if (!seen)
        seen = s->seen = xcalloc(1, sizeof *seen);
    int rc = seen->too_many ? 0 : step_through(s, f, e);
    if (!rc && (seen->too_many || f->count > SEEN_MAX))
        rc = scan(s, f, e);
    if (rc)
        return rc;
    seen->too_many = f->count > SEEN_MAX;
    seen->count = seen->too_many ? 0 : f->count;
    for (size_t i = 0; i < seen->count; i++)
        seen->places[i] = f->items[i].place;
    return 0;
}

static bool is_one_of(const char *type, size_t len, const char *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(types[i]) == len && memcmp(type, types[i], len) == 0)
            return true;
    return false;
}

int store_look(struct store *s, const char *const *types, size_t count, struct lane_head *out,
               size_t max, int64_t *due_usec, struct error *e)
{
    struct found_lanes found = {NULL};
    int rc = find_lanes(s, &found, e);
    size_t n = 0;
    *due_usec = INT64_MAX;
    for (size_t i = 0; i < found.count && !rc; i++) {
        const struct lane_place *p = &found.items[i].place;
        int64_t turn = found.items[i].turn;
        if (p->status == TASK_scheduled) {
            int64_t left = turn > found.now ? turn - found.now : 0;
            *due_usec = left < *due_usec ? left : *due_usec;
        } else if (n < max && is_one_of(p->type, p->type_len, types, count)) {
            memcpy(out[n].type, p->type, sizeof out[n].type);
            out[n].priority = p->priority;
            out[n++].turn = turn;
        }
    }
    free(found.items);
    return rc ? rc : (int)n;
}

int store_paused_types(struct store *s, const char *const *types, size_t count, char (*out)[65], struct error *e)
{
    struct db_stmt *r;
    int64_t rc = store_run(s, ST_PAUSED, 1, NULL, 0, &r, e);
    size_t n = 0;
    while (rc >= 0 && n < count && (rc = db_next(r, e)) > 0) {
        size_t len;
        const char *type = db_col_text(r, 0, &len);
        if (len < sizeof out[n] && is_one_of(type, len, types, count))
            memcpy(out[n++], type, len + 1);
    }
    return rc < 0 ? (int)rc : (int)n;
}

/* --- due tasks ---------------------------------------------------------------------------------------- */

struct promotion {
    size_t max;
    struct lane_place *lanes; /* with scheduled tasks whose turn has come by NOW */
    size_t lane_count;
    int64_t now;
    uint64_t *due, *early; /* room for max each */
    size_t due_count, early_count;
};

static int find_due_lanes(struct store *s, struct promotion *p, struct error *e)
{
    struct found_lanes found = {NULL};
    int rc = find_lanes(s, &found, e);
    p->now = found.now;
    p->lane_count = 0;
    for (size_t i = 0; i < found.count && !rc && p->lane_count < DUE_LANES_MAX; i++)
        if (found.items[i].place.status == TASK_scheduled && found.items[i].turn <= found.now)
            p->lanes[p->lane_count++] = found.items[i].place;
    free(found.items);
    return rc;
}

static int promote(struct store *s, void *ctx, struct error *e)
{
    struct promotion *p = ctx;
    p->due_count = p->early_count = 0;
    for (size_t i = 0; i < p->lane_count && p->due_count < p->max; i++) {
        const struct lane_place *lane = &p->lanes[i];
        struct db_stmt *r;
        int64_t rc = STORE_RUN(s, ST_DUE, &r, e, db_textn(lane->type, lane->type_len),
                               db_int(lane->priority), db_int(p->now), db_uint(p->max - p->due_count));
        while (rc >= 0 && (rc = db_next(r, e)) > 0) {
            /* a scheduled row that plain SQL inserted has a turn of its own: give it its run_at's */
            if (db_col_int(r, 1))
                p->early[p->early_count++ % p->max] = db_col_uint(r, 0);
            else
                p->due[p->due_count++] = db_col_uint(r, 0);
        }
        if (rc < 0)
            return (int)rc;
    }
    if (p->early_count > p->max)
        p->early_count = p->max;
    int64_t rc = store_run_ids(s, ST_RESCHEDULE, NULL, 0, p->early, p->early_count, e);
    if (rc >= 0)
        rc = store_move_ids(s, EVENT_promote, TASK_scheduled, NULL, 0, p->due, p->due_count, e);
    return rc < 0 ? (int)rc : 0;
}

int store_promote(struct store *s, size_t max, struct error *e)
{
    struct promotion p = {.max = max};
    p.lanes = xcalloc(DUE_LANES_MAX, sizeof *p.lanes);
    p.due = xcalloc(max, sizeof *p.due);
    p.early = xcalloc(max, sizeof *p.early);
    int rc = find_due_lanes(s, &p, e);
    if (!rc && p.lane_count)
        rc = store_transaction(s, promote, &p, NULL, e);
    free(p.lanes);
    free(p.due);
    free(p.early);
    return rc < 0 ? rc : (int)p.due_count;
}
