/* SPDX-License-Identifier: MIT */
/* view_attempt.c: a claim as JSON. */
#include "fcgi/view.h"

void view_attempt(struct buf *out, const struct attempt *a)
{
    view_number(out, "{\"attempt\":", a->attempt);
    view_number(out, ",\"fence\":", a->fence);
    view_text(out, ",\"worker\":", a->worker);
    view_instant(out, ",\"started_at\":", a->started_at);
    view_instant(out, ",\"finished_at\":", a->finished_at);
    view_text(out, ",\"outcome\":", a->outcome);
    view_json(out, ",\"error\":", a->error);
    view_text(out, ",\"log\":", a->log);
    buf_addc(out, '}');
}
