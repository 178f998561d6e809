/* SPDX-License-Identifier: MIT */
/* claim.c: takes tasks. The claim index yields a lane's order without a sort; a floor keeps the scan from wading
 * through entries that were consumed but not yet purged. */
#include "store/claim.h"

#include <inttypes.h>
#include <string.h>

#include "impl.h"

/* Locks TYPE's row of type_control until the transaction's end. */
static int64_t lock_type(struct store *s, const char *type, struct error *e)
{
    struct db_value name = db_text(type);
    int64_t rc = store_run(s, ST_TYPE_LOCK, 1, &name, 1, NULL, e);
    if (rc == 0) { /* the first time; the row stays for good */
        rc = store_run(s, ST_TYPE_LOCK_OPEN, 1, &name, 1, NULL, e);
        if (rc >= 0)
            rc = store_run(s, ST_TYPE_LOCK, 1, &name, 1, NULL, e);
    }
    return rc;
}

/* --- users with as many running tasks as they may have ------------------------------------------- */

struct running_user {
    int64_t user, running;
};

struct running_users {
    int64_t limit;
    struct running_user *items; /* room for every user who may yet be added */
    size_t count, cap;
    struct arena *arena;
};

static int64_t *running_of(struct running_users *u, int64_t user)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->items[i].user == user)
            return &u->items[i].running;
    if (u->count == u->cap) {
        size_t cap = u->cap ? u->cap * 2 : 64;
        struct running_user *items = arena_alloc(u->arena, cap * sizeof *items);
        if (u->count)
            memcpy(items, u->items, u->count * sizeof *items);
        u->items = items;
        u->cap = cap;
    }
    u->items[u->count] = (struct running_user){user, 0};
    return &u->items[u->count++].running;
}

/* The lock is the row of a type that no task can have. */
static const char all_types[] = "*";

int store_count_users(struct store *s, int64_t limit, struct arena *arena, struct running_users **out,
                      struct error *e)
{
    struct running_users *u = arena_calloc(arena, 1, sizeof *u);
    u->limit = limit;
    u->arena = arena;
    struct db_stmt *r;
    int64_t rc = lock_type(s, all_types, e);
    if (rc >= 0)
        rc = store_run(s, ST_COUNT_USERS, 1, NULL, 0, &r, e);
    while (rc >= 0 && (rc = db_next(r, e)) > 0)
        *running_of(u, db_col_int(r, 0)) = db_col_int(r, 1);
    *out = u;
    return rc < 0 ? (int)rc : 0;
}

/* Selects from the lane all but the tasks of those at their limit. From the lane's start: what is behind a
 * floor may be a task that was passed over before. */
static int64_t select_but(struct store *s, const struct running_users *u, const char *type, int priority,
                          size_t max, struct db_stmt **r, struct error *e)
{
    struct db_value params[GROUP_MAX + 5];
    struct buf more = BUF_INIT; /* the list has no end, the group has */
    size_t full = 0;
    for (size_t i = 0; i < u->count; i++)
        if (u->items[i].running < u->limit)
            continue;
        else if (full < GROUP_MAX)
            params[full++] = db_int(u->items[i].user);
        else
            buf_addf(&more, "%s%" PRId64, more.len ? "," : "", u->items[i].user);
    if (!full)
        params[full++] = db_int(INT64_MIN); /* nobody */
    size_t group = store_group_for(full);
    for (size_t i = full; i < group; i++)
        params[i] = params[0];
    params[group] = db_textn(buf_str(&more), more.len);
    params[group + 1] = params[group + 3] = db_text(type);
    params[group + 2] = db_int(priority);
    params[group + 4] = db_uint(max);
    int64_t found = store_run(s, ST_CLAIM_LANE_BUT, group, params, (unsigned)group + 5, r, e);
    buf_free(&more);
    return found;
}

/* --- claiming --------------------------------------------------------------------------------------- */

/* Reads the locked rows of one lane: those to run into OUT, those whose run_at is to come into EARLY. */
static int read_lane(struct db_stmt *r, struct lane_floor *floor, struct running_users *users,
                     struct arena *arena, struct claimed *out, size_t *count, uint64_t *early,
                     size_t *early_count, struct error *e)
{
    int more;
    *count = *early_count = 0;
    while ((more = db_next(r, e)) > 0) {
        floor->id = db_col_uint(r, 0);
        floor->turn = db_col_int(r, 1);
        if (db_col_int(r, 8)) {
            early[(*early_count)++] = floor->id;
            continue;
        }
        int64_t *running = users ? running_of(users, db_col_int(r, 5)) : NULL;
        if (running && *running >= users->limit)
            continue; /* its lock goes with the transaction */
        if (running)
            ++*running;
        out[(*count)++] = (struct claimed){
            .id = floor->id,
            .turn = floor->turn,
            .fence = db_col_uint(r, 2) + 1,
            .attempt = (unsigned)db_col_uint(r, 3) + 1,
            .max_attempts = (unsigned)db_col_uint(r, 4),
            .created_by = db_col_int(r, 5),
            .created_at = db_col_instant(r, 6),
            .cancel_requested = db_col_int(r, 7) != 0,
            .data = store_text(r, 9, arena),
        };
    }
    return more;
}

int store_claim_lane(struct store *s, const char *worker, const char *type, int priority,
                     struct lane_floor *floor, size_t max, struct running_users *users,
                     struct arena *arena, struct claimed *out, bool *more, struct error *e)
{
    struct db_stmt *r;
    uint64_t *ids = arena_alloc(arena, max * sizeof *ids);
    size_t count, early;
    struct lane_floor start = *floor;
    int64_t found = users ? select_but(s, users, type, priority, max, &r, e)
                          : STORE_RUN(s, ST_CLAIM_LANE, &r, e, db_text(type), db_int(priority),
                                      db_int(floor->turn), db_int(floor->turn), db_uint(floor->id),
                                      db_text(type), db_uint(max));
    if (found < 0)
        return (int)found;
    int64_t rc = read_lane(r, floor, users, arena, out, &count, ids, &early, e);
    *more = (size_t)found == max && count + early > 0;
    if (users)
        *floor = start;
    if (rc >= 0)
        rc = store_move_ids(s, EVENT_schedule, TASK_fresh, NULL, 0, ids, early, e);
    if (rc < 0)
        return (int)rc;
    for (size_t i = 0; i < count; i++) {
        ids[i] = out[i].id;
        out[i].priority = priority;
    }
    struct db_value by = db_text(worker);
    rc = store_move_ids(s, EVENT_claim, TASK_fresh, &by, 1, ids, count, e);
    if (rc < 0)
        return (int)rc;
    /* Locked rows cannot change under us on one server; on a cluster they can. */
    if ((size_t)rc != count)
        return error_set(e, ERR_DB_RETRY, "another node took a task that was locked here");
    return (int)count;
}

int store_type_room(struct store *s, const char *type, int64_t limit, struct error *e)
{
    struct db_value name = db_text(type);
    struct db_stmt *r;
    int64_t rc = lock_type(s, type, e);
    if (rc >= 0)
        rc = store_run(s, ST_COUNT_STARTED, 1, &name, 1, &r, e);
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc < 0)
        return (int)rc;
    int64_t room = limit - db_col_int(r, 0);
    return room < 0 ? 0 : room > INT32_MAX ? INT32_MAX : (int)room;
}
