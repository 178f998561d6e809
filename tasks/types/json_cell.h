/* SPDX-License-Identifier: MIT */
/* json_cell.h: one value as JSON (RFC 8259). Pure functions over memory; knows no row and no file. */
#ifndef TASKS_TYPES_JSON_CELL_H
#define TASKS_TYPES_JSON_CELL_H

#include "cell.h"

enum json_kind {
    JSON_NUMBER, /* the server's digits, without the zeros that ZEROFILL puts before them */
    JSON_BOOLEAN,
    JSON_PLAIN, /* a string in which nothing needs escaping: dates and times */
    JSON_TEXT,  /* a string */
    JSON_JSON,  /* JSON itself; text that is none becomes a string */
    JSON_BASE64,
    JSON_HEX,
    JSON_BIT, /* a BIT value's bytes, as a number */
};

enum json_kind json_kind_of(const struct db_column *c, bool hex, bool boolean);

/* Bytes that json_cell may write for a value of LEN bytes: each may become \u00XX, and there are
 * quotes, padding, a number of 64 bits. */
static inline size_t json_room(size_t len)
{
    return 6 * len + 24;
}

/* Writes the value (NULL: null) to P, which has json_room; returns its end. */
char *json_cell(char *p, const struct db_column *c, enum json_kind kind, const char *value,
                size_t len);

/* Text as the inside of a string: 6 * LEN + 8 bytes of room. A byte that is no UTF-8 becomes U+FFFD.
 * Parts of text, each of whole characters, can be joined. */
char *json_text(char *p, const char *text, size_t len);

/* A part of a JSON text, valid or not: LEN bytes of room. Line breaks, which can only stand between
 * its tokens, become spaces, so that a row stays one line. */
char *json_copy(char *p, const char *text, size_t len);

/* Whether V is a number by the grammar of RFC 8259, section 6. */
bool json_is_number(const char *v, size_t len);

#endif
