/* SPDX-License-Identifier: MIT */
/* handle_about.c: what the installation offers, and whether it works. */
#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/precondition.h"
#include "fcgi/stats.h"

void handle_type_list(struct exchange *x)
{
    const struct buf *types = &x->app->types_json[x->request.identity.admin];
    buf_add(&x->response.body, types->data, types->len);
    response_json(&x->response, 200);
    precondition_tag(x);
}

void handle_stats(struct exchange *x)
{
    struct error e = {0};
    int result = stats_get(x->app->stats, &x->response.body, &e);
    if (result != 0)
        exchange_fail(x, result, &e);
    else
        response_json(&x->response, 200);
}

/* The schema, too: a forgotten migration must show here, not in everybody's first POST. */
static int health_call(struct store *s, void *context, struct error *e)
{
    (void)context;
    return store_check_schema(s, e);
}

void handle_health(struct exchange *x)
{
    struct error e = {0};
    int result = backend_call(x->app->backend, BACKEND_READ, health_call, NULL, &e);
    if (result != 0) {
        response_problem(&x->response, result == ERR_TIMEOUT ? PROBLEM_busy : PROBLEM_unavailable,
                         result == ERR_CONFLICT ? e.text : NULL);
        response_retry_after(&x->response, x->app->settings->api.retry_after_usec);
        return;
    }
    buf_adds(&x->response.body, "{\"status\":\"ok\",\"database\":\"ok\"}");
    response_json(&x->response, 200);
}
