/* SPDX-License-Identifier: MIT */
/* view_runner.c: a runner as JSON. */
#include <string.h>

#include "fcgi/view.h"

/* The part of "nickname:UUID" before the colon. */
static void add_nickname(struct buf *out, struct text worker)
{
    const char *colon = worker.p ? memchr(worker.p, ':', worker.len) : NULL;
    if (!colon)
        return;
    buf_adds(out, ",\"nickname\":");
    buf_json(out, worker.p, (size_t)(colon - worker.p));
}

void view_runner(struct buf *out, const struct runner_row *r)
{
    view_text(out, "{\"worker\":", r->worker);
    add_nickname(out, r->worker);
    view_text(out, ",\"host\":", r->host);
    buf_addf(out, ",\"pid\":%u", r->pid);
    view_text(out, ",\"version\":", r->version);
    view_json(out, ",\"types\":", r->types);
    buf_addf(out, ",\"slots\":%u,\"busy\":%u", r->slots, r->busy);
    view_instant(out, ",\"started_at\":", r->started_at);
    view_instant(out, ",\"last_seen\":", r->last_seen);
    buf_adds(out, r->alive ? ",\"alive\":true}" : ",\"alive\":false}");
}
