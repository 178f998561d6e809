/* SPDX-License-Identifier: MIT */
/* row_source_impl.h: what the files of the row source share; included nowhere else. */
#ifndef TASKS_TYPES_ROW_SOURCE_IMPL_H
#define TASKS_TYPES_ROW_SOURCE_IMPL_H

#include "ahead.h"
#include "key.h"
#include "page_sql.h"
#include "row_count.h"
#include "row_source.h"

/* A row with long values, read alone. Invariant: active while the row that next gave out is this
 * one; the arrays have an entry per column. */
struct long_row {
    bool active;
    bool own_snapshot; /* a transaction of its own holds the row still while it is read */
    char *copy;        /* the short values */
    size_t copy_cap;
    char **values;
    unsigned long *lengths;
    bool *is_long;
    uint64_t *units; /* characters or bytes of a long value */
    uint64_t *done;  /* of them read */
    const char **slice_sql;
    struct db_rows *slice;
};

/* Invariants: page is NULL between pages; rows counts what was given out and key holds the last of
 * them, so that reading can go on behind it at any time. */
struct row_source {
    struct run *run;
    struct run_outcome *outcome;
    struct source_pool *pool;
    const struct export *export;
    struct db *db; /* NULL while the connection is lost */
    struct db_value *params; /* the query's, with room behind them for a key and a number */
    unsigned bind_count;
    struct db_column *columns;
    unsigned column_count;

    bool keyed;
    bool snapshot;     /* one transaction for all of it */
    bool altered;      /* the session has been changed: not kept for the next task */
    struct page_query query;
    struct page_sql sql;
    struct key key;
    struct db_rows *page;
    bool unseen; /* whether a row behind the last one has its key, too */
    bool at_end;
    uint64_t page_limit; /* rows to ask for */
    uint64_t page_rows;  /* given out of this page */
    uint64_t page_bytes;
    int64_t page_asked_ns;
    int64_t page_start_ns; /* when its first row was there */
    double last_page_rows; /* of the page before: see adapt */
    double last_page_ns;
    double row_ns; /* what a row costs; 0 = not known */
    struct long_row long_row;
    struct ahead ahead;

    uint64_t rows;
    unsigned losses; /* of the connection since the last row */
    unsigned rows_since_tick;
    size_t bytes_since_tick;
    int64_t start_ns;
    int64_t tick_ns;     /* when the clock was looked at */
    int64_t deadline_ns; /* 0 = none: when the read view gets too old */
    int64_t next_progress_ns;
    struct row_count count;
    const char *count_sql;
};

/* Puts a database failure into the outcome and the log. Returns negative. */
int row_source_failed(struct row_source *s, const struct error *e);

/* Looks at clock and stop flag, tells of progress. Negative where the run must end. */
int row_source_tick(struct row_source *s);

/* Sets a new connection up for reading. */
int row_source_session(struct row_source *s, struct error *e) MUST_USE;

/* Makes waits on D end when the run should. */
void row_source_watch(struct row_source *s, struct db *d);

/* Opens SQL with the COUNT values that stand in s->params. */
int row_source_query(struct row_source *s, const char *sql, unsigned count, struct db_rows **out,
                     struct error *e) MUST_USE;

void long_row_init(struct row_source *s);
void long_row_free(struct row_source *s);

/* Reads the row behind the key alone: 1, 0 where there is none, or a negative enum err. */
int long_row_read(struct row_source *s, struct row *row, struct error *e) MUST_USE;

/* Done with the row. */
void long_row_end(struct row_source *s);

#endif
