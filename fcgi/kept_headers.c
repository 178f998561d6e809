/* SPDX-License-Identifier: MIT */
/* kept_headers.c: what of a request is kept, shown or sealed, and how a name is got back from FastCGI's. */
#include "fcgi/kept_headers.h"

#include <string.h>
#include <strings.h>

#include "fcgi/prefer.h"
#include "task/request.h"

enum { NAME_SIZE = 128 };

static const char *const secret[] = {"Cookie", "Authorization"};
static const char *const deferring[] = {"respond-async", "wait", "forget"};

/* As strncasecmp, with - and _ alike: FastCGI does not tell them apart. */
static int compare_names(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char x = a[i] == '_' ? '-' : a[i], y = b[i] == '_' ? '-' : b[i];
        int order = strncasecmp(&x, &y, 1);
        if (order)
            return order;
    }
    return 0;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == len && compare_names(names[i], name, len) == 0)
            return true;
    return false;
}

/* Whether a header Connection names it. */
static bool connection_names(const char *const *params, const char *name)
{
    static const char connection[] = "HTTP_CONNECTION=";
    for (; *params; params++)
        if (strncmp(*params, connection, sizeof connection - 1) == 0 &&
            header_list_has(*params + sizeof connection - 1, name, compare_names))
            return true;
    return false;
}

/* "HTTP_X_REQUEST_ID=..." becomes "X-Request-Id"; returns the value, NULL: PARAM is no header. */
static const char *read_param(const char *param, char name[NAME_SIZE])
{
    static const char prefix[] = "HTTP_";
    const char *from = param + sizeof prefix - 1, *equals = strchr(param, '=');
    if (strncmp(param, prefix, sizeof prefix - 1) != 0 || !equals || equals <= from ||
        equals - from >= NAME_SIZE)
        return NULL;
    size_t len = (size_t)(equals - from);
    for (size_t i = 0; i < len; i++) {
        char c = from[i];
        bool first = i == 0 || from[i - 1] == '_';
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_')
            return NULL;
        name[i] = (char)(c == '_' ? '-' : c >= 'A' && !first ? c - 'A' + 'a' : c);
    }
    name[len] = '\0';
    return equals + 1;
}

static bool is_dropped(const char *name, const char *const *all, const struct defer_settings *defer)
{
    return request_header_is_dropped(name) || connection_names(all, name) ||
           is_among(name, defer->drop_headers.items, defer->drop_headers.count);
}

static void add(struct buf *out, const char *name, const char *value)
{
    buf_adds(out, out->len > 1 ? ",[" : "[");
    header_bytes_json(out, name);
    buf_addc(out, ',');
    header_bytes_json(out, value);
    buf_addc(out, ']');
}

/* Other preferences are the site's. */
static void add_prefer(struct buf *out, const char *value)
{
    struct buf rest = BUF_INIT;
    prefer_without(value, deferring, COUNT_OF(deferring), &rest);
    if (rest.len)
        add(out, "Prefer", buf_str(&rest));
    buf_free(&rest);
}

static bool has_control(const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
            return true;
    return false;
}

int kept_headers_choose(const char *const *params, const struct defer_settings *defer, struct kept_headers *out,
                        struct error *e)
{
    const char *const *all = params;
    buf_addc(&out->shown, '[');
    buf_addc(&out->secret, '[');
    for (; *params; params++) {
        char name[NAME_SIZE];
        const char *value = read_param(*params, name);
        if (!value || is_dropped(name, all, defer))
            continue;
        if (has_control(value))
            return error_set(e, ERR_INVALID, "The header %s has a control character.", name);
        if (strcmp(name, "Prefer") == 0)
            add_prefer(&out->shown, value);
        else if (is_among(name, secret, COUNT_OF(secret)) ||
                 is_among(name, defer->secret_headers.items, defer->secret_headers.count))
            add(&out->secret, name, value);
        else
            add(&out->shown, name, value);
    }
    buf_addc(&out->shown, ']');
    buf_addc(&out->secret, ']');
    return 0;
}

void kept_headers_free(struct kept_headers *h)
{
    buf_free(&h->shown);
    buf_free(&h->secret);
}
