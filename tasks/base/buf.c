/* SPDX-License-Identifier: MIT */
/* buf.c: the output buffer and its quoting. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->err = 0;
}

void buf_reserve(struct buf *b, size_t more)
{
    if (b->err)
        return;
    if (more > SIZE_MAX / 4 || (b->max && b->len + more > b->max)) {
        b->err = ERR_LIMIT;
        return;
    }
    if (b->cap - b->len >= more + 1)
        return;
    size_t cap = b->cap ? b->cap : 256;
    while (cap - b->len < more + 1)
        cap *= 2;
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    buf_reserve(b, len);
    if (b->err || !len)
        return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->err = b->err ? b->err : ERR_INVALID;
        return;
    }
    buf_reserve(b, (size_t)n);
    if (b->err)
        return;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void buf_add_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    buf_add(b, digits + at, sizeof digits - at);
}

void buf_add_i64(struct buf *b, int64_t n)
{
    if (n < 0)
        buf_addc(b, '-');
    buf_add_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void buf_utf8(struct buf *b, const char *s, size_t len)
{
    for (;;) {
        size_t good = utf8_valid_prefix(s, len);
        buf_add(b, s, good);
        if (good == len)
            return;
        buf_adds(b, "\xef\xbf\xbd");
        s += good + 1;
        len -= good + 1;
    }
}

/* What JSON must not hold raw: 0 = may stand, 'u' = \u00XX, else the letter behind the backslash. */
static char json_escape(unsigned char c)
{
    switch (c) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return c < 0x20 || c == 0x7f ? 'u' : 0;
    }
}

void buf_json(struct buf *b, const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + len, *run = p;
    buf_reserve(b, len + 2);
    buf_addc(b, '"');
    while (p < end) {
        if (*p >= 0x80) {
            size_t n = utf8_sequence(p, (size_t)(end - p));
            if (n) {
                p += n;
                continue;
            }
            buf_add(b, run, (size_t)(p - run));
            buf_adds(b, "\xef\xbf\xbd");
            run = ++p;
            continue;
        }
        char escape = json_escape(*p);
        if (!escape) {
            p++;
            continue;
        }
        buf_add(b, run, (size_t)(p - run));
        if (escape == 'u')
            buf_add(b, (char[]){'\\', 'u', '0', '0', hex_digits[*p >> 4], hex_digits[*p & 15]}, 6);
        else
            buf_add(b, (char[]){'\\', escape}, 2);
        run = ++p;
    }
    buf_add(b, run, (size_t)(p - run));
    buf_addc(b, '"');
}

void buf_json_s(struct buf *b, const char *s)
{
    if (s)
        buf_json(b, s, strlen(s));
    else
        buf_adds(b, "null");
}

void buf_sql_name(struct buf *b, const char *name)
{
    buf_addc(b, '`');
    for (; *name; name++) {
        if (*name == '`')
            buf_addc(b, '`');
        buf_addc(b, *name);
    }
    buf_addc(b, '`');
}

void buf_html(struct buf *b, const char *s, size_t len)
{
    const char *end = s + len, *run = s;
    for (; s < end; s++) {
        const char *entity;
        switch (*s) {
        case '&':
            entity = "&amp;";
            break;
        case '<':
            entity = "&lt;";
            break;
        case '>':
            entity = "&gt;";
            break;
        case '"':
            entity = "&quot;";
            break;
        case '\'':
            entity = "&#39;";
            break;
        default:
            continue;
        }
        buf_add(b, run, (size_t)(s - run));
        buf_adds(b, entity);
        run = s + 1;
    }
    buf_add(b, run, (size_t)(end - run));
}

void buf_percent(struct buf *b, const char *s, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~')
            buf_addc(b, (char)c);
        else
            buf_add(b, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    }
}

void buf_json_instant(struct buf *b, int64_t usec)
{
    if (usec == INSTANT_NONE) {
        buf_adds(b, "null");
        return;
    }
    char text[INSTANT_TEXT_SIZE];
    instant_format(usec, text);
    buf_addc(b, '"');
    buf_adds(b, text);
    buf_addc(b, '"');
}

const char *buf_str(struct buf *b)
{
    if (!b->data) {
        b->cap = 16;
        b->data = xmalloc(b->cap);
    }
    b->data[b->len] = '\0'; /* buf_reserve keeps one byte for it */
    return b->data;
}
