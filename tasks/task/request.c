/* SPDX-License-Identifier: MIT */
/* request.c: reads what is kept of a deferred request. */
#include "task/request.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

bool request_header_is_dropped(const char *name)
{
    static const char *const names[] = {
        /* of one connection, beside the usual ones */
        "HTTP2-Settings", "Proxy-Authorization", "Expect",
        /* made anew */
        "Host", "Content-Length", "X-Task-Id",
        /* asked for the deferral */
        "X-Arango-Async",
        /* becomes HTTP_PROXY */
        "Proxy",
    };
    static const char *const prefixes[] = {"X-Backdesk-", "X-Accel-", "Backdesk-"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return header_is_of_connection(name);
}

/* Without spaces and controls, so that it is one word of a request's head. */
static bool is_word(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    while (*p > 0x20 && *p != 0x7f)
        p++;
    return !*p;
}

bool request_is_target(const char *s)
{
    return *s == '/' && is_word(s) && !strchr(s, '#');
}

bool request_is_host(const char *s)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    return *s && strspn(s, chars) == strlen(s);
}

bool request_is_address(const char *s)
{
    return strspn(s, "0123456789abcdefABCDEF.:") == strlen(s);
}

static int read_headers(struct json_object *list, struct arena *arena, struct request_headers *out, struct error *e)
{
    if (!json_object_is_type(list, json_type_array))
        return error_set(e, ERR_INVALID, "the request's headers are no array");
    out->count = json_object_array_length(list);
    out->items = arena_calloc(arena, out->count + 1, sizeof *out->items);
    for (size_t i = 0; i < out->count; i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);
        struct stored_header *h = &out->items[i];
        if (json_object_is_type(pair, json_type_array) && json_object_array_length(pair) == 2) {
            h->name = header_bytes_get(json_object_array_get_idx(pair, 0), arena);
            h->value = header_bytes_get(json_object_array_get_idx(pair, 1), arena);
        }
        if (!h->name || !h->value || !header_is_token(h->name))
            return error_set(e, ERR_INVALID, "the request's header %zu is no name and value", i);
    }
    return 0;
}

int request_headers_parse(const char *text, size_t len, struct arena *arena, struct request_headers *out,
                          struct error *e)
{
    struct json_object *list = NULL;
    int rc = json_parse(text, len, &list, e);
    if (!rc)
        rc = read_headers(list, arena, out, e);
    json_object_put(list);
    return rc;
}

/* The bytes of the member NAME that CHECK accepts. */
static int read_text(struct json_object *data, const char *name, bool (*check)(const char *), struct arena *arena,
                     const char **out, struct error *e)
{
    struct json_object *v;
    *out = json_object_object_get_ex(data, name, &v) ? header_bytes_get(v, arena) : NULL;
    if (!*out || !check(*out))
        return error_set(e, ERR_INVALID, "/%s is missing or none", name);
    return 0;
}

static int read_number(struct json_object *data, const char *name, int64_t *out, struct error *e)
{
    struct json_object *v;
    if (!json_object_object_get_ex(data, name, &v) || !json_object_is_type(v, json_type_int))
        return error_set(e, ERR_INVALID, "/%s is no integer", name);
    *out = json_object_get_int64(v);
    return 0;
}

static int read_request(struct json_object *data, struct arena *arena, struct deferred_request *r, struct error *e)
{
    struct json_object *headers = NULL;
    const char *mode;
    int64_t bytes;
    int rc = json_object_is_type(data, json_type_object) ? 0 : error_set(e, ERR_INVALID, "it is no object");
    if (!rc)
        rc = read_text(data, "site", is_word, arena, &r->site, e);
    if (!rc)
        rc = read_text(data, "method", header_is_token, arena, &r->method, e);
    if (!rc)
        rc = read_text(data, "target", request_is_target, arena, &r->target, e);
    if (!rc)
        rc = read_text(data, "host", request_is_host, arena, &r->host, e);
    if (!rc)
        rc = read_text(data, "address", request_is_address, arena, &r->address, e);
    if (!rc)
        rc = read_text(data, "mode", header_is_token, arena, &mode, e);
    if (!rc)
        rc = read_number(data, "user", &r->user, e);
    if (!rc)
        rc = read_number(data, "body_bytes", &bytes, e);
    if (rc)
        return rc;
    if (bytes < 0)
        return error_set(e, ERR_INVALID, "/body_bytes is negative");
    r->body_bytes = (uint64_t)bytes;
    r->forget = strcmp(mode, "forget") == 0;
    (void)json_object_object_get_ex(data, "headers", &headers);
    return read_headers(headers, arena, &r->headers, e);
}

int deferred_request_parse(const char *data, size_t len, struct arena *arena, struct deferred_request *out,
                           struct error *e)
{
    struct json_object *object = NULL;
    *out = (struct deferred_request){0};
    int rc = json_parse(data, len, &object, e);
    if (!rc)
        rc = read_request(object, arena, out, e);
    json_object_put(object);
    return rc;
}

/* Whether the path could climb out of where it seems to be, once nginx has resolved it. */
static bool may_climb(const char *target)
{
    size_t len = strcspn(target, "?");
    for (const char *p = target; p < target + len; p++)
        if (strncmp(p, "..", 2) == 0 || strncasecmp(p, "%2e", 3) == 0)
            return true;
    return false;
}

bool deferred_request_is_repeatable(const struct deferred_request *r, const struct site_def *site)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (strcmp(r->method, methods[i]) == 0)
            return true;
    for (size_t i = 0; site && i < site->retry_unsafe.count && !may_climb(r->target); i++) {
        const char *begin = site->retry_unsafe.items[i];
        if (strncmp(r->target, begin, strlen(begin)) == 0)
            return true;
    }
    return false;
}
