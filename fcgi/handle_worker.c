/* SPDX-License-Identifier: MIT */
/* handle_worker.c: GET /v1/tasks/workers. */
#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/view.h"
#include "store/history.h"

enum { RUNNERS_MAX = 1000 };

struct listing {
    struct arena *arena;
    struct runner_row *runners;
    int count;
};

static int list_call(struct store *s, void *context, struct error *e)
{
    struct listing *l = context;
    l->count = store_list_runners(s, RUNNERS_MAX, l->arena, l->runners, e);
    return l->count < 0 ? l->count : 0;
}

void handle_worker_list(struct exchange *x)
{
    struct listing l = {.arena = x->arena};
    struct buf *body = &x->response.body;
    struct error e = {0};
    l.runners = arena_calloc(x->arena, RUNNERS_MAX, sizeof *l.runners);
    int result = backend_call(x->app->backend, BACKEND_READ, list_call, &l, &e);
    if (result != 0) {
        exchange_fail(x, result, &e);
        return;
    }
    buf_adds(body, "{\"workers\":[");
    for (int i = 0; i < l.count; i++) {
        if (i)
            buf_addc(body, ',');
        view_runner(body, &l.runners[i]);
    }
    buf_adds(body, "]}");
    response_json(&x->response, 200);
}
