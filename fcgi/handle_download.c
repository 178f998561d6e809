/* SPDX-License-Identifier: MIT */
/* handle_download.c: files, which nginx sends (X-Accel-Redirect); only their names pass through here. */
#include <string.h>

#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/disposition.h"
#include "fcgi/exchange.h"

static const struct {
    const char *format;
    const char *type;
} types[] = {
    {"csv", "text/csv; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"json", "application/json"},
    {"jsonl", "application/x-ndjson"},
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
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (f->format.p && strcmp(f->format.p, types[i].format) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* nginx decodes the path once. */
static void add_redirect(struct exchange *x, const struct export_file *f)
{
    const char *prefix = transport_param(x->transport, "BACKDESK_ACCEL");
    struct buf path = BUF_INIT;
    buf_adds(&path, prefix && *prefix ? prefix : x->app->settings->api.accel_prefix);
    for (const char *p = f->path.p; *p;) {
        size_t len = strcspn(p, "/");
        buf_percent(&path, p, len);
        p += len;
        if (*p == '/')
            buf_addc(&path, *p++);
    }
    response_header(&x->response, "X-Accel-Redirect", buf_str(&path));
    buf_free(&path);
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
    add_redirect(x, f);
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

struct first_file {
    uint64_t task_id;
    struct arena *arena;
    struct export_file file;
    int count;
};

static int first_call(struct store *s, void *context, struct error *e)
{
    struct first_file *f = context;
    f->count = store_task_exports(s, f->task_id, 1, f->arena, &f->file, e);
    return f->count < 0 ? f->count : 0;
}

void handle_task_download(struct exchange *x)
{
    const struct task *t = &x->request.task;
    struct first_file first = {.task_id = t->id, .arena = x->arena};
    struct error e = {0};
    if (!task_status_ended(t->status)) {
        response_problem(&x->response, PROBLEM_not_finished, NULL);
        response_retry_after(&x->response, x->app->settings->api.poll_after_usec);
        return;
    }
    int result = backend_call(x->app->backend, BACKEND_READ, first_call, &first, &e);
    if (result != 0)
        exchange_fail(x, result, &e);
    else if (first.count == 0)
        response_problem(&x->response, PROBLEM_not_found, "The task has no file.");
    else
        answer(x, &first.file);
}
