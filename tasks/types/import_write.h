/* SPDX-License-Identifier: MIT */
/* import_write.h: rows into the table. Many at a time where nothing stands against it; what does is found out row
 * by row, and told with its reason. Nobody else's row is ever changed. */
#ifndef TASKS_TYPES_IMPORT_WRITE_H
#define TASKS_TYPES_IMPORT_WRITE_H

#include "import_batch.h"
#include "import_table.h"

struct import_writer;

/* Writes to T over D; both must outlive it. The statements are prepared, and the rows of one are at most
 * ROWS_MAX. */
int import_writer_open(struct db *d, const struct import_table *t, int64_t owner, enum import_policy policy,
                       size_t rows_max, struct import_writer **out, struct error *e) MUST_USE;
void import_writer_close(struct import_writer **w); /* NULL is accepted */

/* Within a transaction: writes the batch, adds to its rejects, fills its result (but read). An error means that
 * the transaction must be rolled back. */
int import_write(struct import_writer *w, struct import_batch *b, struct error *e) MUST_USE;

#endif
