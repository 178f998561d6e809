/* SPDX-License-Identifier: MIT */
/* precondition.c: compares tags. */
#include "fcgi/precondition.h"

#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/request.h"
#include "fcgi/view.h"

void precondition_tag(struct exchange *x)
{
    response_etag(&x->response, x->waited ? NULL : request_list(x, "HTTP_IF_MATCH"),
                  request_list(x, "HTTP_IF_NONE_MATCH"));
}

struct guarded {
    struct exchange *x;
    const char *tags;
    int (*call)(struct store *s, void *context, struct error *e);
    void *context;
};

/* Whether the task, whose row is locked, would be shown with one of the tags. */
static int is_as_named(struct store *s, const struct guarded *g, bool *named, struct error *e)
{
    struct exchange *x = g->x;
    struct task t;
    struct buf shown = BUF_INIT;
    char tag[ETAG_SIZE];
    int rc = store_get_tasks(s, &x->request.id, 1, x->arena, &t, e);
    if (rc)
        return rc;
    view_task(&shown, x->app->settings, &t, x->request.identity.admin);
    etag_of(&shown, tag);
    *named = etag_list_has(g->tags, tag, ETAG_STRONG);
    buf_free(&shown);
    return 0;
}

/* A change that turns out not to be wanted is rolled back. */
static int guarded_call(struct store *s, void *context, struct error *e)
{
    const struct guarded *g = context;
    bool named = false;
    int rc = store_lock_task(s, g->x->request.id, e);
    if (rc == 0)
        rc = is_as_named(s, g, &named, e);
    if (rc == 0)
        rc = g->call(s, g->context, e);
    return rc || named ? rc : error_set(e, ERR_FENCED, "the task has changed");
}

static int change_call(struct store *s, void *context, struct error *e)
{
    return store_transaction(s, guarded_call, context, NULL, e);
}

int precondition_change(struct exchange *x, int (*call)(struct store *s, void *context, struct error *e), void *context,
                        struct error *e)
{
    struct guarded guarded = {x, request_list(x, "HTTP_IF_MATCH"), call, context};
    if (!guarded.tags)
        return backend_call(x->app->backend, BACKEND_CHANGE, call, context, e);
    return backend_call(x->app->backend, BACKEND_CHANGE, change_call, &guarded, e);
}
