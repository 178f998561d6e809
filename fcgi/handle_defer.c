/* SPDX-License-Identifier: MIT */
/* handle_defer.c: takes in a deferred request of the site: kept, encrypted where it is secret, queued, and
 * answered at once. The runner replays it. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "fcgi/body_file.h"
#include "fcgi/capture.h"
#include "fcgi/creator.h"
#include "fcgi/exchange.h"
#include "fcgi/idempotency.h"
#include "fcgi/stored_answer.h"
#include "fcgi/view.h"
#include "task/seal.h"
#include "task/upload.h"

/* What nginx has for an answer in a location of the site: a minute, and 4 KiB for its head (60 s and one page are the
 * defaults of fastcgi_read_timeout and fastcgi_buffer_size, which the include cannot change for itself alone). */
enum { HOLD_MAX_SECONDS = 50, HEAD_MAX = 3 * 1024 };

/* From the request to its task, and to the answer. */
struct deferral {
    struct exchange *x;
    struct capture capture;
    enum capture_interface interface; /* the capture's, which does not live as long */
    bool forget, browser;
    struct result_file *body;
    struct buf data, sealed;
    struct http_request request;
    struct new_task task;
    struct submit_key key;
    char key_text[BODY_HASH_SIZE], key_hash[BODY_HASH_SIZE];
    struct submission submission;
    struct task made;
};

static bool seal_secrets(struct deferral *d)
{
    struct exchange *x = d->x;
    const struct capture *c = &d->capture;
    struct buf context = BUF_INIT;
    struct error e = {0};
    seal_request_context(&context, c->site, c->method, c->target);
    int result = seal_close(&x->app->seal_key, &context, c->headers.secret.data, c->headers.secret.len, &d->sealed,
                            &e);
    buf_free(&context);
    return result == 0 || exchange_fail(x, ERR_SYSTEM, &e);
}

static bool take_body(struct deferral *d)
{
    struct exchange *x = d->x;
    struct body_limit limit = {(uint64_t)x->app->settings->defer.max_body_bytes, "defer.max_body"};
    if (!body_file_receive(x, x->request.identity.user, REQUEST_BODY_EXT, limit, d->capture.length, true, &d->body))
        return false;
    const struct result_info *info = d->body ? result_file_info(d->body) : NULL;
    d->request = (struct http_request){
        .sealed = d->sealed.data,
        .sealed_len = d->sealed.len,
        .body_path = info ? info->path : NULL,
        .body_bytes = info ? info->bytes : 0,
        .is_job = d->capture.interface == CAPTURE_ARANGO && !d->capture.forget,
    };
    return true;
}

static bool make_data(struct deferral *d)
{
    struct exchange *x = d->x;
    capture_data(&d->capture, x->request.identity.user, d->request.body_bytes, &d->data);
    if (d->data.err || d->data.len > (size_t)x->app->settings->api.max_data_bytes)
        return response_problem(&x->response, PROBLEM_too_large, "The request's headers are too long to be kept.");
    d->task = (struct new_task){
        .type = HTTP_REQUEST_TYPE,
        .data = arena_strndup(d->x->arena, buf_str(&d->data), d->data.len), /* the made task has it too */
        .data_len = d->data.len,
        .priority = PRIORITY_DEFAULT,
        .run_at = INSTANT_NONE,
        .created_by = x->request.identity.user,
        .request = &d->request,
    };
    return true;
}

/* An Idempotency-Key that is meant for the site makes the deferral repeatable too: within one method and URI, so
 * that the site's own idea of a key's scope is not narrowed. One that is none of ours is the site's alone. */
static const struct submit_key *find_key(struct deferral *d)
{
    struct exchange *x = d->x;
    const char *header = transport_param(x->transport, "HTTP_IDEMPOTENCY_KEY");
    char key[IDEMPOTENCY_KEY_SIZE];
    struct buf scope = BUF_INIT;
    if (!header || idempotency_key_parse(header, key) != 0)
        return NULL;
    buf_addf(&scope, "request %s %s %s %s", d->capture.site, d->capture.method, d->capture.target, key);
    body_hash(buf_str(&scope), scope.len, d->key_text);
    buf_free(&scope);
    if (d->body)
        memcpy(d->key_hash, result_file_info(d->body)->sha256, sizeof d->key_hash);
    else
        body_hash("", 0, d->key_hash);
    d->key = (struct submit_key){
        .user = x->request.identity.user,
        .key = d->key_text,
        .body_hash = d->key_hash,
        .keep_usec = x->app->settings->queue.idempotency_keep_usec,
    };
    return &d->key;
}

/* --- the answer ------------------------------------------------------------------------------------ */

/* Somebody who looks at a page, and has not asked for anything else. */
static bool is_browser(struct exchange *x)
{
    const char *accept = transport_param(x->transport, "HTTP_ACCEPT");
    return accept && strstr(accept, "text/html");
}

static void answer_location(struct exchange *x, const char *format, uint64_t id)
{
    char location[64];
    snprintf(location, sizeof location, format, (unsigned long long)id);
    response_header(&x->response, "Location", location);
}

/* x-arango-async: no body, no word of ours but the id. */
static void answer_arango(struct exchange *x, const struct deferral *d)
{
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)d->made.id);
    x->response.status = 202;
    if (!d->forget)
        response_header(&x->response, "X-Arango-Async-Id", id);
}

static void answer_prefer(struct exchange *x, const struct deferral *d)
{
    struct response *r = &x->response;
    if (!d->forget)
        view_task(&r->body, x->app->settings, &d->made, x->request.identity.admin);
    if (d->forget)
        r->status = 202;
    else
        response_json(r, 202);
    if (d->interface == CAPTURE_PREFER)
        response_header(r, "Preference-Applied", d->forget ? "respond-async, forget" : "respond-async");
    if (d->forget)
        return;
    answer_location(x, "/v1/tasks/%llu", d->made.id);
    if (d->submission.replayed)
        response_header(r, "Idempotency-Replayed", "true");
    response_retry_after(r, x->app->settings->api.poll_after_usec);
}

static void answer(struct exchange *x, const struct deferral *d)
{
    if (d->interface == CAPTURE_ARANGO) {
        answer_arango(x, d);
    } else if (d->interface == CAPTURE_ALWAYS && d->browser) {
        x->response.status = 303;
        response_header(&x->response, "Cache-Control", "no-store");
        answer_location(x, "/tasks/waiting.html#%llu", d->made.id);
    } else {
        answer_prefer(x, d);
    }
}

/* After Prefer: wait: what the site has answered, if it has. */
static void answer_again(struct exchange *x)
{
    struct deferral *d = x->context;
    const struct task_file *stored = NULL;
    if (x->lookup.result == 0) {
        d->made = x->lookup.task;
        stored = task_status_ended(d->made.status) ? stored_answer_of(&d->made) : NULL;
    }
    if (!stored || !stored_answer_give(x, &d->made, stored) || x->response.head.len > HEAD_MAX) {
        response_clear(&x->response);
        answer(x, d);
    }
}

static bool answer_submitted(struct exchange *x, struct deferral *d)
{
    const struct submission *s = &d->submission;
    if (s->result != 0) {
        body_file_give_up(&d->body, s->result);
        return exchange_refuse(x, s);
    }
    if (!s->made_count)
        return response_problem(&x->response, PROBLEM_task_gone, NULL);
    if (!s->replayed) /* else the first request's body is the one that counts */
        result_file_release(&d->body);
    answer(x, d);
    return true;
}

/* --- the course of it ------------------------------------------------------------------------------ */

static void clear(struct deferral *d)
{
    result_file_discard(&d->body);
    capture_free(&d->capture);
    buf_free(&d->data);
    buf_free(&d->sealed);
}

static bool take(struct deferral *d)
{
    struct exchange *x = d->x;
    if (!capture_read(x, &d->capture) || !seal_secrets(d)) {
        body_drain(x);
        return false;
    }
    return take_body(d) && make_data(d);
}

static void finish(struct exchange *x)
{
    struct deferral *d = x->context;
    if (answer_submitted(x, d) && d->interface == CAPTURE_PREFER && !d->forget) {
        exchange_hold(x, d->made.id, false, answer_again);
        if (x->hold_seconds > HOLD_MAX_SECONDS)
            x->hold_seconds = HOLD_MAX_SECONDS;
    }
    clear(d);
}

void handle_deferred(struct exchange *x)
{
    struct deferral *d = x->context = arena_calloc(x->arena, 1, sizeof *d);
    d->x = x;
    d->data = d->sealed = (struct buf)BUF_INIT;
    if (!take(d)) {
        clear(d);
        return;
    }
    d->interface = d->capture.interface;
    d->forget = d->capture.forget;
    d->browser = is_browser(x);
    d->submission = (struct submission){
        .tasks = &d->task,
        .count = 1,
        .key = find_key(d),
        .arena = x->arena,
        .made = &d->made,
    };
    exchange_submit(x, &d->submission, finish);
}

const struct route deferred_route = {
    .method = METHOD_OTHER,
    .path = "(a deferred request)",
    .handle = handle_deferred,
    .right = RIGHT_USER,
    .body = BODY_STREAM,
    .query = "",
    .text = "",
};
