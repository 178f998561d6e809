/* SPDX-License-Identifier: MIT */
/* handle_attempts.c: GET /v1/tasks/{id}/attempts. */
#include <string.h>

#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/view.h"
#include "store/history.h"

enum { ATTEMPTS_MAX = 1000 };

struct listing {
    uint64_t id;
    struct arena *arena;
    struct attempt *attempts; /* room for one more than ATTEMPTS_MAX */
    int count;
};

static int list_call(struct store *s, void *context, struct error *e)
{
    struct listing *l = context;
    l->count = store_list_attempts(s, l->id, ATTEMPTS_MAX, l->arena, l->attempts, e);
    return l->count < 0 ? l->count : 0;
}

/* Whether the last row is that of T's last claim. A success has none of another outcome: that would be one of an
 * earlier life of this id (restored or truncated tables). */
static bool has_own(const struct listing *l, const struct task *t)
{
    const struct attempt *last = l->count ? &l->attempts[l->count - 1] : NULL;
    if (!last || last->fence < t->fence)
        return false;
    return t->status != TASK_success || (last->outcome.p && strcmp(last->outcome.p, "success") == 0);
}

/* The claim that runs is in the task's own row, unless it has ended since that was read; and so is a success, unless
 * it has logged something. */
static void add_own(struct listing *l, const struct task *t)
{
    bool succeeded = t->status == TASK_success;
    if ((t->status != TASK_started && !succeeded) || has_own(l, t))
        return;
    l->attempts[l->count++] = (struct attempt){
        .fence = t->fence,
        .attempt = t->attempt,
        .worker = t->worker,
        .started_at = t->started_at,
        .finished_at = succeeded ? t->finished_at : INSTANT_NONE,
        .outcome = succeeded ? (struct text){"success", strlen("success")} : (struct text){NULL, 0},
    };
}

/* What a program writes for those who run the site may not be meant for the task's owner. */
static bool hides_log(const struct exchange *x)
{
    const struct text *type = &x->request.task.type;
    const struct command_def *c = settings_command(x->app->settings, arena_strndup(x->arena, type->p, type->len));
    return c && c->log_for == LOG_FOR_ADMIN && !x->request.identity.admin;
}

void handle_task_attempts(struct exchange *x)
{
    struct listing l = {.id = x->request.id, .arena = x->arena};
    struct buf *body = &x->response.body;
    struct error e = {0};
    l.attempts = arena_calloc(x->arena, ATTEMPTS_MAX + 1, sizeof *l.attempts);
    int result = backend_call(x->app->backend, BACKEND_READ, list_call, &l, &e);
    if (result != 0) {
        exchange_fail(x, result, &e);
        return;
    }
    add_own(&l, &x->request.task);
    buf_adds(body, "{\"attempts\":[");
    bool hidden = hides_log(x);
    int first = l.count > ATTEMPTS_MAX ? 1 : 0;
    for (int i = first; i < l.count; i++) {
        if (i > first)
            buf_addc(body, ',');
        if (hidden)
            l.attempts[i].log = (struct text){NULL, 0};
        view_attempt(body, &l.attempts[i]);
    }
    buf_adds(body, "]}");
    response_json(&x->response, 200);
}
