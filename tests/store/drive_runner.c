/* SPDX-License-Identifier: MIT */
/* drive_runner.c: what a runner says to the store, for drive_store. */
#include <string.h>

#include "base/clock.h"
#include "drive.h"
#include "store/claim.h"

enum { TYPES_MAX = 32 };

/* Says of each whether another session holds it. */
static int do_lock(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct json_object *list = member(in, "ids");
    size_t count = count_of(list);
    uint64_t *ids = arena_calloc(d->arena, count, sizeof *ids);
    bool *held = arena_calloc(d->arena, count, sizeof *held);
    for (size_t i = 0; i < count; i++)
        ids[i] = json_object_get_uint64(json_object_array_get_idx(list, i));
    int rc = store_lock_tasks(d->store, ids, count, held, e);
    buf_addc(out, '[');
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s%d", i ? "," : "", held[i]);
    buf_addc(out, ']');
    return rc;
}

static int do_look(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    const char *types[TYPES_MAX];
    size_t count = read_texts(in, "types", types);
    struct lane_head *heads = arena_calloc(d->arena, MANY, sizeof *heads);
    int64_t due_usec;
    int n = store_look(d->store, types, count, heads, MANY, &due_usec, e);
    if (n < 0)
        return n;
    buf_adds(out, "{\"lanes\":[");
    for (int i = 0; i < n; i++) {
        next_item(out);
        buf_addc(out, '{');
        put_text(out, "type", (struct text){heads[i].type, strlen(heads[i].type)});
        put_int(out, "priority", heads[i].priority);
        put_int(out, "turn", heads[i].turn);
        buf_addc(out, '}');
    }
    buf_adds(out, "]");
    put_int(out, "due_usec", due_usec == INT64_MAX ? INSTANT_NONE : due_usec);
    buf_addc(out, '}');
    return 0;
}

static int do_promote(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    int n = store_promote(d->store, (size_t)int_of(in, "max", 100), e);
    if (n >= 0)
        buf_add_i64(out, n);
    return n < 0 ? n : 0;
}

static int do_claim(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct lane_floor floor = {int_of(in, "turn", 0), uint_of(in, "id")};
    size_t max = (size_t)int_of(in, "max", 1);
    struct claimed *tasks = arena_calloc(d->arena, max, sizeof *tasks);
    bool more = false;
    struct running_users *users = NULL;
    int64_t most = int_of(in, "running_per_user", 0);
    int n = most ? store_count_users(d->store, most, d->arena, &users, e) : 0;
    if (!n)
        n = store_claim_lane(d->store, text_of(in, "worker"), text_of(in, "type"),
                             (int)int_of(in, "priority", PRIORITY_DEFAULT), &floor, max, users, d->arena, tasks,
                             &more, e);
    if (n < 0)
        return n;
    buf_adds(out, "{\"tasks\":[");
    for (int i = 0; i < n; i++) {
        next_item(out);
        buf_addc(out, '{');
        put_uint(out, "id", tasks[i].id);
        put_uint(out, "fence", tasks[i].fence);
        put_uint(out, "attempt", tasks[i].attempt);
        put_text(out, "data", tasks[i].data);
        put_int(out, "cancel_requested", tasks[i].cancel_requested);
        buf_addc(out, '}');
    }
    buf_adds(out, "]");
    put_int(out, "turn", floor.turn);
    put_uint(out, "id", floor.id);
    put_int(out, "more", more);
    buf_addc(out, '}');
    return 0;
}

static int do_finish(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    static const char *const kinds[] = {
        [FINISH_SUCCESS] = "success", [FINISH_FAILURE] = "failure", [FINISH_CANCELLED] = "cancelled",
        [FINISH_DROPPED] = "dropped", [FINISH_RETRY] = "retry",     [FINISH_HAND_BACK] = "hand_back",
    };
    struct finish_file files[8];
    struct json_object *list = member(in, "files");
    struct finish f = {
        .id = uint_of(in, "id"),
        .fence = uint_of(in, "fence"),
        .owner = int_of(in, "owner", 1),
        .died = int_of(in, "died", 0) != 0,
        .error = text_of(in, "error"),
        .result = text_of(in, "result"),
        .progress = text_of(in, "progress"),
        .log = text_of(in, "log"),
        .retry_usec = int_of(in, "retry_usec", 0),
        .turn = int_of(in, "turn", 0),
        .keep_usec = int_of(in, "keep_usec", 0),
        .files = files,
        .file_count = count_of(list),
    };
    while (strcmp(kinds[f.kind], text_of(in, "kind")) != 0)
        f.kind++;
    for (size_t i = 0; i < f.file_count; i++) {
        struct json_object *x = json_object_array_get_idx(list, i);
        files[i] = (struct finish_file){.filename = "a.csv", .format = "csv", .path = json_object_get_string(x)};
    }
    int rc = store_finish(d->store, &f, e);
    if (rc >= 0)
        buf_add_i64(out, rc);
    return rc < 0 ? rc : 0;
}

/* Successes by one statement; says of each whether its claim was lost. */
static int do_finish_plain(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct json_object *list = member(in, "ends");
    size_t count = count_of(list);
    struct finish *finishes = arena_calloc(d->arena, count, sizeof *finishes);
    const struct finish **ends = arena_calloc(d->arena, count, sizeof *ends);
    bool *lost = arena_calloc(d->arena, count, sizeof *lost);
    for (size_t i = 0; i < count; i++) {
        struct json_object *x = json_object_array_get_idx(list, i);
        finishes[i] = (struct finish){
            .id = uint_of(x, "id"),
            .fence = uint_of(x, "fence"),
            .kind = FINISH_SUCCESS,
            .result = text_of(x, "result"),
            .progress = text_of(x, "progress"),
            .keep_usec = int_of(in, "keep_usec", 0),
        };
        ends[i] = &finishes[i];
    }
    int rc = store_finish_plain(d->store, ends, count, lost, e);
    if (rc)
        return rc;
    buf_addc(out, '[');
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s%d", i ? "," : "", lost[i]);
    buf_addc(out, ']');
    return 0;
}

static int do_progress(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct progress_note note = {uint_of(in, "id"), uint_of(in, "fence"), text_of(in, "progress")};
    bool written;
    int rc = store_note_progress(d->store, &note, 1, &written, e);
    if (!rc)
        buf_adds(out, written ? "true" : "false");
    return rc;
}

static int do_register(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)out;
    struct runner_card card = {
        .worker = text_of(in, "worker"),
        .host = "here",
        .version = "0",
        .types = "[]",
        .pid = 1,
        .slots = 1,
        .lease_usec = int_of(in, "lease_usec", 30000000),
    };
    int rc = store_expire_name(d->store, card.worker, e);
    return rc ? rc : store_register_runner(d->store, &card, e);
}

static int do_renew(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)out;
    return store_renew_runner(d->store, text_of(in, "worker"), 0, e);
}

static int do_leave(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)out;
    return store_leave_runner(d->store, text_of(in, "worker"), e);
}

static int do_held(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct held_task *held = arena_calloc(d->arena, MANY, sizeof *held);
    int n = store_held_tasks(d->store, text_of(in, "worker"), d->arena, held, MANY, e);
    if (n < 0)
        return n;
    buf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        next_item(out);
        buf_addc(out, '{');
        put_uint(out, "id", held[i].id);
        put_uint(out, "fence", held[i].fence);
        put_int(out, "cancel_requested", held[i].cancel_requested);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
    return 0;
}

static struct lost_verdict again_if_below(void *ctx, const struct lost_task *task)
{
    const int64_t *otherwise = ctx;
    return (struct lost_verdict){
        .again = task->attempt < (task->max_attempts ? task->max_attempts : (unsigned)*otherwise)};
}

static int do_take_back(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct lost_claim *lost = arena_calloc(d->arena, MANY, sizeof *lost);
    int64_t most = int_of(in, "max_attempts", 3);
    int n = store_take_back(d->store, &d->watch, (size_t)int_of(in, "max", 200), again_if_below, &most, lost, e);
    if (n < 0)
        return n;
    buf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        next_item(out);
        buf_addc(out, '{');
        put_uint(out, "id", lost[i].id);
        put_uint(out, "fence", lost[i].fence);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
    return 0;
}

static int do_expire(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    int n = store_expire(d->store, (size_t)int_of(in, "max", 200), e);
    if (n >= 0)
        buf_add_i64(out, n);
    return n < 0 ? n : 0;
}

static int do_forget(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    int n = store_forget(d->store, (size_t)int_of(in, "max", 200), e);
    if (n >= 0)
        buf_add_i64(out, n);
    return n < 0 ? n : 0;
}

static int do_trash(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    struct trash_entry *entries = arena_calloc(d->arena, MANY, sizeof *entries);
    int n = store_list_trash(d->store, entries, MANY, e);
    if (n < 0)
        return n;
    buf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        buf_adds(out, i ? "," : "");
        buf_json_s(out, entries[i].path);
    }
    buf_addc(out, ']');
    return int_of(in, "drop", 0) && n ? store_drop_trash(d->store, entries, (size_t)n, e) : 0;
}

static int do_keep(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    int n = store_keep_newest(d->store, text_of(in, "series"), (size_t)int_of(in, "keep", 1),
                              (size_t)int_of(in, "max", 200), e);
    if (n >= 0)
        buf_add_i64(out, n);
    return n < 0 ? n : 0;
}

static int do_known(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    int n = store_file_known(d->store, text_of(in, "path"), e);
    if (n >= 0)
        buf_add_i64(out, n);
    return n < 0 ? n : 0;
}

const struct verb runner_verbs[] = {
    {"claim", do_claim},
    {"expire", do_expire},
    {"forget", do_forget},
    {"finish", do_finish},
    {"finish_plain", do_finish_plain},
    {"held", do_held},
    {"keep", do_keep},
    {"known", do_known},
    {"leave", do_leave},
    {"lock", do_lock},
    {"look", do_look},
    {"progress", do_progress},
    {"promote", do_promote},
    {"register", do_register},
    {"renew", do_renew},
    {"take_back", do_take_back},
    {"trash", do_trash},
    {NULL, NULL},
};
