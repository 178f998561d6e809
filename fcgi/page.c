/* SPDX-License-Identifier: MIT */
/* page.c: cursors in and out of a list. */
#include "fcgi/page.h"

#include <string.h>

#include "base/error.h"
#include "fcgi/cursor.h"
#include "fcgi/exchange.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 500 };

bool page_read(struct exchange *x, const char *list, struct page *out)
{
    const struct request *r = &x->request;
    struct error e = {0};
    int64_t limit = LIMIT_DEFAULT;
    if (url_query_integer(&r->query, "limit", 1, LIMIT_MAX, &limit, &e) != 0)
        return response_problem(&x->response, PROBLEM_bad_parameter, e.text);
    const char *after = url_query_get(&r->query, "after");
    *out = (struct page){.limit = (size_t)limit};
    if (after && !cursor_read(list, r->identity.user, &r->query, after, &out->before_id))
        return response_problem(&x->response, PROBLEM_bad_cursor, NULL);
    return true;
}

/* The same request with another cursor. */
static void add_link(struct exchange *x, const char *cursor)
{
    const struct url_query *q = &x->request.query;
    struct buf link = BUF_INIT;
    buf_addf(&link, "<%s?", x->request.route->path);
    for (size_t i = 0; i < q->count; i++)
        if (strcmp(q->items[i].name, "after") != 0) {
            buf_addf(&link, "%s=", q->items[i].name);
            buf_percent(&link, q->items[i].value, strlen(q->items[i].value));
            buf_addc(&link, '&');
        }
    buf_addf(&link, "after=%s>; rel=\"next\"", cursor);
    response_header(&x->response, "Link", buf_str(&link));
    buf_free(&link);
}

void page_finish(struct exchange *x, const char *list, const struct page *p, bool always)
{
    char cursor[CURSOR_TEXT_SIZE];
    struct buf *body = &x->response.body;
    if (p->next)
        cursor_make(list, x->request.identity.user, &x->request.query, p->next, cursor);
    if (p->next || always) {
        buf_adds(body, ",\"next\":");
        buf_json_s(body, p->next ? cursor : NULL);
    }
    buf_addc(body, '}');
    response_json(&x->response, 200);
    if (p->next)
        add_link(x, cursor);
}
