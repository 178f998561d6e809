/* SPDX-License-Identifier: MIT */
/* body_file.c: from the transport to the disk. */
#include "fcgi/body_file.h"

#include "base/error.h"
#include "base/log.h"
#include "fcgi/exchange.h"
#include "fcgi/watch.h"
#include "task/upload.h"

enum { CHUNK = 64 * 1024 };

struct receiving {
    struct exchange *x;
    int64_t owner;
    const char *ext;
    struct body_limit limit;
    uint64_t got;
    bool skip_empty;
    struct result_file *file;
};

static bool storage_failed(struct receiving *v, const struct error *e)
{
    log_error("a body of user %lld: %s (files directory %s, where pool and runner write: as one account, or as a group "
              "with directory_mode = 0770)",
              (long long)v->owner, e->text, v->x->app->settings->files.directory);
    return response_problem(&v->x->response, PROBLEM_storage_failed, NULL);
}

static bool create(struct receiving *v)
{
    const struct result_place place = result_place_of(&v->x->app->settings->files);
    struct error e = {0};
    return upload_create(&place, v->owner, v->ext, &v->file, &e) == 0 || storage_failed(v, &e);
}

static bool take(struct receiving *v, const char *data, size_t len)
{
    struct error e = {0};
    v->got += len;
    if (v->got > v->limit.bytes)
        return request_refuse_size(v->x, v->limit);
    if (!v->file && !create(v))
        return false;
    return result_file_write(v->file, data, len, &e) == 0 || storage_failed(v, &e);
}

static bool receive(struct receiving *v, int64_t length)
{
    char chunk[CHUNK];
    int n;
    if (length > 0 && (uint64_t)length > v->limit.bytes)
        return request_refuse_size(v->x, v->limit);
    while ((n = transport_read(v->x->transport, chunk, sizeof chunk)) > 0)
        if (!take(v, chunk, (size_t)n))
            return false;
    if (n < 0 || (length >= 0 && (uint64_t)length != v->got))
        return response_problem(&v->x->response, PROBLEM_incomplete_body, NULL);
    return v->file || v->skip_empty || create(v);
}

bool body_file_receive(struct exchange *x, int64_t owner, const char *ext, struct body_limit limit, int64_t length,
                       bool skip_empty, struct result_file **out)
{
    struct receiving v = {.x = x, .owner = owner, .ext = ext, .limit = limit, .skip_empty = skip_empty};
    struct error e = {0};
    watch_leave(); /* for the disk */
    if (receive(&v, length) &&
        (!v.file || result_file_finish(v.file, 0, &e) == 0 || storage_failed(&v, &e))) {
        *out = v.file;
        return true;
    }
    result_file_discard(&v.file);
    body_drain(x);
    return false;
}

void body_file_give_up(struct result_file **file, int result)
{
    if (result == ERR_DB_GONE || result == ERR_TIMEOUT)
        result_file_release(file);
    else
        result_file_discard(file);
}

void body_drain(struct exchange *x)
{
    char waste[CHUNK];
    while (transport_read(x->transport, waste, sizeof waste) > 0)
        ;
}
