/* SPDX-License-Identifier: MIT */
/* stored_answer.c: from a file of the shared directory to an answer. */
#include "fcgi/stored_answer.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/prefer.h"
#include "fcgi/reference.h"
#include "task/stored_response.h"

const struct task_file *stored_answer_of(const struct task *t)
{
    for (size_t i = 0; i < t->file_count; i++)
        if (t->files[i].is_response)
            return &t->files[i];
    return NULL;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool is_left_out(const char *name)
{
    static const char *const names[] = {
        "Status", "Content-Length", "Backdesk-Task", "Preference-Applied", "X-Arango-Async-Id",
    };
    return is_among(name, names, COUNT_OF(names)) || header_is_of_connection(name) ||
           strncasecmp(name, "X-Accel-", 8) == 0 || !header_is_token(name);
}

/* Of somebody else's response an admin sees what it says. In a browser it is a page of our origin, and must neither
 * do anything there nor make him its user. */
static const struct stored_header harmless[] = {
    {"Content-Security-Policy", "default-src 'none'; sandbox"},
    {"X-Content-Type-Options", "nosniff"},
    {"Content-Disposition", "attachment"},
};
static const char *const acts_on_reader[] = {"Set-Cookie", "Clear-Site-Data", "Refresh"};

static bool is_for_owner(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(harmless); i++)
        if (strcasecmp(name, harmless[i].name) == 0)
            return true;
    return is_among(name, acts_on_reader, COUNT_OF(acts_on_reader));
}

/* --- caching: what the site may have said to all about its URL is said of one that only some may see ------------ */

static const char *const to_caches[] = {"Cache-Control", "CDN-Cache-Control", "Surrogate-Control"};
static const char *const of_sharing[] = {"public", "private", "s-maxage"};

/* Cache-Control is a list of the same form as Prefer. */
static void add_cache_control(struct response *r, const struct stored_response *stored)
{
    bool any = false;
    buf_adds(&r->head, "Cache-Control: private");
    for (size_t i = 0; i < stored->header_count; i++) {
        struct buf rest = BUF_INIT;
        if (strcasecmp(stored->headers[i].name, "Cache-Control") != 0)
            continue;
        prefer_without(stored->headers[i].value, of_sharing, COUNT_OF(of_sharing), &rest);
        buf_addf(&r->head, "%s%s", rest.len ? ", " : "", buf_str(&rest));
        buf_free(&rest);
        any = true;
    }
    buf_adds(&r->head, any ? "\r\n" : ", no-cache\r\n"); /* as all answers of ours */
}

static int open_file(const struct exchange *x, const char *path)
{
    char whole[4096];
    int len = snprintf(whole, sizeof whole, "%s/%s", x->app->settings->files.directory, path);
    if (len < 0 || (size_t)len >= sizeof whole) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(whole, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* A member of the request as it was kept; "": there is none. */
static const char *asked(const struct task *t, const char *name, struct arena *arena)
{
    struct json_object *data = NULL, *member;
    const char *value = NULL;
    if (t->data.p && json_parse(t->data.p, t->data.len, &data, NULL) == 0 && data &&
        json_object_object_get_ex(data, name, &member))
        value = header_bytes_get(member, arena);
    json_object_put(data);
    return value ? value : "";
}

/* Where the site's answer leads to, though it is not given at the site's URL. */
static const char *place(struct exchange *x, const struct task *t, const struct stored_header *h)
{
    static const char *const names[] = {"Location", "Content-Location"};
    if (!is_among(h->name, names, COUNT_OF(names)))
        return h->value;
    const char *target = asked(t, "target", x->arena);
    return *target == '/' ? reference_resolve(target, h->value, x->arena) : h->value;
}

static void add_headers(struct exchange *x, const struct task *t, const struct stored_response *stored)
{
    struct response *r = &x->response;
    bool ours = x->request.route != &deferred_route; /* the URL; else the site itself could have answered there */
    bool foreign = x->request.identity.user != t->created_by;
    char id[24];
    for (size_t i = 0; i < stored->header_count; i++) {
        const struct stored_header *h = &stored->headers[i];
        if (!is_left_out(h->name) && !(ours && is_among(h->name, to_caches, COUNT_OF(to_caches))) &&
            !(foreign && is_for_owner(h->name)))
            buf_addf(&r->head, "%s: %s\r\n", h->name, ours ? place(x, t, h) : h->value);
    }
    if (ours)
        add_cache_control(r, stored);
    for (size_t i = 0; foreign && i < COUNT_OF(harmless); i++)
        response_header(r, harmless[i].name, harmless[i].value);
    snprintf(id, sizeof id, "%llu", (unsigned long long)t->id);
    response_header(r, "Backdesk-Task", id);
}

/* HEAD of a HEAD: the length that the site said. */
static uint64_t said_length(const struct stored_response *stored)
{
    unsigned long long length = 0;
    for (size_t i = 0; i < stored->header_count; i++)
        if (strcasecmp(stored->headers[i].name, "Content-Length") == 0)
            sscanf(stored->headers[i].value, "%18llu", &length);
    return length;
}

static bool give(struct exchange *x, const struct task *t, const char *path)
{
    struct response *r = &x->response;
    struct stored_response stored;
    struct error e = {0};
    int fd = open_file(x, path);
    if (fd < 0 && errno == ENOENT)
        return response_problem(r, PROBLEM_file_gone, "The response is no longer there.");
    if (fd < 0)
        error_errno(&e, ERR_IO, "the stored response %s cannot be opened", path);
    if (fd < 0 || stored_response_read(fd, x->arena, &stored, &e) != 0) {
        if (fd >= 0)
            close(fd);
        return exchange_fail(x, ERR_IO, &e);
    }
    add_headers(x, t, &stored);
    uint64_t bytes = stored.body_bytes;
    if (x->request.head && !bytes && strcmp(asked(t, "method", x->arena), "HEAD") == 0) /* whose body never came */
        bytes = said_length(&stored);
    response_stored(r, (int)stored.status, *stored.reason ? stored.reason : NULL, fd, stored.body_at, bytes);
    return true;
}

bool stored_answer_give(struct exchange *x, const struct task *t, const struct task_file *file)
{
    struct export_file f;
    struct error e = {0};
    int result = backend_get_export(x->app->backend, file->id, x->arena, &f, &e);
    if (result != 0) /* ERR_NOT_FOUND: it has been deleted since the task was looked up */
        return exchange_fail(x, result, &e);
    if (f.expired)
        return response_problem(&x->response, PROBLEM_file_gone, "The response has expired.");
    return give(x, t, f.path.p);
}
