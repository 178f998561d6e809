/* SPDX-License-Identifier: MIT */
/* cursor.h: where a list goes on, as text of [A-Za-z0-9_-]. A cursor is bound to what was listed (scope),
 * and a changed one is noticed. It is a check against mistakes, not a secret: a cursor only says from
 * which id on, and whose rows are shown is decided anew for each request. */
#ifndef FCGI_CURSOR_H
#define FCGI_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "fcgi/url.h"

enum { CURSOR_TEXT_SIZE = 22 + 1 };

/* LIST names the list, USER who asks, QUERY the filters; limit and after are left out. Values are
 * compared as they were given. */
void cursor_make(const char *list, int64_t user, const struct url_query *query, uint64_t id,
                 char out[CURSOR_TEXT_SIZE]);

/* False where TEXT was not made by cursor_make for the same list, user and filters. */
bool cursor_read(const char *list, int64_t user, const struct url_query *query, const char *text,
                 uint64_t *id) MUST_USE;

#endif
