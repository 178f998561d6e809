/* SPDX-License-Identifier: MIT */
/* exchange.c: the course of a request: checks, handler, answer. */
#include "fcgi/exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "fcgi/body_file.h"
#include "fcgi/capture.h"
#include "fcgi/creator.h"
#include "fcgi/job.h"
#include "fcgi/prefer.h"
#include "fcgi/request.h"

/* Longer answers are sent by a thread that nobody waits for: their peer may be slow. */
enum { KEPT_BODY = 64 * 1024, INLINE_MAX = 8 * 1024 };

struct exchange *exchange_create(const struct app *app)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    x->app = app;
    x->arena = arena_create();
    response_init(&x->response);
    return x;
}

void exchange_destroy(struct exchange **x)
{
    if (!*x)
        return;
    buf_free(&(*x)->request.body);
    response_free(&(*x)->response);
    arena_destroy(&(*x)->arena);
    free(*x);
    *x = NULL;
}

void exchange_clear(struct exchange *x)
{
    struct buf body = x->request.body;
    if (body.cap > KEPT_BODY)
        buf_free(&body);
    buf_clear(&body);
    x->request = (struct request){.body = body};
    response_clear(&x->response);
    x->start = x->resume = NULL;
    x->waited = false;
    arena_reset(x->arena);
}

static void say_applied(struct exchange *x)
{
    char applied[32];
    snprintf(applied, sizeof applied, "wait=%d", x->hold_seconds);
    response_header(&x->response, "Preference-Applied", applied);
}

static void send_answer(struct exchange *x)
{
    if (response_send(&x->response, x->transport, x->request.head) != 0)
        log_debug("the peer went away before its answer");
}

/* A request of the site: it has passed the site's own protection in nginx, and its path is not ours. */
static void defer(struct exchange *x)
{
    x->request.route = &deferred_route;
    if (request_check_visitor(x))
        x->request.route->handle(x);
    else
        body_drain(x);
}

/* Sends the answer, unless something is to be waited for. */
static enum outcome finish(struct exchange *x)
{
    handler_fn *start = x->start;
    if (start) {
        x->start = NULL;
        start(x);
        return OUTCOME_ELSEWHERE;
    }
    x->held = x->resume && x->place && x->app->waiters; /* before it can be woken */
    if (x->held && waiters_add(x->app->waiters, &x->wait, x->wait.id, x->hold_seconds, x->place))
        return OUTCOME_HELD;
    x->held = false;
    send_answer(x);
    return OUTCOME_ANSWERED;
}

static enum outcome do_next(struct exchange *x)
{
    x->then(x);
    return finish(x);
}

/* START is called once the handler has returned, and has go_on_after called by any thread, possibly its own. */
static void pause_for(struct exchange *x, handler_fn *start, handler_fn *then)
{
    x->start = start;
    x->then = then;
}

/* QUICK: what comes next waits for nothing; it has SIZE bytes to tell. */
static void go_on_after(struct exchange *x, bool quick, size_t size)
{
    const struct app *app = x->app;
    void *place = x->place; /* X may be somebody else's afterwards */
    if (place && (!quick || size > INLINE_MAX)) {
        app->call_again(place);
        return;
    }
    enum outcome outcome = do_next(x);
    if (place && outcome != OUTCOME_ELSEWHERE)
        app->settle(place, outcome);
}

static void looked_up(struct lookup *l)
{
    struct exchange *x = l->context;
    bool quick = x->request.route->handle == handle_task_get; /* the others ask for more, or send a file */
    go_on_after(x, quick, l->result == 0 ? l->task.data.len + l->task.result.len : 0);
}

static void start_lookup(struct exchange *x)
{
    x->lookup.arena = x->arena;
    x->lookup.done = looked_up;
    x->lookup.context = x;
    backend_look_up(x->app->backend, &x->lookup);
}

static void look_up(struct exchange *x, uint64_t id, handler_fn *then)
{
    x->lookup.id = id;
    pause_for(x, start_lookup, then);
}

static void submitted(struct submission *s)
{
    go_on_after(s->context, true, submission_size(s));
}

static void start_submit(struct exchange *x)
{
    creator_submit(x->app->creator, x->submission);
}

void exchange_submit(struct exchange *x, struct submission *s, handler_fn *then)
{
    s->done = submitted;
    s->context = x;
    x->submission = s;
    pause_for(x, start_submit, then);
}

static void handle_task(struct exchange *x)
{
    if (request_check_task(x))
        x->request.route->handle(x);
}

enum outcome exchange_run(struct exchange *x, struct transport *t, void *place)
{
    x->transport = t;
    x->place = place;
    if (capture_wanted(x))
        defer(x);
    else if (request_find_route(x) && request_check_identity(x) && request_check_site(x) &&
             request_read_query(x) && request_read_body(x)) {
        if (x->request.route->right == RIGHT_TASK_OWNER)
            look_up(x, x->request.id, handle_task);
        else if (request_find_export(x) && job_find(x))
            x->request.route->handle(x);
    } else if (request_content_length(x) != -1) {
        body_drain(x); /* a peer that is still sending may not see an answer before it has sent all */
    }
    return finish(x);
}

static void answer_held(struct exchange *x)
{
    handler_fn *resume = x->resume;
    x->resume = NULL;
    x->waited = true;
    response_clear(&x->response);
    resume(x);
    if (x->over) /* and not because the peer or the pool goes away */
        say_applied(x);
}

enum outcome exchange_go_on(struct exchange *x)
{
    if (!x->held)
        return do_next(x);
    x->held = false;
    x->over = waiters_leave(x->app->waiters, &x->wait);
    look_up(x, x->wait.id, answer_held);
    return finish(x);
}

void exchange_hold(struct exchange *x, uint64_t id, bool ended, handler_fn *resume)
{
    const char *header = request_list(x, "HTTP_PREFER");
    if (x->response.status == 412)
        return;
    x->hold_seconds = header ? prefer_wait(header) : -1;
    if (x->hold_seconds > 0 && !ended) {
        x->wait.id = id;
        x->resume = resume;
    } else if (x->hold_seconds >= 0) {
        say_applied(x);
    }
}

/* With nginx's number of the request, which stands in its log too. */
static void log_failure(struct exchange *x, const struct error *e)
{
    const char *id = transport_param(x->transport, "REQUEST_ID");
    log_error("%s, user %lld, request %s: %s", x->request.route->path,
              (long long)x->request.identity.user, id ? id : "-", e->text);
}

bool exchange_fail(struct exchange *x, int error, const struct error *e)
{
    struct response *r = &x->response;
    switch (error) {
    case ERR_NOT_FOUND:
        return response_problem(r, PROBLEM_not_found, NULL);
    case ERR_CONFLICT:
        return response_problem(r, PROBLEM_wrong_state, NULL);
    case ERR_FENCED:
        return response_problem(r, PROBLEM_precondition_failed, NULL);
    case ERR_DB_GONE:
        response_problem(r, PROBLEM_unavailable, NULL);
        break;
    case ERR_TIMEOUT:
    case ERR_LIMIT:
    case ERR_DB_RETRY:
        response_problem(r, PROBLEM_busy, NULL);
        break;
    default:
        log_failure(x, e);
        return response_problem(r, PROBLEM_internal, NULL);
    }
    response_retry_after(r, x->app->settings->api.retry_after_usec);
    return false;
}

bool exchange_refuse(struct exchange *x, const struct submission *s)
{
    struct response *r = &x->response;
    if (s->result == ERR_CONFLICT)
        return response_problem(r, PROBLEM_key_reused, NULL);
    if (s->result != ERR_LIMIT)
        return exchange_fail(x, s->result, &s->error);
    response_problem(r, s->queue_full ? PROBLEM_queue_full : PROBLEM_too_many_waiting, NULL);
    response_retry_after(r, x->app->settings->api.retry_after_usec);
    return false;
}

int exchange_work(struct exchange *x, int (*call)(struct store *s, void *context, struct error *e), void *context,
                  const bool *more, struct error *e)
{
    int64_t until = clock_mono_ns() + LONG_WORK_SECONDS * INT64_C(1000000000);
    int result;
    do
        result = backend_call(x->app->backend, BACKEND_CHANGE, call, context, e);
    while (result == 0 && *more && clock_mono_ns() < until);
    return result;
}

int64_t exchange_scope(const struct exchange *x)
{
    return x->request.identity.admin ? 0 : x->request.identity.user;
}
