/* SPDX-License-Identifier: MIT */
/* handle_download.c: files, which nginx sends (X-Accel-Redirect); only their names pass through here. */
#include <string.h>

#include "base/error.h"
#include "fcgi/accel.h"
#include "fcgi/backend.h"
#include "fcgi/disposition.h"
#include "fcgi/exchange.h"
#include "fcgi/view.h"

static const struct {
    const char *format;
    const char *type;
} types[] = {
    {"csv", "text/csv; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"json", "application/json"},
    {"jsonl", "application/x-ndjson"},
    {"sql", "application/sql"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
};

static bool ends_with(struct text t, const char *end)
{
    size_t len = strlen(end);
    return t.p && t.len >= len && memcmp(t.p + t.len - len, end, len) == 0;
}

static const char *content_type(const struct export_file *f)
{
    if (ends_with(f->path, ".gz"))
        return "application/gzip";
    if (ends_with(f->path, ".zst"))
        return "application/zstd";
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (f->format.p && strcmp(f->format.p, types[i].format) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static void answer(struct exchange *x, const struct export_file *f)
{
    struct response *r = &x->response;
    if (f->expired) {
        response_problem(r, PROBLEM_file_gone, "The file has expired.");
        return;
    }
    struct buf disposition = BUF_INIT;
    disposition_write(&disposition, f->filename.p ? f->filename.p : "", f->filename.len);
    r->status = 200;
    accel_redirect(x, f);
    response_header(r, "Content-Type", content_type(f));
    response_header(r, "Content-Disposition", buf_str(&disposition));
    response_header(r, "Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    response_header(r, "Cache-Control", "private, no-cache");
    buf_free(&disposition);
}

void handle_export_download(struct exchange *x)
{
    answer(x, &x->request.file);
}

/* The first of the task's files that the user may have as a download; an expired one (410) only where there is
 * no other. */
static const struct task_file *first_download(const struct exchange *x)
{
    const struct task *t = &x->request.task;
    const struct task_file *expired = NULL;
    for (size_t i = 0; i < t->file_count; i++) {
        const struct task_file *f = &t->files[i];
        if (!view_has_download(f, x->request.identity.admin))
            continue;
        if (!f->expired)
            return f;
        expired = expired ? expired : f;
    }
    return expired;
}

void handle_task_download(struct exchange *x)
{
    const struct task_file *first = first_download(x);
    struct export_file file;
    struct error e = {0};
    if (!task_status_ended(x->request.task.status)) {
        response_problem(&x->response, PROBLEM_not_finished, NULL);
        response_retry_after(&x->response, x->app->settings->api.poll_after_usec);
        return;
    }
    int result = first ? backend_get_export(x->app->backend, first->id, x->arena, &file, &e)
                       : ERR_NOT_FOUND;
    if (result == 0)
        answer(x, &file);
    else if (result == ERR_NOT_FOUND)
        response_problem(&x->response, PROBLEM_not_found, "The task has no file.");
    else
        exchange_fail(x, result, &e);
}
