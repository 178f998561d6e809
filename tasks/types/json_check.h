/* SPDX-License-Identifier: MIT */
/* json_check.h: whether text of any length, in parts, is one JSON value by the grammar of RFC 8259.
 * Knows no values: a member may come twice, a number be as large as it likes. */
#ifndef TASKS_TYPES_JSON_CHECK_H
#define TASKS_TYPES_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Deeper text is refused; servers know 32 (MariaDB) or 100 (MySQL) levels. */
enum { JSON_CHECK_DEPTH = 128 };

struct json_check {
    unsigned char state;
    unsigned char digits;   /* still to come of a \uXXXX */
    const char *word;       /* still to come of true, false or null */
    bool member;            /* the present string is a member's name */
    unsigned depth;
    bool object[JSON_CHECK_DEPTH]; /* per open level: an object, else an array */
};

void json_check_begin(struct json_check *c);

/* False once it can be no JSON any more, whatever comes. PART is whole characters. */
bool json_check_add(struct json_check *c, const char *part, size_t len);

/* Whether what was added is one whole value. */
bool json_check_end(struct json_check *c);

#endif
