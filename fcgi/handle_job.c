/* SPDX-License-Identifier: MIT */
/* handle_job.c: the job interface that ArangoDB made known, so that its clients work unchanged: a job is a deferred
 * request of x-arango-async: store. Answers and errors have that interface's form. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/job.h"
#include "fcgi/stored_answer.h"
#include "store/http_request.h"
#include "task/type.h"

#include <json-c/json.h>

enum { COUNT_DEFAULT = 100, COUNT_MAX = 100000 };

/* --- answers --------------------------------------------------------------------------------------- */

static void answer_error(struct exchange *x, int status, const char *message)
{
    struct response *r = &x->response;
    response_clear(r);
    buf_addf(&r->body, "{\"error\":true,\"code\":%d,\"errorNum\":%d,\"errorMessage\":", status, status);
    buf_json_s(&r->body, message);
    buf_addc(&r->body, '}');
    response_json(r, status);
}

static void answer_true(struct exchange *x)
{
    buf_adds(&x->response.body, "{\"result\":true}");
    response_json(&x->response, 200);
}

static void answer_failure(struct exchange *x, int result, const struct error *e)
{
    if (result == ERR_NOT_FOUND)
        answer_error(x, 404, "not found");
    else
        exchange_fail(x, result, e);
}

/* --- one job --------------------------------------------------------------------------------------- */

struct job {
    uint64_t id;
    int64_t user;
    int64_t keep_usec;
    struct arena *arena;
};

static struct job job_of(const struct exchange *x)
{
    return (struct job){.id = x->request.id, .user = x->request.identity.user, .arena = x->arena};
}

static int status_call(struct store *s, void *context, struct error *e)
{
    struct request *r = context;
    return store_job_status(s, r->id, r->identity.user, &r->job, e);
}

bool job_find(struct exchange *x)
{
    struct error e = {0};
    if (x->request.route->right != RIGHT_JOB_OWNER)
        return true;
    int result = backend_call(x->app->backend, BACKEND_READ, status_call, &x->request, &e);
    if (result != 0)
        answer_failure(x, result, &e);
    return result == 0;
}

void handle_job_status(struct exchange *x)
{
    if (task_status_ended(x->request.job)) {
        x->response.status = 200;
        response_header(&x->response, "Cache-Control", "no-store");
    } else {
        response_no_content(&x->response);
    }
}

static int delete_call(struct store *s, void *context, struct error *e)
{
    const struct job *j = context;
    return store_delete_task(s, j->id, true, e);
}

/* What there is to say of a job that has no response: why. */
static void answer_without(struct exchange *x, const struct task *t)
{
    struct json_object *error = NULL, *message;
    const char *text = "the request was not answered";
    if (t->error.p && json_parse(t->error.p, t->error.len, &error, NULL) == 0 && error &&
        json_object_object_get_ex(error, "message", &message) && json_object_is_type(message, json_type_string))
        text = json_object_get_string(message);
    answer_error(x, t->status == TASK_cancelled ? 410 : 500, text);
    json_object_put(error);
}

/* The response is gone since the task was looked up: taken by another, or expired. That has been answered, but as
 * the other interfaces say it. */
static void answer_gone(struct exchange *x)
{
    int status = x->response.status;
    if (status == 404)
        answer_error(x, status, "not found");
    else if (status == 410)
        answer_error(x, status, "the response is no longer there");
}

/* Whoever removes the task gets its response: of two at once the other finds nothing. The file stays readable
 * for who has opened it. */
static void take(struct exchange *x, struct job *j)
{
    struct task t;
    struct error e = {0};
    char id[24];
    int result = backend_get_task(x->app->backend, j->id, x->arena, &t, &e);
    if (result != 0) {
        answer_failure(x, result, &e);
        return;
    }
    const struct task_file *stored = stored_answer_of(&t);
    if (!stored) {
        answer_without(x, &t);
    } else if (!stored_answer_give(x, &t, stored)) {
        answer_gone(x);
        return;
    }
    result = backend_call(x->app->backend, BACKEND_CHANGE, delete_call, j, &e);
    if (result != 0) {
        answer_failure(x, result, &e);
        return;
    }
    snprintf(id, sizeof id, "%llu", (unsigned long long)j->id);
    response_header(&x->response, "X-Arango-Async-Id", id);
}

void handle_job_take(struct exchange *x)
{
    struct job j = job_of(x);
    if (task_status_ended(x->request.job))
        take(x, &j);
    else
        response_no_content(&x->response);
}

static int cancel_call(struct store *s, void *context, struct error *e)
{
    const struct job *j = context;
    struct task t;
    int rc = store_cancel_task(s, j->id, j->user, NULL, j->keep_usec, j->arena, &t, e);
    return rc < 0 ? rc : 0;
}

void handle_job_cancel(struct exchange *x)
{
    struct task_limits limits;
    struct job j = job_of(x);
    struct error e = {0};
    task_limits_get(x->app->settings, HTTP_REQUEST_TYPE, &limits);
    j.keep_usec = limits.retention_failure_usec;
    int result = backend_call(x->app->backend, BACKEND_CHANGE, cancel_call, &j, &e);
    if (result == 0 || result == ERR_CONFLICT) /* it has ended: there is nothing to stop */
        answer_true(x);
    else
        answer_failure(x, result, &e);
}

/* --- deleting: what has ended goes, what has not goes on, but is no job any more --------------------- */

static int forget_call(struct store *s, void *context, struct error *e)
{
    const struct job *j = context;
    int rc = store_forget_jobs(s, j->id, j->user, e);
    return rc < 0 ? rc : 0;
}

void handle_job_delete(struct exchange *x)
{
    struct job j = job_of(x);
    struct error e = {0};
    int result = backend_call(x->app->backend, BACKEND_CHANGE,
                              task_status_ended(x->request.job) ? delete_call : forget_call, &j, &e);
    if (result == 0)
        answer_true(x);
    else
        answer_failure(x, result, &e);
}

/* Many jobs of a user. */
struct jobs {
    int64_t user, before;
    bool ended;
    uint64_t after;
    uint64_t *ids;
    size_t max;
    int count;
    bool more;
};

static int list_call(struct store *s, void *context, struct error *e)
{
    struct jobs *j = context;
    j->count = store_list_jobs(s, j->user, j->ended, j->before, j->after, j->ids, j->max, e);
    return j->count < 0 ? j->count : 0;
}

/* Those that somebody else has just removed, or run again, are passed over. */
static int delete_some_call(struct store *s, void *context, struct error *e)
{
    struct jobs *j = context;
    int rc = list_call(s, j, e);
    if (rc == 0 && j->count) {
        rc = store_delete_ended(s, j->ids, (size_t)j->count, e);
        j->after = j->ids[j->count - 1];
    }
    j->more = rc >= 0 && (size_t)j->count == j->max;
    return rc < 0 ? rc : 0;
}

/* ERR_TIMEOUT: there are more. */
static int delete_ended(struct exchange *x, int64_t before, struct error *e)
{
    uint64_t ids[STORE_DELETE_MAX];
    struct jobs j = {x->request.identity.user, before, true, 0, ids, STORE_DELETE_MAX, 0, false};
    int result = exchange_work(x, delete_some_call, &j, &j.more, e);
    return result == 0 && j.more ? error_set(e, ERR_TIMEOUT, "there are more: ask once more") : result;
}

void handle_job_delete_all(struct exchange *x)
{
    struct job all = {.user = x->request.identity.user};
    struct error e = {0};
    int result = delete_ended(x, INSTANT_NONE, &e);
    if (result == 0)
        result = backend_call(x->app->backend, BACKEND_CHANGE, forget_call, &all, &e);
    if (result == 0)
        answer_true(x);
    else
        answer_failure(x, result, &e);
}

/* Seconds since 1970, with or without a fraction. */
static bool read_stamp(const char *text, int64_t *usec)
{
    char *end;
    if (!text || !isdigit((unsigned char)*text) || strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    double seconds = strtod(text, &end);
    if (*end || !isfinite(seconds) || seconds < 0 || seconds > 253402300799.0) /* the year 9999 */
        return false;
    *usec = (int64_t)(seconds * 1e6);
    return true;
}

void handle_job_delete_expired(struct exchange *x)
{
    struct error e = {0};
    int64_t before = 0;
    if (!read_stamp(url_query_get(&x->request.query, "stamp"), &before)) {
        answer_error(x, 400, "stamp must be a number of seconds since 1970");
        return;
    }
    int result = delete_ended(x, before, &e);
    if (result == 0)
        answer_true(x);
    else
        answer_failure(x, result, &e);
}

/* --- lists ------------------------------------------------------------------------------------------- */

static void list(struct exchange *x, bool ended)
{
    struct jobs j = {.user = x->request.identity.user, .before = INSTANT_NONE, .ended = ended};
    struct buf *body = &x->response.body;
    struct error e = {0};
    int64_t count = COUNT_DEFAULT;
    if (url_query_integer(&x->request.query, "count", 0, INT64_MAX, &count, &e) != 0) {
        answer_error(x, 400, e.text);
        return;
    }
    j.max = count < COUNT_MAX ? (size_t)count : COUNT_MAX;
    j.ids = arena_alloc(x->arena, (j.max + 1) * sizeof *j.ids);
    int result = j.max ? backend_call(x->app->backend, BACKEND_READ, list_call, &j, &e) : 0;
    if (result != 0) {
        answer_failure(x, result, &e);
        return;
    }
    buf_addc(body, '[');
    for (int i = 0; i < j.count; i++)
        buf_addf(body, "%s\"%llu\"", i ? "," : "", (unsigned long long)j.ids[i]);
    buf_addc(body, ']');
    response_json(&x->response, 200);
}

void handle_job_list_done(struct exchange *x)
{
    list(x, true);
}

void handle_job_list_pending(struct exchange *x)
{
    list(x, false);
}

/* --- what is no job ------------------------------------------------------------------------------------ */

void handle_job_misread(struct exchange *x)
{
    answer_error(x, 400, "write /_api/job/{id}, /_api/job/done or /_api/job/pending");
}

/* How many segments stand behind "job". */
static size_t segments(const struct exchange *x, const char **last)
{
    size_t n = 0;
    *last = "";
    for (const char *at = strstr(x->request.path, "/job") + strlen("/job"); *at; at += strcspn(at, "/")) {
        at += strspn(at, "/");
        if (*at) {
            *last = at;
            n++;
        }
    }
    return n;
}

void handle_job_mistaken(struct exchange *x)
{
    const char *last;
    size_t n = segments(x, &last);
    if (n == 1 || (n == 2 && strcmp(last, "cancel") == 0))
        answer_error(x, 404, "not found");
    else
        answer_error(x, 400, "write /_api/job/{id}");
}
