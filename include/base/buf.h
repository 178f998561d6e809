/* SPDX-License-Identifier: MIT */
/* buf.h: the one output buffer. Appending never fails visibly: the first failure (the limit, bad
 * input) sticks in .err and everything after it is ignored; look once at the end. Quoting has a name
 * per target, so that escaped output is the easy way and raw output the visible exception. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Invariant: data[0..len) is the content; cap >= len; err is 0 or a negative enum err. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* bytes; 0 = no limit. Going over it sets ERR_LIMIT */
    int err;
};

#define BUF_INIT {NULL, 0, 0, 0, 0}

void buf_free(struct buf *b);                 /* frees the content and re-initialises; max stays */
void buf_clear(struct buf *b);                /* empties it, keeps the memory, clears err */
void buf_reserve(struct buf *b, size_t more); /* makes room for MORE further bytes */

void buf_add(struct buf *b, const void *data, size_t len); /* raw */
void buf_adds(struct buf *b, const char *s);               /* raw */
void buf_addc(struct buf *b, char c);                      /* raw */
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3); /* raw */
void buf_add_u64(struct buf *b, uint64_t n);
void buf_add_i64(struct buf *b, int64_t n);

/* Text as UTF-8: a byte that is not part of a well-formed sequence becomes U+FFFD. */
void buf_utf8(struct buf *b, const char *s, size_t len);

/* A JSON string with its quotes (RFC 8259 section 7). Input is UTF-8; a byte that is not part of a
 * well-formed sequence becomes U+FFFD. */
void buf_json(struct buf *b, const char *s, size_t len);
void buf_json_s(struct buf *b, const char *s); /* NUL-terminated; NULL becomes null */

/* Text for HTML content and double-quoted attributes: & < > " ' escaped. */
void buf_html(struct buf *b, const char *s, size_t len);

/* Percent-encodes everything outside RFC 3986's unreserved characters. */
void buf_percent(struct buf *b, const char *s, size_t len);

/* A name of an SQL statement in MySQL's backquotes. */
void buf_sql_name(struct buf *b, const char *name);

/* An instant in RFC 3339, UTC, microseconds, quoted for JSON; INSTANT_NONE becomes null. */
void buf_json_instant(struct buf *b, int64_t usec);

/* NUL behind the content (not counted in len) and returns data. Valid until the next append. */
const char *buf_str(struct buf *b);

#endif
