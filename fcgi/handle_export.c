/* SPDX-License-Identifier: MIT */
/* handle_export.c: finished files: list, delete. */
#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/page.h"
#include "fcgi/view.h"

struct listing {
    int64_t owner;
    struct page page;
    struct arena *arena;
    struct export_file *files;
    int count;
};

static int list_call(struct store *s, void *context, struct error *e)
{
    struct listing *l = context;
    l->count = store_list_exports(s, l->owner, l->page.before_id, l->page.limit, l->arena, l->files,
                                  &l->page.next, e);
    return l->count < 0 ? l->count : 0;
}

void handle_export_list(struct exchange *x)
{
    struct listing l = {.owner = exchange_scope(x), .arena = x->arena};
    struct buf *body = &x->response.body;
    struct error e = {0};
    if (!page_read(x, "exports", &l.page))
        return;
    l.files = arena_calloc(x->arena, l.page.limit, sizeof *l.files);
    int result = backend_call(x->app->backend, BACKEND_READ, list_call, &l, &e);
    if (result != 0) {
        exchange_fail(x, result, &e);
        return;
    }
    buf_adds(body, "{\"exports\":[");
    for (int i = 0; i < l.count; i++) {
        if (i)
            buf_addc(body, ',');
        view_export(body, &l.files[i]);
    }
    buf_addc(body, ']');
    page_finish(x, "exports", &l.page, false);
}

static int delete_call(struct store *s, void *context, struct error *e)
{
    const struct exchange *x = context;
    return store_delete_export(s, x->request.id, e);
}

void handle_export_delete(struct exchange *x)
{
    struct error e = {0};
    int result = backend_call(x->app->backend, BACKEND_CHANGE, delete_call, x, &e);
    if (result != 0)
        exchange_fail(x, result, &e);
    else
        response_no_content(&x->response);
}
