/* SPDX-License-Identifier: MIT */
/* handle_result.c: what a task has returned: JSON from its row, or a long one from its file, which nginx
 * sends; or the stored response of a deferred request. */
#include "base/error.h"
#include "fcgi/accel.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/precondition.h"
#include "fcgi/request.h"
#include "fcgi/stored_answer.h"
#include "fcgi/view.h"

static void send_file(struct exchange *x, const struct task_file *file)
{
    struct response *r = &x->response;
    struct export_file f;
    struct error e = {0};
    int result = backend_get_export(x->app->backend, file->id, x->arena, &f, &e);
    if (result != 0) { /* ERR_NOT_FOUND: it has been deleted since the task was looked up */
        exchange_fail(x, result, &e);
        return;
    }
    if (f.expired) {
        response_problem(r, PROBLEM_file_gone, "The result has expired.");
        return;
    }
    response_json(r, 200);
    response_header(r, "Content-Security-Policy", "default-src 'none'; sandbox");
    accel_redirect(x, &f);
}

static const struct task_file *result_file(const struct task *t)
{
    for (size_t i = 0; i < t->file_count; i++)
        if (t->files[i].is_result)
            return &t->files[i];
    return NULL;
}

static void show(struct exchange *x)
{
    const struct task *t = &x->request.task;
    struct response *r = &x->response;
    const struct task_file *file = result_file(t), *stored = stored_answer_of(t);
    if (!task_status_ended(t->status)) {
        response_no_content(r);
        response_retry_after(r, x->app->settings->api.poll_after_usec);
    } else if (t->status == TASK_cancelled) {
        response_problem(r, PROBLEM_task_cancelled, NULL);
    } else if (stored) {
        stored_answer_give(x, t, stored);
    } else if (file) {
        send_file(x, file);
    } else if (t->result.p) {
        view_json(&r->body, "", t->result);
        response_json(r, 200);
        precondition_tag(x);
    } else {
        response_problem(r, PROBLEM_not_found, "The task has no result.");
    }
}

static void show_again(struct exchange *x)
{
    if (request_check_task(x))
        show(x);
}

void handle_task_result(struct exchange *x)
{
    const struct task *t = &x->request.task;
    show(x);
    exchange_hold(x, t->id, task_status_ended(t->status), show_again);
}
