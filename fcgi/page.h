/* SPDX-License-Identifier: MIT */
/* page.h: keyset paging of lists by id, newest first: limit and after in, next and Link out. */
#ifndef FCGI_PAGE_H
#define FCGI_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct exchange;

struct page {
    size_t limit;
    uint64_t before_id; /* 0 = from the top */
    uint64_t next;      /* set by the store: where the next page begins; 0 = there is none */
};

/* Reads limit and after; LIST binds the cursor. False: refused with 400. */
bool page_read(struct exchange *x, const char *list, struct page *out) MUST_USE;

/* Ends the object that stands in the body with "next", at the end null or, unless ALWAYS, left out; and
 * makes the answer a 200 with its Link. */
void page_finish(struct exchange *x, const char *list, const struct page *p, bool always);

#endif
