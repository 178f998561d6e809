/* SPDX-License-Identifier: MIT */
/* page_sql.h: the statements around an operator's query by which a row source reads it page by
 * page. Text only; values never stand in it. */
#ifndef TASKS_TYPES_PAGE_SQL_H
#define TASKS_TYPES_PAGE_SQL_H

#include "base/mem.h"
#include "db/rows.h"

/* What the statements are made of. */
struct page_query {
    const char *text;        /* the operator's query with ?; it can stand in parentheses */
    const char *const *keys; /* names of the key's columns as the result has them */
    unsigned key_count;
    const struct db_column *columns;
    unsigned column_count;
    const bool *is_long; /* per column: may hold more than long_bytes; NULL = none can */
    uint64_t long_bytes;
};

/* Parameters, in order: those of the query, and behind them
 *   first: the number of rows
 *   next:  the last key, then the number of rows. The values of a key (a, b, c): a, a a, b b, c;
 *          of a key of one column: that one
 *   twin:  a key
 *   range: two values of a key of one column, then the number of rows */
struct page_sql {
    const char *first;
    const char *next;
    const char *twin; /* how many rows have this key: 0, 1, or 2 for more */
    /* Of a key of one column, else NULL: as next, but no farther than the second value; the last key. */
    const char *range;
    const char *last;
    /* The same rows as first and next, for one that holds long values: behind the columns the
     * number of characters (bytes, in a binary column) of each that is long, else NULL. */
    const char *long_first;
    const char *long_next;
};

/* Strings live in ARENA. The columns of first and next are those of the query, a long value is NULL
 * in them; where there are long columns one further column is 1 in a row that has a long value. */
void page_sql_build(const struct page_query *q, struct arena *arena, struct page_sql *out);

/* Asks for the columns only. */
const char *page_sql_describe(const char *query, struct arena *arena);
const char *page_sql_count(const char *query, struct arena *arena);

/* One piece of a long value: parameters are its first character from 1, the number of characters,
 * those of the query, a key. */
const char *page_sql_slice(const struct page_query *q, unsigned column, struct arena *arena);

#endif
