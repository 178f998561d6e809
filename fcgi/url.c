/* SPDX-License-Identifier: MIT */
/* url.c: reads query strings and their values. */
#include "fcgi/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/utf8.h"

const char *percent_decode(const char *text, size_t len, bool plus, struct arena *arena)
{
    char *out = arena_alloc(arena, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0')
            return NULL;
        out[n++] = c;
    }
    out[n] = '\0';
    return utf8_valid_prefix(out, n) == n ? out : NULL;
}

static bool is_allowed(const char *allowed, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = allowed; *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == len && strncmp(p, name, len) == 0)
            return len > 0;
    return false;
}

static void tell_unknown(const char *allowed, const char *name, struct error *e)
{
    struct buf known = BUF_INIT;
    buf_adds(&known, *allowed ? "known are " : "none is expected");
    for (const char *p = allowed; *p; p++) {
        buf_addc(&known, *p);
        if (*p == ',')
            buf_addc(&known, ' ');
    }
    error_set(e, ERR_INVALID, "The query parameter \"%.100s\" is not known here: %s.", name, buf_str(&known));
    buf_free(&known);
}

/* One "name=value". */
static enum url_fault parse_pair(const char *text, size_t len, const char *allowed,
                                   struct arena *arena, struct url_query *out, struct error *e)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len;
    const char *name = percent_decode(text, name_len, true, arena);
    const char *value = equals ? percent_decode(equals + 1, len - name_len - 1, true, arena) : "";
    if (!name || !value) {
        error_set(e, ERR_INVALID, "The query is not well encoded.");
        return URL_MALFORMED;
    }
    if (!is_allowed(allowed, name)) {
        tell_unknown(allowed, name, e);
        return URL_UNKNOWN;
    }
    if (url_query_get(out, name)) {
        error_set(e, ERR_INVALID, "The query parameter %s is given twice.", name);
        return URL_MALFORMED;
    }
    if (out->count == URL_QUERY_MAX) {
        error_set(e, ERR_INVALID, "The query has too many parameters.");
        return URL_MALFORMED;
    }
    out->items[out->count].name = name;
    out->items[out->count++].value = value;
    return URL_GOOD;
}

enum url_fault url_query_parse(const char *text, const char *allowed, struct arena *arena,
                                 struct url_query *out, struct error *e)
{
    out->count = 0;
    while (*text) {
        size_t len = strcspn(text, "&");
        if (len) {
            enum url_fault fault = parse_pair(text, len, allowed, arena, out, e);
            if (fault != URL_GOOD)
                return fault;
        }
        text += len;
        text += *text == '&';
    }
    return URL_GOOD;
}

const char *url_query_get(const struct url_query *q, const char *name)
{
    for (size_t i = 0; i < q->count; i++)
        if (strcmp(q->items[i].name, name) == 0)
            return q->items[i].value;
    return NULL;
}

int url_query_integer(const struct url_query *q, const char *name, int64_t min, int64_t max, int64_t *out,
                  struct error *e)
{
    const char *value = url_query_get(q, name);
    if (!value)
        return 0;
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    /* strtoll would also take white space and a plus in front */
    bool digits = (*value >= '0' && *value <= '9') || *value == '-';
    if (!digits || *end || errno || n < min || n > max)
        return error_set(e, ERR_INVALID, "%s must be an integer from %lld to %lld.", name,
                         (long long)min, (long long)max);
    *out = n;
    return 0;
}

int url_query_instant(const struct url_query *q, const char *name, int64_t *out, struct error *e)
{
    const char *value = url_query_get(q, name);
    if (!value)
        return 0;
    /* "+02:00" arrives as " 02:00" where the plus was not encoded; nothing else can be meant by it */
    char text[64];
    size_t len = strlen(value);
    bool good = len < sizeof text;
    if (good) {
        memcpy(text, value, len + 1);
        if (len > 6 && text[len - 6] == ' ')
            text[len - 6] = '+';
        good = instant_parse(text, len, out) == 0;
    }
    if (!good)
        return error_set(e, ERR_INVALID, "%s must be a time such as 2026-11-21T09:30:00Z.", name);
    return 0;
}

int url_query_list(const struct url_query *q, const char *name, struct arena *arena, const char **out,
               size_t max, size_t *count, struct error *e)
{
    const char *value = url_query_get(q, name);
    *count = 0;
    if (!value)
        return 0;
    for (;;) {
        size_t len = strcspn(value, ",");
        if (len == 0)
            return error_set(e, ERR_INVALID, "%s has an empty value in it.", name);
        if (*count == max)
            return error_set(e, ERR_INVALID, "%s takes at most %zu values.", name, max);
        out[(*count)++] = arena_strndup(arena, value, len);
        if (!value[len])
            return 0;
        value += len + 1;
    }
}
