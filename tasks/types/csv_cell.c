/* SPDX-License-Identifier: MIT */
/* csv_cell.c: quoting, encoding and guarding of a CSV field. */
#include "csv_cell.h"

#include <stdint.h>
#include <string.h>

#include "scan.h"

/* What makes quotes necessary (RFC 4180, section 2, rule 6). */
static bool is_special(char c)
{
    return c == '"' || c == ',' || c == '\r' || c == '\n';
}

static bool has_special(const char *v, size_t len)
{
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t w = scan_load(v + i);
        if (scan_byte(w, '"') | scan_byte(w, ',') | scan_less(w, '\r' + 1))
            for (size_t k = i; k < i + 8; k++)
                if (is_special(v[k]))
                    return true;
    }
    for (; i < len; i++)
        if (is_special(v[i]))
            return true;
    return false;
}

/* Matches ^'*[=+\-@\t\r\n]: apostrophes count, so that taking one off again always gives the
 * value. */
static bool is_formula(const char *v, size_t len)
{
    size_t i = 0;
    while (i < len && v[i] == '\'')
        i++;
    return i < len && memchr("=+-@\t\r\n", v[i], 7);
}

/* With every quote doubled. */
static char *put_doubled(char *p, const char *v, size_t len)
{
    const char *end = v + len;
    while (v < end) {
        const char *quote = memchr(v, '"', (size_t)(end - v));
        if (!quote)
            return cell_put(p, v, (size_t)(end - v));
        p = cell_put(p, v, (size_t)(quote - v) + 1);
        *p++ = '"';
        v = quote + 1;
    }
    return p;
}

static bool needs_quotes(const struct csv_style *s, const char *v, size_t len)
{
    return !len || len > CSV_LARGE || has_special(v, len) ||
           (s->null_len == len && memcmp(s->null_text, v, len) == 0);
}

static char *put_text(char *p, const struct csv_style *s, bool guard, const char *v, size_t len)
{
    bool quotes = needs_quotes(s, v, len);
    if (quotes)
        *p++ = '"';
    if (guard && is_formula(v, len))
        *p++ = '\'';
    p = quotes ? put_doubled(p, v, len) : cell_put(p, v, len);
    if (quotes)
        *p++ = '"';
    return p;
}

/* Quotes what was written where it looks like NULL: some bytes are "NULL" in base64. */
static char *unlike_null(char *start, char *end, const struct csv_style *s)
{
    size_t len = (size_t)(end - start);
    if (len != s->null_len || memcmp(start, s->null_text, len) != 0)
        return end;
    memmove(start + 1, start, len);
    start[0] = start[len + 1] = '"';
    return end + 2;
}

const char *csv_null(struct arena *arena, const char *text, size_t *len)
{
    size_t n = text ? strlen(text) : 0;
    char *field = arena_calloc(arena, 2 * n + 3, 1), *p = field;
    struct csv_style none = {0};
    if (n)
        p = put_text(p, &none, false, text, n);
    *len = (size_t)(p - field);
    return field;
}

char *csv_cell(char *p, const struct csv_style *s, enum cell_kind kind, const char *value,
               size_t len)
{
    if (!value)
        return s->null_len ? cell_put(p, s->null_text, s->null_len) : p;
    if (kind == CELL_TEXT || kind == CELL_JSON || !len)
        return put_text(p, s, s->guard && kind == CELL_TEXT, value, len);
    char *end = kind == CELL_PLAIN ? cell_put(p, value, len)
                : kind == CELL_BIT ? cell_bit(p, value, len)
                                   : cell_bytes(p, kind, value, len);
    return s->null_len ? unlike_null(p, end, s) : end;
}

void csv_stream_begin(struct csv_stream *t, const struct csv_style *s, enum cell_kind kind)
{
    t->kind = kind;
    t->quote = kind == CELL_TEXT || kind == CELL_JSON ? "\"" : "";
    t->guard = s->guard && kind == CELL_TEXT;
}

char *csv_stream_add(struct csv_stream *t, char *p, const char *data, size_t len)
{
    if (t->kind == CELL_BASE64 || t->kind == CELL_HEX)
        return cell_bytes(p, t->kind, data, len);
    if (t->guard) {
        /* One more apostrophe among those at the beginning is the same wherever it stands. */
        size_t run = 0;
        while (run < len && data[run] == '\'')
            run++;
        if (run < len) {
            if (is_formula(data + run, 1))
                *p++ = '\'';
            t->guard = false;
        }
    }
    return *t->quote ? put_doubled(p, data, len) : cell_put(p, data, len);
}
