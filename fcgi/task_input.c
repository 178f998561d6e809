/* SPDX-License-Identifier: MIT */
/* task_input.c: reads {type, data, priority, run_at, max_attempts, created_by}, one or many. */
#include "fcgi/task_input.h"

#include <json-c/json.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

/* One element while it is being read. */
struct reader {
    const struct app *app;
    const struct identity *who;
    struct arena *arena;
    struct faults faults;   /* of this element, pointers without the index */
    bool unknown_member;
    bool role_missing;
};

typedef void read_member_fn(struct reader *r, struct json_object *value, struct new_task *task);

static void read_integer(struct reader *r, struct json_object *value, const char *pointer, int64_t min,
                         int64_t max, int64_t *out)
{
    int64_t n = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : min - 1;
    if (n >= min && n <= max)
        *out = n;
    else
        faults_add(&r->faults, pointer, "must be an integer from %lld to %lld", (long long)min,
                   (long long)max);
}

static void read_priority(struct reader *r, struct json_object *value, struct new_task *task)
{
    int64_t n = task->priority;
    read_integer(r, value, "/priority", PRIORITY_MIN, PRIORITY_MAX, &n);
    task->priority = (int)n;
}

static void read_max_attempts(struct reader *r, struct json_object *value, struct new_task *task)
{
    int64_t n = task->max_attempts;
    read_integer(r, value, "/max_attempts", 1, 1000, &n);
    task->max_attempts = (unsigned)n;
}

static void read_run_at(struct reader *r, struct json_object *value, struct new_task *task)
{
    int64_t at = -1;
    if (json_object_is_type(value, json_type_string) &&
        instant_parse(json_object_get_string(value), (size_t)json_object_get_string_len(value),
                      &at) == 0 && at >= 0)
        task->run_at = at;
    else
        faults_add(&r->faults, "/run_at", "must be a time such as 2026-11-21T09:30:00Z");
}

static void read_created_by(struct reader *r, struct json_object *value, struct new_task *task)
{
    if (!r->who->admin) {
        r->role_missing = true;
        faults_add(&r->faults, "/created_by", "needs the role admin");
        return;
    }
    read_integer(r, value, "/created_by", 1, INT64_MAX - 1, &task->created_by);
}

static void read_type(struct reader *r, struct json_object *value, struct new_task *task)
{
    const char *name = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
    if (!name)
        faults_add(&r->faults, "/type", "must be a string");
    else if (strlen(name) != (size_t)json_object_get_string_len(value)) /* U+0000 in it */
        faults_add(&r->faults, "/type", NO_SUCH_TYPE);
    else
        task->type = name;
}

/* Needs the type: see read_data. */
static void skip_data(struct reader *r, struct json_object *value, struct new_task *task)
{
    (void)r;
    (void)value;
    (void)task;
}

static const struct {
    const char *name;
    read_member_fn *read;
} members[] = {
    {"type", read_type},
    {"data", skip_data},
    {"priority", read_priority},
    {"run_at", read_run_at},
    {"max_attempts", read_max_attempts},
    {"created_by", read_created_by},
};

static const char *known_members(const struct reader *r)
{
    const char *list = members[0].name;
    for (size_t i = 1; i < COUNT_OF(members); i++)
        list = arena_printf(r->arena, "%s, %s", list, members[i].name);
    return list;
}

static void read_member(struct reader *r, const char *name, struct json_object *value,
                        struct new_task *task)
{
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (strcmp(members[i].name, name) == 0) {
            if (value || members[i].read == read_type) /* null is the same as not given */
                members[i].read(r, value, task);
            return;
        }
    r->unknown_member = true;
    if (!faults_full(&r->faults))
        faults_add(&r->faults, faults_step(&r->faults, "", name), "is not known here: known are %s", known_members(r));
}

static void read_data(struct reader *r, struct json_object *data, struct new_task *task,
                      const char **upload)
{
    const char *pointer, *role = task->type ? task_role(r->app->catalogue, task->type, data, &pointer) : NULL;
    int64_t max = r->app->settings->api.max_data_bytes;
    if (role && !r->who->admin) {
        r->role_missing = true;
        faults_add(&r->faults, pointer, "needs the role %s", role);
    }
    if (task->type)
        (void)!task_validate(r->app->catalogue, task->type, data, &r->faults);
    if (!r->faults.count)
        *upload = task_upload(r->app->catalogue, task->type, data);
    size_t len = 2;
    const char *text =
        data ? json_object_to_json_string_length(
                   data, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len)
             : "{}";
    task->data = text;
    task->data_len = len;
    if (len > (size_t)max)
        faults_add(&r->faults, "/data", "is %zu bytes long, more than the %lld that may be", len,
                   (long long)max);
}

static void read_task(struct reader *r, struct json_object *element, struct new_task *task,
                      const char **upload)
{
    *task = (struct new_task){
        .priority = PRIORITY_DEFAULT,
        .run_at = INSTANT_NONE,
        .created_by = r->who->user,
    };
    if (!json_object_is_type(element, json_type_object)) {
        faults_add(&r->faults, "", "must be an object");
        return;
    }
    json_object_object_foreach(element, name, value)
        read_member(r, name, value, task);
    if (!json_object_object_get_ex(element, "type", NULL))
        faults_add(&r->faults, "/type", "is missing");
    read_data(r, json_object_object_get(element, "data"), task, upload);
}

/* The gravest reason decides on the status; all faults are listed. */
static enum problem choose_problem(enum problem present, const struct reader *r)
{
    if (r->unknown_member || present == PROBLEM_unknown_member)
        return PROBLEM_unknown_member;
    if (r->role_missing || present == PROBLEM_role_missing)
        return PROBLEM_role_missing;
    return PROBLEM_invalid_task;
}

static void read_element(struct reader *r, struct json_object *element, int index,
                         struct new_task *task, const char **upload, struct task_refusal *refusal)
{
    r->faults = (struct faults)FAULTS_INIT(r->arena);
    r->unknown_member = r->role_missing = false;
    read_task(r, element, task, upload);
    if (!r->faults.count)
        return;
    refusal->problem = choose_problem(refusal->problem, r);
    for (size_t i = 0; i < r->faults.count; i++) {
        const struct fault *f = &r->faults.items[i];
        const char *pointer =
            index < 0 ? f->pointer : arena_printf(r->arena, "/%d%s", index, f->pointer);
        faults_add(&refusal->faults, pointer, "%s", f->detail);
    }
}

/* Keeps the texts of the tasks beyond the JSON that they point into. */
static void keep_texts(struct task_input *in, struct arena *arena)
{
    for (size_t i = 0; i < in->count; i++) {
        struct new_task *t = &in->tasks[i];
        t->type = arena_strdup(arena, t->type);
        t->data = arena_strndup(arena, t->data, t->data_len);
        in->uploads[i] = in->uploads[i] ? arena_strdup(arena, in->uploads[i]) : NULL;
    }
}

bool task_input_read(const struct app *app, const struct identity *who, const char *text, size_t len,
                     struct arena *arena, struct task_input *out, struct task_refusal *refusal)
{
    struct reader r = {.app = app, .who = who, .arena = arena};
    struct json_object *body = NULL;
    struct error e = {0};
    *refusal = (struct task_refusal){.problem = PROBLEM_invalid_task, .faults = FAULTS_INIT(arena)};
    if (json_parse(text, len, &body, &e) != 0) {
        refusal->problem = PROBLEM_malformed_json;
        refusal->detail = arena_strdup(arena, e.text);
        return false;
    }
    out->is_array = json_object_is_type(body, json_type_array);
    out->count = out->is_array ? json_object_array_length(body) : 1;
    if (out->count < 1 || out->count > TASK_INPUT_MAX) {
        faults_add(&refusal->faults, "", "must have 1 to %d elements", TASK_INPUT_MAX);
    } else {
        out->tasks = arena_calloc(arena, out->count, sizeof *out->tasks);
        out->uploads = arena_calloc(arena, out->count, sizeof *out->uploads);
        for (size_t i = 0; i < out->count; i++)
            read_element(&r, out->is_array ? json_object_array_get_idx(body, i) : body,
                         out->is_array ? (int)i : -1, &out->tasks[i], &out->uploads[i], refusal);
    }
    bool good = refusal->faults.count == 0;
    if (good)
        keep_texts(out, arena);
    json_object_put(body);
    return good;
}
