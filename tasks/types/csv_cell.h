/* SPDX-License-Identifier: MIT */
/* csv_cell.h: one value as a CSV field. Pure functions over memory; knows no row and no file. */
#ifndef TASKS_TYPES_CSV_CELL_H
#define TASKS_TYPES_CSV_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "cell.h"

struct csv_style {
    bool guard;
    const char *null_text; /* as it stands in the file, of csv_null */
    size_t null_len;
};

/* TEXT (NULL: none) as a field. A value that looks the same is quoted, so that the two differ. */
const char *csv_null(struct arena *arena, const char *text, size_t *len);

/* Bytes that a field may need for a value of LEN bytes. */
static inline size_t csv_room(const struct csv_style *s, size_t len)
{
    return 2 * len + s->null_len + 24; /* quotes, apostrophe, padding, a number of 64 bits */
}

/* Text is quoted where need be, and guarded against formulas: not so JSON, which begins none but a
 * negative number. */

/* Writes the field (VALUE NULL = SQL's NULL) to P, which has csv_room; returns its end. */
char *csv_cell(char *p, const struct csv_style *s, enum cell_kind kind, const char *value,
               size_t len);

/* Text longer than this is always quoted: where it comes in parts nobody knows yet whether it must
 * be, and the file should not depend on how a value was read. */
enum { CSV_LARGE = 8 * 1024 };

/* A value of any length, in parts. */
struct csv_stream {
    enum cell_kind kind;
    const char *quote; /* what stands before and behind it: "\"" or nothing */
    bool guard;        /* only apostrophes have come so far */
};

/* Not for CELL_BIT. */
void csv_stream_begin(struct csv_stream *t, const struct csv_style *s, enum cell_kind kind);

/* Writes the next part to P, which has 2 * LEN + 8 bytes; returns its end. Parts of
 * bytes are multiples of 3 but for the last. */
char *csv_stream_add(struct csv_stream *t, char *p, const char *data, size_t len);

#endif
