/* SPDX-License-Identifier: MIT */
/* view_member.c: columns as members of a JSON object. */
#include "base/json.h"
#include "fcgi/view.h"

void view_text(struct buf *out, const char *key, struct text t)
{
    buf_adds(out, key);
    if (t.p)
        buf_json(out, t.p, t.len);
    else
        buf_adds(out, "null");
}

void view_number(struct buf *out, const char *key, uint64_t n)
{
    buf_adds(out, key);
    buf_add_u64(out, n);
}

void view_instant(struct buf *out, const char *key, int64_t usec)
{
    buf_adds(out, key);
    buf_json_instant(out, usec);
}

void view_json(struct buf *out, const char *key, struct text t)
{
    buf_adds(out, key);
    if (!t.p)
        buf_adds(out, "null");
    else if (json_scan(t.p, t.len, JSON_DEPTH_MAX, NULL) == 0)
        buf_add(out, t.p, t.len);
    else
        buf_json(out, t.p, t.len);
}
