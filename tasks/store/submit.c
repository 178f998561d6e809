/* SPDX-License-Identifier: MIT */
/* submit.c: gives new tasks their turns and inserts them. */
#include "store/submit.h"

#include <stdlib.h>
#include <string.h>

#include "impl.h"

enum {
    COLUMNS = 9,     /* parameters of one row in ST_SUBMIT */
    LANE_PARAMS = 7, /* of one lane in ST_TURNS */
    LANES_MAX = 32,  /* asked for with one statement */
    HEAD = 16,       /* tasks of the others that it shows of a lane */
};

/* How far a user's tasks stand apart in a lane, in turns (microseconds). So long that real time never
 * catches up with it: tasks that come back (a retry, a task by plain SQL) get the present as their turn
 * and so stand before everybody's second task. */
static const int64_t turn_step = INT64_C(3600) * 1000000;

/* Tasks of one user, type and priority. */
struct lane {
    const struct new_task *first;
    const struct lane *same; /* an earlier one of that type and priority: it knows of the head of the queue; or NULL */
    struct {
        bool any;
        int64_t last; /* turn */
    } own; /* of the user's tasks that wait there */
    struct {
        unsigned count;      /* up to HEAD */
        int64_t first, last; /* turns */
        int64_t user;
        bool mixed; /* they are of several users */
    } head;
    int64_t next; /* the turn of its next task */
};

struct submission {
    const struct new_task *tasks;
    size_t count;
    struct arena *arena;
    struct task *out;
    struct lane *lanes;
    size_t lane_count;
    size_t *lane_of; /* of each task */
    int64_t now;     /* the server's */
    uint64_t id_step; /* auto_increment_increment: a cluster's changes as nodes come and go */
};

/* --- turns ------------------------------------------------------------------------------------------ */

static bool same_head(const struct new_task *a, const struct new_task *b)
{
    return a->priority == b->priority && strcmp(a->type, b->type) == 0;
}

static bool same_lane(const struct new_task *a, const struct new_task *b)
{
    return a->created_by == b->created_by && same_head(a, b);
}

static const struct lane *find_same(const struct submission *sub, const struct new_task *t)
{
    for (size_t i = 0; i < sub->lane_count; i++)
        if (!sub->lanes[i].same && same_head(sub->lanes[i].first, t))
            return &sub->lanes[i];
    return NULL;
}

static void find_lanes(struct submission *sub)
{
    sub->lanes = arena_alloc(sub->arena, sub->count * sizeof *sub->lanes);
    sub->lane_of = arena_alloc(sub->arena, sub->count * sizeof *sub->lane_of);
    sub->lane_count = 0;
    for (size_t i = 0; i < sub->count; i++) {
        const struct new_task *t = &sub->tasks[i];
        size_t n = 0;
        while (n < sub->lane_count && !same_lane(sub->lanes[n].first, t))
            n++;
        if (n == sub->lane_count) {
            sub->lanes[n] = (struct lane){.first = t, .same = find_same(sub, t)};
            sub->lane_count++;
        }
        sub->lane_of[i] = n;
    }
}

/* One task of those that ST_TURNS shows of LANE. */
static void read_task(struct lane *lane, struct db_stmt *r)
{
    bool own = db_col_null(r, 4);
    if (own && db_col_null(r, 3)) /* in another lane */
        return;
    int64_t turn = db_col_int(r, 3);
    if (own) {
        lane->own.last = lane->own.any && lane->own.last > turn ? lane->own.last : turn;
        lane->own.any = true;
        return;
    }
    int64_t user = db_col_int(r, 4);
    bool first = lane->head.count++ == 0;
    lane->head.first = !first && lane->head.first < turn ? lane->head.first : turn;
    lane->head.last = !first && lane->head.last > turn ? lane->head.last : turn;
    lane->head.mixed |= !first && user != lane->head.user;
    lane->head.user = user;
}

static int read_tasks(struct submission *sub, size_t at, struct db_stmt *r, struct error *e)
{
    int more;
    while ((more = db_next(r, e)) > 0) {
        int64_t lane = db_col_int(r, 0);
        if (lane >= 0) {
            read_task(&sub->lanes[at + (size_t)lane], r);
            continue;
        }
        sub->now = db_col_instant(r, 1);
        sub->id_step = db_col_uint(r, 2);
    }
    return more;
}

/* The turn of a user's next task in LANE: behind his own, or beside the first one that waits; before it where those
 * are many of one user that share a turn (one INSERT by plain SQL, say). */
static int64_t next_turn(const struct lane *lane, int64_t now)
{
    const struct lane *l = lane->same ? lane->same : lane;
    if (lane->own.any)
        return lane->own.last + turn_step;
    if (!l->head.count)
        return now;
    return l->head.first - (l->head.count == HEAD && l->head.first == l->head.last && !l->head.mixed);
}

/* LANE NULL: it fills the group up. Nothing is found by NULL, and nothing is searched for it. */
static void lane_params(struct db_value *p, size_t number, const struct lane *lane)
{
    p[0] = p[4] = db_int((int64_t)number);
    p[1] = lane ? db_text(lane->first->type) : db_null();
    p[2] = lane ? db_int(lane->first->priority) : db_null();
    p[3] = lane ? db_int(lane->first->created_by) : db_null();
    p[5] = lane && !lane->same ? p[1] : db_null();
    p[6] = p[2];
}

static int ask_turns(struct store *s, struct submission *sub, struct error *e)
{
    struct db_value params[LANES_MAX * LANE_PARAMS];
    for (size_t i = 0; i < sub->lane_count; i++) {
        struct lane *lane = &sub->lanes[i];
        *lane = (struct lane){.first = lane->first, .same = lane->same}; /* what an attempt that failed has read */
    }
    for (size_t at = 0; at < sub->lane_count; at += LANES_MAX) {
        size_t left = sub->lane_count - at, n = left < LANES_MAX ? left : LANES_MAX, group = store_group_for(n);
        for (size_t i = 0; i < group; i++)
            lane_params(params + i * LANE_PARAMS, i, i < n ? &sub->lanes[at + i] : NULL);
        struct db_stmt *r;
        int64_t rc = store_run(s, ST_TURNS, group, params, (unsigned)(group * LANE_PARAMS), &r, e);
        if (rc >= 0)
            rc = read_tasks(sub, at, r, e);
        if (rc < 0)
            return (int)rc;
    }
    for (size_t i = 0; i < sub->lane_count; i++)
        sub->lanes[i].next = next_turn(&sub->lanes[i], sub->now);
    return 0;
}

/* --- rows ------------------------------------------------------------------------------------------- */

/* OUT as the tasks will stand in the table, but for their ids: nothing need be read back. */
static void make_rows(struct submission *sub)
{
    for (size_t i = 0; i < sub->count; i++) {
        const struct new_task *t = &sub->tasks[i];
        bool later = t->run_at != INSTANT_NONE && t->run_at > sub->now;
        struct lane *lane = &sub->lanes[sub->lane_of[i]];
        sub->out[i] = (struct task){
            .type = {t->type, strlen(t->type)},
            .data = {t->data, t->data_len},
            .status = later ? TASK_scheduled : TASK_fresh,
            .priority = t->priority,
            .turn = later ? t->run_at : lane->next,
            .created_at = sub->now,
            .updated_on = INSTANT_NONE,
            .run_at = t->run_at,
            .started_at = INSTANT_NONE,
            .finished_at = INSTANT_NONE,
            .expires_at = INSTANT_NONE,
            .created_by = t->created_by,
            .max_attempts = t->max_attempts,
        };
        lane->next += later ? 0 : turn_step;
    }
}

/* Inserts N tasks with one statement. InnoDB gives the rows of one such INSERT ids that follow each other
 * by auto_increment_increment. */
static int insert_group(struct store *s, struct task *tasks, size_t n, uint64_t id_step, struct error *e)
{
    struct db_value *params = xcalloc(n * COLUMNS, sizeof *params);
    for (size_t i = 0; i < n; i++) {
        const struct task *t = &tasks[i];
        struct db_value *p = params + i * COLUMNS;
        p[0] = db_textn(t->type.p, t->type.len);
        p[1] = db_textn(t->data.p, t->data.len);
        p[2] = db_text(task_status_name(t->status));
        p[3] = db_int(t->priority);
        p[4] = db_int(t->turn);
        p[5] = db_instant(t->created_at);
        p[6] = db_int(t->created_by);
        p[7] = db_instant(t->run_at);
        p[8] = t->max_attempts ? db_uint(t->max_attempts) : db_null();
    }
    struct db_stmt *stmt;
    int64_t rc = store_run(s, ST_SUBMIT, n, params, (unsigned)(n * COLUMNS), &stmt, e);
    free(params);
    if (rc < 0)
        return (int)rc;
    for (size_t i = 0; i < n; i++)
        tasks[i].id = db_insert_id(stmt) + i * id_step;
    return 0;
}

static int submit(struct store *s, void *ctx, struct error *e)
{
    struct submission *sub = ctx;
    int rc = ask_turns(s, sub, e);
    if (rc)
        return rc;
    make_rows(sub);
    for (size_t done = 0, n; done < sub->count && !rc; done += n) {
        n = store_group_filled(sub->count - done);
        rc = insert_group(s, sub->out + done, n, sub->id_step, e);
    }
    return rc ? rc : store_add_http_requests(s, sub->tasks, sub->out, sub->count, e);
}

/* Nothing but one INSERT? It commits itself: two round trips less. */
static bool is_one_change(const struct submission *sub)
{
    for (size_t i = 0; i < sub->count; i++)
        if (sub->tasks[i].request)
            return false;
    return store_group_filled(sub->count) == sub->count;
}

int store_submit(struct store *s, const struct new_task *tasks, size_t count, struct arena *arena,
                 struct task *out, struct error *e)
{
    struct submission sub = {.tasks = tasks, .count = count, .arena = arena, .out = out};
    find_lanes(&sub);
    return is_one_change(&sub) ? store_change_once(s, submit, &sub, e) : store_transaction(s, submit, &sub, NULL, e);
}
