/* SPDX-License-Identifier: MIT */
/* view_export.c: a finished file as JSON; its place on the disk is nobody's business. */
#include "fcgi/view.h"

void view_export(struct buf *out, const struct export_file *f)
{
    view_number(out, "{\"id\":", f->id);
    view_number(out, ",\"task_id\":", f->task_id);
    view_text(out, ",\"filename\":", f->filename);
    view_text(out, ",\"format\":", f->format);
    view_number(out, ",\"bytes\":", f->bytes);
    buf_adds(out, ",\"rows\":");
    if (f->has_rows)
        buf_add_u64(out, f->rows);
    else
        buf_adds(out, "null");
    view_text(out, ",\"sha256\":", f->sha256);
    view_instant(out, ",\"created_at\":", f->created_at);
    view_instant(out, ",\"expires_at\":", f->expires_at);
    buf_adds(out, ",\"links\":{");
    if (!f->expired)
        buf_addf(out, "\"download\":\"/v1/tasks/exports/%llu/download\"", (unsigned long long)f->id);
    buf_adds(out, "}}");
}
