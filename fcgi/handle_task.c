/* SPDX-License-Identifier: MIT */
/* handle_task.c: one task: show, delete, retry. The task has been looked up and may be seen. */
#include <json-c/json.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "fcgi/exchange.h"
#include "fcgi/precondition.h"
#include "fcgi/request.h"
#include "fcgi/ring.h"
#include "fcgi/view.h"
#include "store/http_request.h"
#include "task/validate.h"

/* When to ask again: a hint, so this machine's clock will do for a task that waits for its time. */
static int64_t poll_after(const struct exchange *x, const struct task *t)
{
    const int64_t least = x->app->settings->api.poll_after_usec, most = INT64_C(60000000);
    if (t->status != TASK_scheduled || t->run_at == INSTANT_NONE)
        return least;
    int64_t left = t->run_at - clock_wall_usec();
    return left < least ? least : left > most ? most : left;
}

static void show(struct exchange *x)
{
    const struct task *t = &x->request.task;
    view_task(&x->response.body, x->app->settings, t, x->request.identity.admin);
    response_json(&x->response, 200);
    if (!task_status_ended(t->status))
        response_retry_after(&x->response, poll_after(x, t));
    precondition_tag(x);
}

static void show_again(struct exchange *x)
{
    if (request_check_task(x))
        show(x);
}

void handle_task_get(struct exchange *x)
{
    const struct task *t = &x->request.task;
    show(x);
    exchange_hold(x, t->id, task_status_ended(t->status), show_again);
}

static int delete_call(struct store *s, void *context, struct error *e)
{
    const struct exchange *x = context;
    return store_delete_task(s, x->request.id, x->request.identity.admin, e);
}

void handle_task_delete(struct exchange *x)
{
    struct error e = {0};
    int result = precondition_change(x, delete_call, x, &e);
    if (result == ERR_DENIED)
        response_problem(&x->response, PROBLEM_role_missing, NULL);
    else if (result == ERR_CONFLICT)
        response_problem(&x->response, PROBLEM_not_finished,
                         "Only a finished task can be deleted.");
    else if (result != 0)
        exchange_fail(x, result, &e);
    else
        response_no_content(&x->response);
}

struct retry {
    uint64_t id;
    bool is_request;
    struct arena *arena;
    struct task task;
};

/* ERR_LIMIT: what a deferred request would need is gone, and does not come back. */
static int retry_call(struct store *s, void *context, struct error *e)
{
    struct retry *r = context;
    int kept = r->is_request ? store_http_request_kept(s, r->id, e) : 1;
    if (kept <= 0)
        return kept < 0 ? kept : error_set(e, ERR_LIMIT, "the request is no longer kept");
    return store_retry_task(s, r->id, r->arena, &r->task, e);
}

/* The role that a POST of the task would need, or NULL. */
static const char *needed_role(const struct exchange *x)
{
    const struct task *t = &x->request.task;
    struct json_object *data = NULL;
    struct error ignored = {0};
    const char *pointer;
    (void)!json_parse(t->data.p, t->data.len, &data, &ignored);
    const char *role = task_role(x->app->catalogue, t->type.p, data, &pointer);
    json_object_put(data);
    return role;
}

void handle_task_retry(struct exchange *x)
{
    struct retry retry = {
        .id = x->request.id,
        .is_request = strcmp(x->request.task.type.p, HTTP_REQUEST_TYPE) == 0,
        .arena = x->arena,
    };
    struct error e = {0};
    if (!x->request.identity.admin && needed_role(x)) {
        response_problem(&x->response, PROBLEM_role_missing, NULL);
        return;
    }
    int result = precondition_change(x, retry_call, &retry, &e);
    if (result == ERR_CONFLICT)
        response_problem(&x->response, PROBLEM_wrong_state,
                         "Only a failed, cancelled or dropped task can be run again.");
    else if (result == ERR_LIMIT)
        response_problem(&x->response, PROBLEM_not_retryable, NULL);
    else if (result != 0)
        exchange_fail(x, result, &e);
    if (result != 0)
        return;
    ring_for_tasks(x->app->settings, &retry.task, 1);
    view_task(&x->response.body, x->app->settings, &retry.task, x->request.identity.admin);
    response_json(&x->response, 202);
    response_retry_after(&x->response, x->app->settings->api.poll_after_usec);
}
