/* SPDX-License-Identifier: MIT */
/* turn.c: carries one transaction out. Everything it learns is taken over only after the commit. */
#include "turn.h"

#include <stdlib.h>
#include <string.h>

struct turn *turn_create(void)
{
    struct turn *t = xcalloc(1, sizeof *t);
    t->plan = arena_create();
    t->arena = arena_create();
    return t;
}

void turn_destroy(struct turn **tp)
{
    struct turn *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    arena_destroy(&t->plan);
    arena_destroy(&t->arena);
    free(t);
}

bool turn_is_request(const char *type)
{
    return strcmp(type, HTTP_REQUEST_TYPE) == 0;
}

/* At most WANT, and no more than the type's limit over all runners leaves. */
static int shared_room(const struct turn *t, const char *type, int64_t running_total, size_t want, struct error *e)
{
    if (running_total <= 0)
        return (int)want;
    int room = store_type_room(t->store, type, running_total, e);
    return room < 0 || (size_t)room < want ? room : (int)want;
}

static int claim_lane(struct turn *t, size_t i, struct running_users *users, struct error *e)
{
    struct lane *lane = &t->lanes.items[i];
    const struct turn_lane *limit = &t->limits[i];
    size_t room = limit->room, max = t->want[limit->kind] - t->taken[limit->kind];
    for (size_t k = 0; k < t->task_count && room; k++)
        room -= room != SIZE_MAX && strcmp(t->types[k], lane->type) == 0;
    if (!lane->waiting || !room || !max)
        return 0;
    int take = shared_room(t, lane->type, limit->running_total, max < room ? max : room, e);
    if (take < 0)
        return take;
    if (take == 0) {
        lane->waiting = false; /* until the next look: somebody must end first */
        return 0;
    }
    int n = store_claim_lane(t->store, t->worker, lane->type, lane->priority, &lane->floor, (size_t)take, users,
                             t->arena, t->tasks + t->task_count, &lane->waiting, e);
    if (n < 0)
        return n;
    for (int k = 0; k < n; k++)
        t->types[t->task_count++] = lane->type;
    t->taken[limit->kind] += (size_t)n;
    return 0;
}

static int claim_lanes(struct turn *t, struct error *e)
{
    struct running_users *users = NULL;
    int rc = 0;
    if (t->running_per_user > 0 && t->want_all)
        rc = store_count_users(t->store, t->running_per_user, t->arena, &users, e);
    for (size_t i = 0; i < t->lanes.count && t->task_count < t->want_all && !rc; i++)
        rc = claim_lane(t, i, users, e);
    return rc;
}

/* The rows beside the deferred requests among the tasks. */
static int read_requests(struct turn *t, struct error *e)
{
    uint64_t *ids = arena_alloc(t->arena, t->task_count * sizeof *ids);
    struct http_request *found = arena_calloc(t->arena, t->task_count, sizeof *found);
    bool *has = arena_calloc(t->arena, t->task_count, sizeof *has);
    size_t count = 0, at = 0;
    for (size_t i = 0; i < t->task_count; i++)
        if (turn_is_request(t->types[i]))
            ids[count++] = t->tasks[i].id;
    int rc = count ? store_get_http_requests(t->store, ids, count, t->arena, found, has, e) : 0;
    t->requests = arena_calloc(t->arena, t->task_count, sizeof *t->requests);
    t->has_request = arena_calloc(t->arena, t->task_count, sizeof *t->has_request);
    for (size_t i = 0; i < t->task_count && !rc; i++)
        if (turn_is_request(t->types[i])) {
            t->requests[i] = found[at];
            t->has_request[i] = has[at++];
        }
    return rc;
}

/* It may run twice: what the first time has left counts for nothing. */
static void begin_anew(struct turn *t)
{
    arena_reset(t->arena);
    t->task_count = 0;
    memset(t->taken, 0, sizeof t->taken);
    t->tasks = arena_calloc(t->arena, t->want_all, sizeof *t->tasks);
    t->types = arena_calloc(t->arena, t->want_all, sizeof *t->types);
    t->lanes = lanes_copy(&t->asked, t->arena);
}

static int body(struct store *s, void *context, struct error *e)
{
    struct turn *t = context;
    begin_anew(t);
    int rc = endings_write(&t->endings, s, e);
    if (!rc)
        rc = endings_count(&t->endings, s, t->counter_slot, t->arena, e);
    if (!rc)
        rc = claim_lanes(t, e);
    return rc ? rc : read_requests(t, e);
}

void turn_run(void *turn)
{
    struct turn *t = turn;
    t->rc = store_try_transaction(t->store, body, t, &t->unknown, &t->error);
}
