/* SPDX-License-Identifier: MIT */
/* import_batch.h: some rows of the file on their way into the table, and what became of those that were
 * rejected. */
#ifndef TASKS_TYPES_IMPORT_BATCH_H
#define TASKS_TYPES_IMPORT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "db/db.h"

enum import_policy { IMPORT_ERROR, IMPORT_SKIP, IMPORT_REPLACE }; /* the words of "duplicates" */

/* A row of the file; 1 is the first behind the header. */
struct import_row {
    uint64_t number, line;
    const char *text;
    size_t len;
};

struct import_reject {
    struct import_row row;
    const char *column; /* NULL: the row as a whole */
    const char *reason;
};

struct import_counts {
    uint64_t read, inserted, replaced, skipped, rejected;
};

/* How far an import is. */
struct import_state {
    uint64_t position, line; /* of the file, behind the last row that was read */
    struct import_counts counts;
    bool done;
};

/* Everything lives in ARENA. VALUES holds, for each of the COUNT rows, one per written column. */
struct import_batch {
    struct arena *arena;
    size_t width; /* values of a row */
    struct import_row *rows;
    struct db_value *values;
    size_t count, cap;
    struct import_reject *rejects;
    size_t reject_count, reject_cap;
    size_t parse_rejects;       /* the first of rejects: found before the table was asked */
    struct import_state behind; /* behind the last row; counts.read only */
    struct import_counts result;
};

void import_batch_clear(struct import_batch *b, size_t cap, size_t width);

/* REASON and COLUMN live as long as the batch; NULL: COLUMN none. */
void import_batch_reject(struct import_batch *b, const struct import_row *row, const char *column,
                         const char *reason);

/* As it was before the table was asked. */
void import_batch_rewind(struct import_batch *b);

/* Rejects in the order of the file; no rewind after that. */
void import_batch_sort(struct import_batch *b);

#endif
