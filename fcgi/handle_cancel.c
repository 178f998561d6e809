/* SPDX-License-Identifier: MIT */
/* handle_cancel.c: POST /v1/tasks/{id}/cancel. */
#include <json-c/json.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/precondition.h"
#include "fcgi/view.h"
#include "task/type.h"
#include "task/validate.h"

enum { REASON_MAX = 500 }; /* characters */

static bool refuse(struct exchange *x, const char *pointer, const char *detail)
{
    const struct fault fault = {.pointer = pointer, .detail = detail};
    return response_problem_faults(&x->response, PROBLEM_invalid_body, NULL, &fault, 1);
}

static bool take_reason(struct exchange *x, struct json_object *value, const char **reason)
{
    if (!value) /* null is the same as not given */
        return true;
    if (!json_object_is_type(value, json_type_string))
        return refuse(x, "/reason", "must be a string");
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    if (strlen(text) != len)
        return refuse(x, "/reason", "must not hold U+0000");
    if (utf8_count(text, len) > REASON_MAX)
        return refuse(x, "/reason", "must have at most 500 characters");
    *reason = len ? arena_strndup(x->arena, text, len) : NULL;
    return true;
}

static bool read_object(struct exchange *x, struct json_object *body, const char **reason)
{
    if (!json_object_is_type(body, json_type_object))
        return refuse(x, "", "must be an object");
    json_object_object_foreach(body, name, value) {
        if (strcmp(name, "reason") != 0)
            return response_problem(&x->response, PROBLEM_unknown_member,
                                    "The body may only have the member reason.");
        if (!take_reason(x, value, reason))
            return false;
    }
    return true;
}

/* *REASON stays NULL where none is given. */
static bool read_reason(struct exchange *x, const char **reason)
{
    struct json_object *body = NULL;
    struct error e = {0};
    if (!x->request.body.len)
        return true;
    if (json_parse(buf_str(&x->request.body), x->request.body.len, &body, &e) != 0)
        return response_problem(&x->response, PROBLEM_malformed_json, e.text);
    bool good = read_object(x, body, reason);
    json_object_put(body);
    return good;
}

struct cancelling {
    const struct exchange *x;
    const char *reason;
    int64_t keep_usec;
    struct task task;
    enum cancel_result result;
};

static int cancel_call(struct store *s, void *context, struct error *e)
{
    struct cancelling *c = context;
    int result = store_cancel_task(s, c->x->request.id, c->x->request.identity.user, c->reason,
                                   c->keep_usec, c->x->arena, &c->task, e);
    if (result < 0)
        return result;
    c->result = (enum cancel_result)result;
    return 0;
}

void handle_task_cancel(struct exchange *x)
{
    struct cancelling c = {.x = x};
    struct task_limits limits;
    struct error e = {0};
    if (!read_reason(x, &c.reason))
        return;
    task_limits_get(x->app->settings, x->request.task.type.p, &limits);
    c.keep_usec = limits.retention_failure_usec;
    int result = precondition_change(x, cancel_call, &c, &e);
    if (result == ERR_CONFLICT)
        response_problem(&x->response, PROBLEM_wrong_state, "The task has ended already.");
    else if (result != 0)
        exchange_fail(x, result, &e);
    if (result != 0)
        return;
    view_task(&x->response.body, x->app->settings, &c.task, x->request.identity.admin);
    response_json(&x->response, c.result == CANCEL_ALREADY ? 200 : 202);
    if (!task_status_ended(c.task.status))
        response_retry_after(&x->response, x->app->settings->api.poll_after_usec);
}
