/* SPDX-License-Identifier: MIT */
/* handle_create.c: POST /v1/tasks. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/creator.h"
#include "fcgi/exchange.h"
#include "fcgi/idempotency.h"
#include "fcgi/task_input.h"
#include "fcgi/view.h"
#include "store/upload.h"

/* A key with the memory that it points to. */
struct key {
    struct submit_key key;
    char text[IDEMPOTENCY_KEY_SIZE];
    char hash[BODY_HASH_SIZE];
};

/* *GIVEN tells whether there is one. */
static bool read_key(struct exchange *x, struct key *k, bool *given)
{
    const char *header = transport_param(x->transport, "HTTP_IDEMPOTENCY_KEY");
    *given = header != NULL;
    if (!header)
        return true;
    if (idempotency_key_parse(header, k->text) != 0)
        return response_problem(&x->response, PROBLEM_bad_header,
                                "Idempotency-Key must have 1 to 255 visible ASCII characters.");
    body_hash(buf_str(&x->request.body), x->request.body.len, k->hash);
    k->key = (struct submit_key){
        .user = x->request.identity.user,
        .key = k->text,
        .body_hash = k->hash,
        .keep_usec = x->app->settings->queue.idempotency_keep_usec,
    };
    return true;
}

static bool read_tasks(struct exchange *x, struct task_input *input)
{
    struct request *r = &x->request;
    struct task_refusal refusal;
    return task_input_read(x->app, &r->identity, buf_str(&r->body), r->body.len, x->arena, input,
                           &refusal)
               ? true
               : response_problem_faults(&x->response, refusal.problem, refusal.detail,
                                         refusal.faults.items, refusal.faults.count);
}

/* --- the uploads that the tasks stand on: are they there, and their creators' own? ------------------------ */

struct uploads {
    const char **ids;
    int64_t *owners;
    const char **pointers; /* where each stands in the body */
    size_t count;
    bool *there;
};

static void collect_uploads(const struct task_input *input, struct arena *arena, struct uploads *u)
{
    u->ids = arena_calloc(arena, input->count, sizeof *u->ids);
    u->owners = arena_calloc(arena, input->count, sizeof *u->owners);
    u->pointers = arena_calloc(arena, input->count, sizeof *u->pointers);
    u->there = arena_calloc(arena, input->count, sizeof *u->there);
    for (size_t i = 0; i < input->count; i++)
        if (input->uploads[i]) {
            u->ids[u->count] = input->uploads[i];
            u->owners[u->count] = input->tasks[i].created_by;
            u->pointers[u->count++] =
                input->is_array ? arena_printf(arena, "/%zu/data/upload", i) : "/data/upload";
        }
}

/* ERR_NOT_FOUND where one is not. */
static int check_uploads(struct store *s, void *context, struct error *e)
{
    struct uploads *u = context;
    int rc = store_find_uploads(s, u->ids, u->owners, u->count, u->there, e);
    for (size_t i = 0; i < u->count && !rc; i++)
        if (!u->there[i])
            rc = error_set(e, ERR_NOT_FOUND, "upload %s is not there", u->ids[i]);
    return rc;
}

static bool refuse_uploads(struct exchange *x, const struct uploads *u)
{
    struct faults faults = FAULTS_INIT(x->arena);
    for (size_t i = 0; i < u->count; i++)
        if (!u->there[i])
            faults_add(&faults, u->pointers[i], "is no upload of the task's creator, or has expired");
    return response_problem_faults(&x->response, PROBLEM_invalid_task, NULL, faults.items, faults.count);
}

/* --- the answer ------------------------------------------------------------------------------------------- */

/* What is made. */
struct created {
    struct submission submission;
    struct key key;
    struct uploads uploads;
    bool is_array;
};

static void answer(struct exchange *x, const struct created *c)
{
    const struct submission *s = &c->submission;
    struct buf *body = &x->response.body;
    if (c->is_array)
        buf_adds(body, "{\"tasks\":[");
    for (size_t i = 0; i < s->made_count; i++) {
        if (i)
            buf_addc(body, ',');
        view_task(body, x->app->settings, &s->made[i], x->request.identity.admin);
    }
    if (c->is_array)
        buf_adds(body, "]}");
    response_json(&x->response, 202);
    if (!c->is_array) {
        char location[64];
        snprintf(location, sizeof location, "/v1/tasks/%llu", (unsigned long long)s->made[0].id);
        response_header(&x->response, "Location", location);
    }
    if (s->replayed)
        response_header(&x->response, "Idempotency-Replayed", "true");
    if (c->is_array || !task_status_ended(s->made[0].status))
        response_retry_after(&x->response, x->app->settings->api.poll_after_usec);
}

/* The task is there whatever the database says now: it is shown as it was, if need be. */
static void answer_again(struct exchange *x)
{
    struct created *c = x->context;
    if (x->lookup.result == 0)
        c->submission.made[0] = x->lookup.task;
    answer(x, c);
}

static void answer_created(struct exchange *x)
{
    struct created *c = x->context;
    const struct submission *s = &c->submission;
    if (s->result == ERR_NOT_FOUND) {
        refuse_uploads(x, &c->uploads);
        return;
    }
    if (s->result != 0) {
        exchange_refuse(x, s);
        return;
    }
    if (!s->made_count && !c->is_array) {
        response_problem(&x->response, PROBLEM_task_gone, NULL);
        return;
    }
    answer(x, c);
    if (!c->is_array)
        exchange_hold(x, s->made[0].id, task_status_ended(s->made[0].status), answer_again);
}

/* Without a key. With one the answer may be a replay, for which no upload is needed any more: see submission. */
static bool uploads_there(struct exchange *x, struct uploads *u)
{
    struct error e = {0};
    int result = u->count ? backend_call(x->app->backend, BACKEND_READ, check_uploads, u, &e) : 0;
    if (result == ERR_NOT_FOUND)
        return refuse_uploads(x, u);
    return result == 0 || exchange_fail(x, result, &e);
}

void handle_task_create(struct exchange *x)
{
    struct created *c = arena_calloc(x->arena, 1, sizeof *c);
    struct task_input input = {0};
    bool keyed;
    if (!read_key(x, &c->key, &keyed) || !read_tasks(x, &input))
        return;
    collect_uploads(&input, x->arena, &c->uploads);
    if (!keyed && !uploads_there(x, &c->uploads))
        return;
    c->is_array = input.is_array;
    c->submission = (struct submission){
        .tasks = input.tasks,
        .count = input.count,
        .key = keyed ? &c->key.key : NULL,
        .check = c->uploads.count ? check_uploads : NULL,
        .check_ctx = &c->uploads,
        .arena = x->arena,
        .made = arena_calloc(x->arena, input.count, sizeof *c->submission.made),
    };
    x->context = c;
    exchange_submit(x, &c->submission, answer_created);
}
