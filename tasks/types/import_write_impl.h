/* SPDX-License-Identifier: MIT */
/* import_write_impl.h: what the files of the writer share. */
#ifndef TASKS_TYPES_IMPORT_WRITE_IMPL_H
#define TASKS_TYPES_IMPORT_WRITE_IMPL_H

#include "import_write.h"

enum { INSERT_SIZES = 12 };

struct import_stage;

/* Invariant: inserts[i] takes sizes[i] rows, the largest first, the last one 1. With bulk only that one is there, and
 * takes any number of rows. */
struct import_writer {
    struct db *db;
    const struct import_table *table;
    enum import_policy policy;
    struct db_value owner;
    size_t width;
    size_t sizes[INSERT_SIZES];
    unsigned size_count;
    bool bulk;
    struct db_stmt *inserts[INSERT_SIZES];
    struct db_stmt **lookups;    /* per key of the table; NULL: it has a column that is not written */
    struct db_stmt **updates;    /* likewise, with IMPORT_REPLACE */
    struct db_value *params;     /* room for a lookup or an update */
    struct import_stage *stage;  /* NULL: the server has none for this table */
    bool crowded;                /* the last rows met duplicates: the next ones may, too */
};

/* Whether the error that a statement gave is a row's own fault, so that the others may go on. */
bool import_row_fault(const struct error *e);

/* Whether all columns of the key are written. */
bool import_key_written(const struct import_table *t, const struct import_key *k);

/* Adds "col = <value>" for each column of the key, joined by AND. LEFT and RIGHT stand before the column's name on
 * either side; RIGHT NULL: a ? there. */
void import_add_match(struct buf *out, const struct import_table *t, const struct import_key *k, const char *left,
                      const char *right);

/* Adds "INSERT INTO `table` (columns)". */
void import_add_insert(struct buf *out, const char *table, const struct import_table *t, const char *more);

/* Adds "`table`.`column`". */
void import_add_place(struct buf *out, const struct import_table *t, const char *column);

/* Row by row: COUNT rows from AT on. */
int import_write_each(struct import_writer *w, struct import_batch *b, size_t at, size_t count,
                      struct error *e) MUST_USE;

/* --- import_stage.c ---------------------------------------------------------------------------------- */

/* A temporary table like the target, in which rows are compared with it by the server's own rules. NULL where
 * the server will not have it. Ends no transaction, but must not be called within one. */
struct import_stage *import_stage_open(struct import_writer *w);
void import_stage_close(struct import_stage **s); /* NULL is accepted */

/* Writes COUNT rows from AT on by way of the stage: 1, or 0 where that cannot be done and nothing has been. */
int import_stage_write(struct import_stage *s, struct import_batch *b, size_t at, size_t count,
                       struct error *e) MUST_USE;

#endif
