/* SPDX-License-Identifier: MIT */
/* view_task.c: a task as JSON. */
#include "fcgi/view.h"

#include "task/type.h"

bool view_has_download(const struct task_file *file, bool admin)
{
    return !file->is_result && !file->is_response && (admin || !file->admin_only);
}

static bool has_link(const struct task_file *file, bool admin)
{
    return view_has_download(file, admin) && !file->expired;
}

/* "download" is the first file; "files" has them all where there are several. */
static void add_downloads(struct buf *out, const struct task *t, bool admin)
{
    size_t count = 0;
    for (size_t i = 0; i < t->file_count; i++)
        count += has_link(&t->files[i], admin);
    if (count)
        buf_addf(out, ",\"download\":\"/v1/tasks/%llu/download\"", (unsigned long long)t->id);
    if (count < 2)
        return;
    const char *between = ",\"files\":[";
    for (size_t i = 0; i < t->file_count; i++) {
        if (!has_link(&t->files[i], admin))
            continue;
        buf_addf(out, "%s\"/v1/tasks/exports/%llu/download\"", between,
                 (unsigned long long)t->files[i].id);
        between = ",";
    }
    buf_addc(out, ']');
}

static bool has_result(const struct task *t)
{
    if (!task_status_ended(t->status) || t->status == TASK_cancelled)
        return false;
    for (size_t i = 0; i < t->file_count; i++)
        if ((t->files[i].is_result || t->files[i].is_response) && !t->files[i].expired)
            return true;
    return t->result.p != NULL;
}

/* Only what can be done with the task now. */
static void add_links(struct buf *out, const struct task *t, bool admin)
{
    unsigned long long id = t->id;
    buf_addf(out, "{\"self\":\"/v1/tasks/%llu\"", id);
    add_downloads(out, t, admin);
    if (has_result(t))
        buf_addf(out, ",\"result\":\"/v1/tasks/%llu/result\"", id);
    if (task_status_ended(t->status) && t->status != TASK_success)
        buf_addf(out, ",\"retry\":\"/v1/tasks/%llu/retry\"", id);
    if (!task_status_ended(t->status))
        buf_addf(out, ",\"cancel\":\"/v1/tasks/%llu/cancel\"", id);
    buf_addc(out, '}');
}

static unsigned effective_attempts(const struct settings *s, const struct task *t)
{
    struct task_limits limits;
    if (t->max_attempts)
        return t->max_attempts;
    task_limits_get(s, t->type.p, &limits);
    return (unsigned)limits.max_attempts;
}

void view_task(struct buf *out, const struct settings *s, const struct task *t, bool admin)
{
    view_number(out, "{\"id\":", t->id);
    view_text(out, ",\"type\":", t->type);
    view_json(out, ",\"data\":", t->data);
    buf_adds(out, ",\"status\":");
    buf_json_s(out, task_status_name(t->status));
    view_text(out, ",\"worker\":", t->worker);
    view_instant(out, ",\"created_at\":", t->created_at);
    view_instant(out, ",\"updated_on\":", t->updated_on);
    buf_adds(out, ",\"created_by\":");
    buf_add_i64(out, t->created_by);
    buf_adds(out, ",\"priority\":");
    buf_add_i64(out, t->priority);
    view_instant(out, ",\"run_at\":", t->run_at);
    view_instant(out, ",\"started_at\":", t->started_at);
    view_instant(out, ",\"finished_at\":", t->finished_at);
    view_instant(out, ",\"expires_at\":", t->expires_at);
    view_number(out, ",\"attempt\":", t->attempt);
    view_number(out, ",\"max_attempts\":", effective_attempts(s, t));
    buf_adds(out, t->cancel_requested ? ",\"cancel_requested\":true" : ",\"cancel_requested\":false");
    view_json(out, ",\"progress\":", t->progress);
    view_json(out, ",\"error\":", t->error);
    view_json(out, ",\"result\":", t->result);
    buf_adds(out, ",\"links\":");
    add_links(out, t, admin);
    buf_addc(out, '}');
}
