/* SPDX-License-Identifier: MIT */
/* handle_upload.c: POST /v1/tasks/uploads: a file, and a row that names it. */
#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/body_file.h"
#include "fcgi/exchange.h"
#include "fcgi/request.h"
#include "store/upload.h"
#include "task/upload.h"

struct receiving {
    struct exchange *x;
    struct result_file *file;
    struct upload_limits limits;
    struct upload upload;
    int64_t expires_at;
    int64_t length; /* as the client says, -1: unknown */
};

static int room_call(struct store *s, void *context, struct error *e)
{
    const struct receiving *v = context;
    return store_upload_room(s, v->upload.owner, &v->limits, v->length > 0 ? (uint64_t)v->length : 0, e);
}

static int add_call(struct store *s, void *context, struct error *e)
{
    struct receiving *v = context;
    return store_add_upload(s, &v->upload, &v->limits, &v->expires_at, e);
}

static bool refuse(struct receiving *v, int error, const struct error *e)
{
    struct exchange *x = v->x;
    if (error != ERR_LIMIT)
        return exchange_fail(x, error, e);
    response_problem(&x->response, PROBLEM_too_many_uploads, NULL);
    response_retry_after(&x->response, x->app->settings->api.upload_keep_usec);
    return false;
}

static struct body_limit upload_limit(const struct exchange *x)
{
    return (struct body_limit){(uint64_t)x->app->settings->api.max_upload_bytes, "api.max_upload"};
}

/* Says no before a byte is stored, where that can be said already. */
static bool admit(struct receiving *v)
{
    struct exchange *x = v->x;
    struct error e = {0};
    v->length = request_content_length(x);
    if (v->length == -2)
        return response_problem(&x->response, PROBLEM_incomplete_body, "Content-Length is no number.");
    if (v->length > x->app->settings->api.max_upload_bytes)
        return request_refuse_size(x, upload_limit(x));
    int result = backend_call(x->app->backend, BACKEND_READ, room_call, v, &e);
    return result == 0 || refuse(v, result, &e);
}

/* The row names the file. Returns 0 or an error that has been answered. */
static int keep(struct receiving *v, char id[UPLOAD_ID_SIZE])
{
    struct error e = {0};
    const struct result_info *info = result_file_info(v->file);
    upload_id(v->file, id);
    v->upload.id = id;
    v->upload.path = info->path;
    v->upload.sha256 = info->sha256;
    v->upload.bytes = info->bytes;
    int result = backend_call(v->x->app->backend, BACKEND_CHANGE, add_call, v, &e);
    if (result != 0)
        refuse(v, result, &e);
    return result;
}

void handle_upload(struct exchange *x)
{
    const struct api_settings *api = &x->app->settings->api;
    char id[UPLOAD_ID_SIZE];
    struct receiving v = {
        .x = x,
        .limits = {(uint64_t)api->uploads_per_user, (uint64_t)api->upload_bytes_per_user},
        .upload = {.owner = x->request.identity.user, .keep_usec = api->upload_keep_usec},
    };
    if (!admit(&v)) {
        body_drain(x);
        return;
    }
    if (!body_file_receive(x, v.upload.owner, UPLOAD_EXT, upload_limit(x), v.length, false, &v.file))
        return;
    int kept = keep(&v, id);
    if (kept != 0) {
        body_file_give_up(&v.file, kept);
        return;
    }
    struct buf *body = &x->response.body;
    buf_adds(body, "{\"upload\":");
    buf_json_s(body, id);
    buf_addf(body, ",\"bytes\":%llu,\"expires_at\":", (unsigned long long)v.upload.bytes);
    buf_json_instant(body, v.expires_at);
    buf_addc(body, '}');
    result_file_release(&v.file);
    response_json(&x->response, 201);
}
