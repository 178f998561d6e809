/* SPDX-License-Identifier: MIT */
/* row_source.h: the rows of a configured export, for every format: in pages by its key or as one
 * read, of any length, with values of any length, across lost connections. Knows no format. */
#ifndef TASKS_TYPES_ROW_SOURCE_H
#define TASKS_TYPES_ROW_SOURCE_H

#include "db/rows.h"
#include "source.h"
#include "task/checkpoint.h"
#include "task/run.h"
#include "task/validate.h"

struct row_source;

/* Valid until the next call on the source. */
struct row {
    char **values;                /* NULL = SQL's NULL */
    const unsigned long *lengths; /* 0 for NULL */
    size_t bytes;                 /* their sum */
    const bool *is_long;          /* NULL = none is; else per column: see row_source_slice */
};

/* Connects, describes the result and gets ready to read it. A failure is in the run's outcome
 * already, here and below, with the detail in the run's log; the return value only says that there
 * was one. */
int row_source_open(struct run *r, struct source_pool *pool, const struct export_call *call,
                    struct run_outcome *outcome, struct row_source **out) MUST_USE;

/* As the query has them; they live as long as the run. */
const struct db_column *row_source_columns(const struct row_source *s, unsigned *count);

/* Next row: 1, 0 at the end, negative on failure. Tells of progress and looks whether the run
 * should stop, both by the clock. */
int row_source_next(struct row_source *s, struct row *row) MUST_USE;

/* The next piece of the present row's value in COLUMN, which is long: 1, 0 at its end, negative on
 * failure. Pieces of text hold whole characters, pieces of bytes a multiple of 3 bytes but for the
 * last. Valid until the next call on the source. */
int row_source_slice(struct row_source *s, unsigned column, const char **data,
                     size_t *len) MUST_USE;

/* The next piece of that value is its first again. */
void row_source_rewind(struct row_source *s, unsigned column);

/* Rows given out so far. */
uint64_t row_source_rows(const struct row_source *s);

/* The clock (clock_mono_ns) as next has last looked at it: a fraction of a second old, and free. */
int64_t row_source_clock(const struct row_source *s);

/* Whether reading can go on in another process: by a key, and not in one read view. */
bool row_source_can_resume(const struct row_source *s);

/* Fills C's rows and keys (none before the first row), which are valid until the next call on the source. */
void row_source_save(const struct row_source *s, struct checkpoint *c);

/* Before the first row: goes on behind what C says. False where C is of another key. */
bool row_source_resume(struct row_source *s, const struct checkpoint *c) MUST_USE;

/* Gives the connection back. NULL is accepted, *S becomes NULL. */
void row_source_close(struct row_source **s);

#endif
