/* SPDX-License-Identifier: MIT */
/* url.h: the part of a URL behind the question mark, as names and values. */
#ifndef FCGI_URL_H
#define FCGI_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"

enum { URL_QUERY_MAX = 32 };

struct url_query {
    struct {
        const char *name;
        const char *value;
    } items[URL_QUERY_MAX];
    size_t count;
};

/* Percent-decodes TEXT[0..len) into memory of ARENA; '+' becomes a space where PLUS is set. NULL for a
 * malformed escape, U+0000 and what is not UTF-8. */
const char *percent_decode(const char *text, size_t len, bool plus, struct arena *arena);

/* What was wrong with a query. */
enum url_fault { URL_GOOD, URL_UNKNOWN, URL_MALFORMED };

/* Reads application/x-www-form-urlencoded TEXT. Names must stand in ALLOWED ("a,b,c"), each once. E says
 * which parameter is wrong. Strings live in ARENA. */
enum url_fault url_query_parse(const char *text, const char *allowed, struct arena *arena,
                                 struct url_query *out, struct error *e) MUST_USE;

/* NULL where it was not given. */
const char *url_query_get(const struct url_query *q, const char *name);

/* --- values: each returns 0, or ERR_INVALID with a sentence in E; *OUT stays where not given ------- */

int url_query_integer(const struct url_query *q, const char *name, int64_t min, int64_t max, int64_t *out,
                  struct error *e) MUST_USE;
int url_query_instant(const struct url_query *q, const char *name, int64_t *out, struct error *e) MUST_USE;

/* Splits the value at commas; at most MAX parts, none of them empty. */
int url_query_list(const struct url_query *q, const char *name, struct arena *arena, const char **out,
               size_t max, size_t *count, struct error *e) MUST_USE;

#endif
