/* SPDX-License-Identifier: MIT */
/* handle_upload.c: POST /v1/tasks/uploads: the body goes into a file piece by piece, and is never in memory as
 * a whole. A thread is busy with it only as long as nginx, which has all of it already, hands it over. */
#include "base/error.h"
#include "base/log.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/request.h"
#include "store/upload.h"
#include "task/upload.h"

enum { CHUNK = 32 * 1024 };

struct receiving {
    struct exchange *x;
    struct result_file *file;
    struct upload_limits limits;
    struct upload upload;
    int64_t expires_at;
    uint64_t expected; /* bytes, as far as the client says */
};

static int room_call(struct store *s, void *context, struct error *e)
{
    const struct receiving *v = context;
    return store_upload_room(s, v->upload.owner, &v->limits, v->expected, e);
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

static bool storage_failed(struct receiving *v, const struct error *e)
{
    log_error("an upload of user %lld: %s", (long long)v->upload.owner, e->text);
    return response_problem(&v->x->response, PROBLEM_storage_failed, NULL);
}

/* Says no before a byte is stored, where that can be said already. */
static bool admit(struct receiving *v)
{
    struct exchange *x = v->x;
    struct error e = {0};
    int64_t length = request_content_length(x);
    if (length == -2)
        return response_problem(&x->response, PROBLEM_incomplete_body, "Content-Length is no number.");
    if (length > x->app->settings->api.max_upload_bytes)
        return response_problem(&x->response, PROBLEM_too_large, NULL);
    v->expected = length > 0 ? (uint64_t)length : 0;
    int result = backend_call(x->app->backend, BACKEND_READ, room_call, v, &e);
    return result == 0 || refuse(v, result, &e);
}

static bool create(struct receiving *v)
{
    const struct files_settings *files = &v->x->app->settings->files;
    struct result_place place = {
        .directory = files->directory,
        .mode = (mode_t)files->mode,
        .directory_mode = (mode_t)files->directory_mode,
    };
    struct error e = {0};
    return upload_create(&place, v->upload.owner, &v->file, &e) == 0 || storage_failed(v, &e);
}

static bool receive(struct receiving *v)
{
    struct exchange *x = v->x;
    char chunk[CHUNK];
    uint64_t got = 0;
    int64_t length = request_content_length(x);
    int n;
    while ((n = transport_read(x->transport, chunk, sizeof chunk)) > 0) {
        struct error e = {0};
        got += (uint64_t)n;
        if (got > (uint64_t)x->app->settings->api.max_upload_bytes)
            return response_problem(&x->response, PROBLEM_too_large, NULL);
        if (result_file_write(v->file, chunk, (size_t)n, &e))
            return storage_failed(v, &e);
    }
    if (n < 0 || (length >= 0 && (uint64_t)length != got))
        return response_problem(&x->response, PROBLEM_incomplete_body, NULL);
    return true;
}

/* The file gets its name, then the row names it. */
static bool keep(struct receiving *v, char id[UPLOAD_ID_SIZE])
{
    struct error e = {0};
    if (result_file_finish(v->file, 0, &e))
        return storage_failed(v, &e);
    const struct result_info *info = result_file_info(v->file);
    upload_id(v->file, id);
    v->upload.id = id;
    v->upload.path = info->path;
    v->upload.sha256 = info->sha256;
    v->upload.bytes = info->bytes;
    int result = backend_call(v->x->app->backend, BACKEND_WRITE, add_call, v, &e);
    return result == 0 || refuse(v, result, &e);
}

/* After an early answer: the web server may look for it only when all of the body is gone. */
static void drain(struct exchange *x)
{
    char waste[CHUNK];
    while (transport_read(x->transport, waste, sizeof waste) > 0)
        ;
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
    if (!admit(&v) || !create(&v) || !receive(&v) || !keep(&v, id)) {
        result_file_discard(&v.file);
        drain(x);
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
