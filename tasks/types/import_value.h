/* SPDX-License-Identifier: MIT */
/* import_value.h: a field of a CSV file as the value of a column: the inverse of what exports write, and every
 * reason why it cannot be one. Pure functions over memory. */
#ifndef TASKS_TYPES_IMPORT_VALUE_H
#define TASKS_TYPES_IMPORT_VALUE_H

#include <stdbool.h>

#include "base/mem.h"
#include "csv_read.h"
#include "db/db.h"
#include "import_table.h"

/* What holds for all fields of an import. */
struct import_style {
    bool guard;
    bool hex;
    const char *null_text; /* as it stands in the file, of csv_null; besides the empty field */
    size_t null_len;
};

/* Reads F (NULL: the file has no such column) for C into *OUT, whose memory is F's or ARENA's. NULL, or one
 * line that says what it must be. */
const char *import_value(const struct import_style *s, const struct import_column *c, const struct csv_field *f,
                         struct arena *arena, struct db_value *out);

#endif
