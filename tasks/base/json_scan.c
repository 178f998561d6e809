/* SPDX-License-Identifier: MIT */
/* json_scan.c: checks that a text is strict JSON. Builds nothing; json.c parses what has passed. */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "json_names.h"

enum { DEPTH_LIMIT = 1024, NUMBER_MAX = 1000 };

/* What may come next. */
enum expect {
    VALUE,
    VALUE_OR_END, /* behind [ */
    NAME,         /* behind a comma in an object */
    NAME_OR_END,  /* behind { */
    COLON,
    COMMA_OR_END,
    NOTHING, /* behind the whole value */
};

struct scan {
    const unsigned char *text;
    const unsigned char *p;
    const unsigned char *end;
    struct error *error;
    struct json_names names; /* of all objects that are open */
    unsigned depth;          /* arrays and objects that are open */
    unsigned depth_max;
    bool is_object[DEPTH_LIMIT];
    size_t first_name[DEPTH_LIMIT]; /* of the object at this depth, in names */
};

/* Sets the error "line L, column C: ..." for the place AT. Columns count characters. */
static int PRINTF_LIKE(3, 4)
    fail(struct scan *s, const unsigned char *at, const char *fmt, ...)
{
    unsigned long line = 1, column = 1;
    for (const unsigned char *p = s->text; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if ((*p & 0xc0) != 0x80) {
            column++;
        }
    }
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return error_set(s->error, ERR_INVALID, "line %lu, column %lu: %s", line, column, text);
}

/* --- strings --------------------------------------------------------------------------------- */

/* The value of the four hex digits at P, or -1. */
static int hex4(const unsigned char *p, const unsigned char *end)
{
    return end - p < 4 ? -1 : hex_four(p);
}

/* Reads the escape at s->p (its backslash). */
static int scan_escape(struct scan *s, bool is_name)
{
    const unsigned char *start = s->p;
    if (s->end - s->p < 2)
        return fail(s, start, "the string is not closed");
    if (s->p[1] != 'u') {
        if (!strchr("\"\\/bfnrt", s->p[1]) || !s->p[1])
            return fail(s, start, "there is no such escape in JSON");
        s->p += 2;
        return 0;
    }
    int unit = hex4(s->p + 2, s->end);
    if (unit < 0)
        return fail(s, start, "\\u must be followed by four hexadecimal digits");
    if (unit == 0 && is_name)
        return fail(s, start, "U+0000 is not accepted in a member's name");
    s->p += 6;
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return fail(s, start, "a low surrogate without a high one before it");
    if (unit < 0xd800 || unit > 0xdbff)
        return 0;
    int low = s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'u' ? hex4(s->p + 2, s->end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return fail(s, start, "a high surrogate without a low one behind it");
    s->p += 6;
    return 0;
}

/* Moves behind the string at s->p (its quote). */
static int scan_string(struct scan *s, bool is_name)
{
    const unsigned char *start = s->p++;
    while (s->p < s->end) {
        unsigned char c = *s->p;
        if (c == '"') {
            s->p++;
            return 0;
        }
        if (c == '\\') {
            int rc = scan_escape(s, is_name);
            if (rc)
                return rc;
            continue;
        }
        if (c < 0x20)
            return fail(s, s->p, "the control character U+%04X must be escaped in a string", c);
        size_t n = c < 0x80 ? 1 : utf8_sequence(s->p, (size_t)(s->end - s->p));
        if (!n)
            return fail(s, s->p, "bytes that are not UTF-8");
        s->p += n;
    }
    return fail(s, start, "the string is not closed");
}

/* --- numbers --------------------------------------------------------------------------------- */

static bool skip_digits(struct scan *s)
{
    const unsigned char *start = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > start;
}

/* Whether the digits fit int64 (NEGATIVE) or uint64. */
static bool integer_fits(const unsigned char *p, const unsigned char *end, bool negative)
{
    uint64_t n = 0;
    for (; p < end; p++)
        if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
            __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return false;
    return !negative || n <= UINT64_C(9223372036854775808);
}

static bool double_fits(const unsigned char *start, size_t len)
{
    char text[NUMBER_MAX + 1];
    memcpy(text, start, len);
    text[len] = '\0';
    return isfinite(strtod(text, NULL)); /* our programs keep the C locale */
}

/* Moves behind the number at s->p. RFC 8259 section 6. */
static int scan_number(struct scan *s)
{
    const unsigned char *start = s->p;
    bool negative = *s->p == '-', real = false;
    s->p += negative;
    const unsigned char *digits = s->p;
    if (!skip_digits(s))
        return fail(s, start, "a number needs a digit behind the minus");
    if (*digits == '0' && s->p - digits > 1)
        return fail(s, start, "a number must not begin with 0");
    const unsigned char *digits_end = s->p;
    if (s->p < s->end && *s->p == '.') {
        real = true;
        s->p++;
        if (!skip_digits(s))
            return fail(s, start, "a number needs a digit behind the point");
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        real = true;
        s->p++;
        s->p += s->p < s->end && (*s->p == '+' || *s->p == '-');
        if (!skip_digits(s))
            return fail(s, start, "a number needs a digit in its exponent");
    }
    size_t len = (size_t)(s->p - start);
    if (len > NUMBER_MAX)
        return fail(s, start, "a number of more than %d characters", NUMBER_MAX);
    if (!real && !integer_fits(digits, digits_end, negative))
        return fail(s, start, "an integer beyond 64 bits");
    if (real && !double_fits(start, len))
        return fail(s, start, "a number beyond the range of double precision");
    return 0;
}

/* --- values ---------------------------------------------------------------------------------- */

static int scan_word(struct scan *s)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t left = (size_t)(s->end - s->p);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t len = strlen(words[i]);
        if (left >= len && memcmp(s->p, words[i], len) == 0) {
            s->p += len;
            return 0;
        }
    }
    return fail(s, s->p, "here a value is expected");
}

static int open_container(struct scan *s, enum expect *expect)
{
    bool object = *s->p == '{';
    if (s->depth >= s->depth_max)
        return fail(s, s->p, "arrays and objects are nested more than %u deep", s->depth_max);
    s->is_object[s->depth] = object;
    s->first_name[s->depth] = s->names.count;
    s->depth++;
    s->p++;
    *expect = object ? NAME_OR_END : VALUE_OR_END;
    return 0;
}

static int close_container(struct scan *s, enum expect *expect)
{
    size_t first = s->first_name[--s->depth];
    if (s->is_object[s->depth]) {
        const unsigned char *again = json_names_duplicate(&s->names, first);
        if (again)
            return fail(s, again, "a member of this name is in the object already");
        s->names.count = first;
    }
    s->p++;
    *expect = s->depth ? COMMA_OR_END : NOTHING;
    return 0;
}

static int scan_name(struct scan *s, enum expect *expect)
{
    const unsigned char *start = s->p;
    if (*start != '"')
        return fail(s, start, "here the name of a member is expected, in double quotes");
    int rc = scan_string(s, true);
    if (rc)
        return rc;
    json_names_add(&s->names, start + 1, (size_t)(s->p - start) - 2);
    *expect = COLON;
    return 0;
}

static int scan_value(struct scan *s, enum expect *expect)
{
    int rc;
    unsigned char c = *s->p;
    if (c == '{' || c == '[')
        return open_container(s, expect);
    if (c == '"')
        rc = scan_string(s, false);
    else if (c == '-' || (c >= '0' && c <= '9'))
        rc = scan_number(s);
    else
        rc = scan_word(s);
    *expect = s->depth ? COMMA_OR_END : NOTHING;
    return rc;
}

/* One token at s->p, which is not white space. */
static int step(struct scan *s, enum expect *expect)
{
    unsigned char c = *s->p;
    bool object = s->depth && s->is_object[s->depth - 1];
    switch (*expect) {
    case NAME_OR_END:
        return c == '}' ? close_container(s, expect) : scan_name(s, expect);
    case NAME:
        return scan_name(s, expect);
    case VALUE_OR_END:
        return c == ']' ? close_container(s, expect) : scan_value(s, expect);
    case VALUE:
        return scan_value(s, expect);
    case COLON:
        if (c != ':')
            return fail(s, s->p, "here a colon is expected");
        s->p++;
        *expect = VALUE;
        return 0;
    case COMMA_OR_END:
        if (c == (object ? '}' : ']'))
            return close_container(s, expect);
        if (c != ',')
            return fail(s, s->p, "here a comma or %c is expected", object ? '}' : ']');
        s->p++;
        *expect = object ? NAME : VALUE;
        return 0;
    case NOTHING:
        break;
    }
    return fail(s, s->p, "more text behind the end of the value");
}

int json_scan(const char *text, size_t len, unsigned depth, struct error *e)
{
    const unsigned char *start = (const unsigned char *)text;
    struct scan s = {.text = start, .p = start, .end = start + len, .error = e};
    s.depth_max = depth < DEPTH_LIMIT ? depth : DEPTH_LIMIT;
    enum expect expect = VALUE;
    int rc = 0;
    while (!rc) {
        while (s.p < s.end && (*s.p == ' ' || *s.p == '\n' || *s.p == '\r' || *s.p == '\t'))
            s.p++;
        if (s.p == s.end)
            break;
        rc = step(&s, &expect);
    }
    if (!rc && expect != NOTHING)
        rc = fail(&s, s.end, "the text ends before the value is complete");
    json_names_free(&s.names);
    return rc;
}
