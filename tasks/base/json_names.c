/* SPDX-License-Identifier: MIT */
/* json_names.c: finds duplicate member names by sorting, so that no choice of names makes it
 * slow. */
#include "json_names.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/mem.h"

/* Reads a checked name byte by byte, escapes decoded to UTF-8. */
struct reader {
    const unsigned char *p;
    const unsigned char *end;
    unsigned char pending[4];
    unsigned count, at;
};

static void set_pending(struct reader *r, uint32_t c)
{
    r->at = 0;
    if (c < 0x80) {
        r->pending[0] = (unsigned char)c;
        r->count = 1;
        return;
    }
    r->count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (unsigned i = r->count - 1; i > 0; i--, c >>= 6)
        r->pending[i] = (unsigned char)(0x80 | (c & 0x3f));
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    r->pending[0] = (unsigned char)(lead[r->count] | c);
}

/* Decodes the escape behind the backslash at r->p. */
static void read_escape(struct reader *r)
{
    unsigned char c = r->p[1];
    r->p += 2;
    switch (c) {
    case 'b':
        c = '\b';
        break;
    case 'f':
        c = '\f';
        break;
    case 'n':
        c = '\n';
        break;
    case 'r':
        c = '\r';
        break;
    case 't':
        c = '\t';
        break;
    default:
        break;
    }
    if (c != 'u') {
        set_pending(r, c);
        return;
    }
    uint32_t code = (uint32_t)hex_four(r->p);
    r->p += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
        code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)hex_four(r->p + 2) - 0xdc00);
        r->p += 6;
    }
    set_pending(r, code);
}

/* The next byte, or -1 at the end. */
static int next_byte(struct reader *r)
{
    if (r->at < r->count)
        return r->pending[r->at++];
    if (r->p == r->end)
        return -1;
    if (*r->p != '\\')
        return *r->p++;
    read_escape(r);
    return r->pending[r->at++];
}

static int compare_decoded(const struct json_name *a, const struct json_name *b)
{
    struct reader x = {.p = a->text, .end = a->text + a->len};
    struct reader y = {.p = b->text, .end = b->text + b->len};
    for (;;) {
        int c = next_byte(&x), d = next_byte(&y);
        if (c != d)
            return c - d;
        if (c < 0)
            return 0;
    }
}

/* Equal names in the order of the text. */
static int compare_names(const void *a, const void *b)
{
    const struct json_name *x = a, *y = b;
    int rc = compare_decoded(x, y);
    return rc ? rc : (x->text > y->text) - (x->text < y->text);
}

const unsigned char *json_names_duplicate(struct json_names *n, size_t first)
{
    const unsigned char *found = NULL;
    if (n->count - first < 2)
        return NULL;
    qsort(n->items + first, n->count - first, sizeof *n->items, compare_names);
    for (size_t i = first + 1; i < n->count; i++)
        if (compare_decoded(&n->items[i - 1], &n->items[i]) == 0 &&
            (!found || n->items[i].text < found))
            found = n->items[i].text;
    return found;
}

void json_names_add(struct json_names *n, const unsigned char *text, size_t len)
{
    if (n->count == n->cap) {
        n->cap = n->cap ? 2 * n->cap : 32;
        n->items = xrealloc(n->items, n->cap * sizeof *n->items);
    }
    n->items[n->count++] = (struct json_name){text, len};
}

void json_names_free(struct json_names *n)
{
    free(n->items);
    *n = (struct json_names){0};
}
