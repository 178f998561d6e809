/* SPDX-License-Identifier: MIT */
/* cell.h: what formats of text have in common: how a column's values are written, and bytes and
 * bits as text. Each writer returns the end of what it wrote. */
#ifndef TASKS_TYPES_CELL_H
#define TASKS_TYPES_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "db/rows.h"

enum cell_kind {
    CELL_PLAIN,  /* numbers, dates: the server's text, nothing in it needs quoting */
    CELL_TEXT,
    CELL_JSON,   /* text that the server itself has written */
    CELL_BASE64, /* bytes */
    CELL_HEX,
    CELL_BIT, /* a BIT value's bytes, as a decimal number */
};

enum cell_kind cell_kind_of(const struct db_column *c, bool hex);

/* What an integer's text or a BIT value's bytes mean as a boolean. */
bool cell_is_true(const struct db_column *c, const char *v, size_t len);

enum { CELL_BIT_ROOM = 20 };

static inline char *cell_put(char *p, const char *s, size_t len)
{
    memcpy(p, s, len);
    return p + len;
}

/* KIND is CELL_BASE64 or CELL_HEX. The base64 of parts can be joined where each but the last has a
 * multiple of 3 bytes. */
char *cell_bytes(char *p, enum cell_kind kind, const char *v, size_t len);

/* LEN is at most 8; P has CELL_BIT_ROOM. */
char *cell_bit(char *p, const char *v, size_t len);

#endif
