/* SPDX-License-Identifier: MIT */
/* drive_api.c: what an API node says to the store, for drive_store. */
#include <string.h>

#include "base/clock.h"
#include "drive.h"
#include "store/change.h"
#include "store/query.h"
#include "store/submit.h"

static void put_task(struct buf *out, const struct task *t)
{
    next_item(out);
    buf_addc(out, '{');
    put_uint(out, "id", t->id);
    put_text(out, "type", t->type);
    put_text(out, "data", t->data);
    put_text(out, "status", (struct text){task_status_name(t->status), strlen(task_status_name(t->status))});
    put_int(out, "priority", t->priority);
    put_int(out, "turn", t->turn);
    put_text(out, "worker", t->worker);
    put_int(out, "created_by", t->created_by);
    put_int(out, "created_at", t->created_at);
    put_int(out, "run_at", t->run_at);
    put_int(out, "finished_at", t->finished_at);
    put_uint(out, "attempt", t->attempt);
    put_uint(out, "max_attempts", t->max_attempts);
    put_uint(out, "fence", t->fence);
    put_int(out, "cancel_requested", t->cancel_requested);
    put_text(out, "progress", t->progress);
    put_text(out, "error", t->error);
    put_text(out, "result", t->result);
    put_uint(out, "files", t->file_count);
    buf_addc(out, '}');
}

static void put_tasks(struct buf *out, const struct task *tasks, size_t count)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < count; i++)
        put_task(out, &tasks[i]);
    buf_addc(out, ']');
}

static int do_check(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)in, (void)out;
    return store_check(d->store, e);
}

static int do_ping(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)in, (void)out;
    return store_ping(d->store, e);
}

static int do_disconnect(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)in, (void)out, (void)e;
    store_disconnect(d->store);
    return 0;
}

static int do_submit(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct json_object *list = member(in, "tasks");
    size_t count = count_of(list);
    struct new_task *tasks = arena_calloc(d->arena, count, sizeof *tasks);
    struct task *made = arena_calloc(d->arena, count, sizeof *made);
    for (size_t i = 0; i < count; i++) {
        struct json_object *t = json_object_array_get_idx(list, i);
        const char *data = member(t, "data") ? text_of(t, "data") : "{}";
        tasks[i] = (struct new_task){
            .type = text_of(t, "type"),
            .data = data,
            .data_len = strlen(data),
            .priority = (int)int_of(t, "priority", PRIORITY_DEFAULT),
            .run_at = int_of(t, "run_at", INSTANT_NONE),
            .max_attempts = (unsigned)int_of(t, "max_attempts", 0),
            .created_by = int_of(t, "created_by", 1),
        };
    }
    int rc = store_submit(d->store, tasks, count, d->arena, made, e);
    if (!rc)
        put_tasks(out, made, count);
    return rc;
}

/* "all" has a list for each: user, limit, wanted, ahead. What is spare of each; of a failure, whose it was. */
static int do_reserve(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct json_object *list = member(in, "all");
    size_t count = count_of(list);
    struct reservation *all = arena_calloc(d->arena, count, sizeof *all);
    const struct reservation *failed;
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        int64_t *const members[] = {&all[i].user, &all[i].limit, &all[i].wanted, &all[i].ahead};
        for (size_t k = 0; k < sizeof members / sizeof *members; k++)
            *members[k] = json_object_get_int64(json_object_array_get_idx(one, k));
    }
    int rc = store_reserve(d->store, all, count, &failed, e);
    if (failed)
        error_prefix(e, "user %lld", (long long)failed->user);
    buf_addc(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_adds(out, i ? "," : "");
        buf_add_i64(out, all[i].spare);
    }
    buf_addc(out, ']');
    return rc;
}

/* Whether what is spare has been kept. */
static int do_recount(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    bool kept = false;
    int rc = store_recount(d->store, int_of(in, "user", 0), int_of(in, "limit", 0), int_of(in, "spare", 0), &kept, e);
    buf_adds(out, kept ? "true" : "false");
    return rc;
}

static int do_get(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct json_object *list = member(in, "ids");
    size_t count = count_of(list);
    uint64_t *ids = arena_calloc(d->arena, count, sizeof *ids);
    struct task *tasks = arena_calloc(d->arena, count, sizeof *tasks);
    for (size_t i = 0; i < count; i++)
        ids[i] = json_object_get_uint64(json_object_array_get_idx(list, i));
    int rc = store_get_tasks(d->store, ids, count, d->arena, tasks, e);
    if (!rc)
        put_tasks(out, tasks, count);
    return rc;
}

static void read_statuses(struct json_object *list, bool *out)
{
    for (size_t i = 0; i < count_of(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        int status = task_status_parse(name, strlen(name));
        if (status >= 0)
            out[status] = true;
    }
}

static int do_list(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct task_filter f;
    task_filter_init(&f);
    f.owner = int_of(in, "owner", 0);
    f.has_status = member(in, "status") != NULL;
    read_statuses(member(in, "status"), f.status);
    f.types = read_texts(in, "type", f.type);
    f.workers = read_texts(in, "worker", f.worker);
    struct json_object *creators = member(in, "created_by");
    for (; f.creators < count_of(creators); f.creators++)
        f.created_by[f.creators] = json_object_get_int64(json_object_array_get_idx(creators, f.creators));
    f.created_before = int_of(in, "created_before", INSTANT_NONE);
    f.created_after = int_of(in, "created_after", INSTANT_NONE);
    f.started_before = int_of(in, "started_before", INSTANT_NONE);
    f.started_after = int_of(in, "started_after", INSTANT_NONE);
    f.finished_before = int_of(in, "finished_before", INSTANT_NONE);
    f.finished_after = int_of(in, "finished_after", INSTANT_NONE);
    f.cancel_requested = (int)int_of(in, "cancel_requested", -1);
    size_t limit = (size_t)int_of(in, "limit", 50);
    struct task *tasks = arena_calloc(d->arena, limit, sizeof *tasks);
    uint64_t next = 0;
    int n = store_list_tasks(d->store, &f, uint_of(in, "before"), limit, d->arena, tasks, &next, e);
    if (n < 0)
        return n;
    buf_adds(out, "{\"tasks\":");
    put_tasks(out, tasks, (size_t)n);
    put_uint(out, "next", next);
    buf_addc(out, '}');
    return 0;
}

static int do_retry(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct task t;
    int rc = store_retry_task(d->store, uint_of(in, "id"), d->arena, &t, e);
    if (!rc)
        put_task(out, &t);
    return rc;
}

static int do_cancel(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct task t;
    int rc = store_cancel_task(d->store, uint_of(in, "id"), int_of(in, "by", 1), text_of(in, "reason"), 0,
                               d->arena, &t, e);
    if (rc >= 0)
        put_task(out, &t);
    return rc < 0 ? rc : 0;
}

static int do_delete(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)out;
    return store_delete_task(d->store, uint_of(in, "id"), member(in, "guarded") != NULL, e);
}

static int do_delete_export(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)out;
    return store_delete_export(d->store, uint_of(in, "id"), e);
}

static int do_clear(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    bool status[TASK_STATUS_COUNT] = {false};
    uint64_t deleted = 0, next = 0;
    int rc;
    read_statuses(member(in, "status"), status);
    do {
        rc = store_clear_tasks(d->store, int_of(in, "owner", 0), int_of(in, "before", INT64_C(4102444800000000)),
                               member(in, "status") ? status : NULL, &next, e);
        deleted += rc > 0 ? (uint64_t)rc : 0;
    } while (rc >= 0 && next);
    if (rc >= 0)
        buf_add_u64(out, deleted);
    return rc < 0 ? rc : 0;
}

const struct verb api_verbs[] = {
    {"cancel", do_cancel},
    {"check", do_check},
    {"clear", do_clear},
    {"delete", do_delete},
    {"delete_export", do_delete_export},
    {"disconnect", do_disconnect},
    {"get", do_get},
    {"list", do_list},
    {"ping", do_ping},
    {"recount", do_recount},
    {"reserve", do_reserve},
    {"retry", do_retry},
    {"submit", do_submit},
    {NULL, NULL},
};
