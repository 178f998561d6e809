/* SPDX-License-Identifier: MIT */
/* row_count.c: the total for the progress. */
#include "row_count.h"

#include <stdlib.h>

#include "db/rows.h"

enum { COUNT_MSEC = 2000 }; /* the most that the server may spend on it */

static void ask(struct row_count *c, const struct source_def *source, const char *sql,
                const struct db_value *params, unsigned count)
{
    struct error ignored = {0};
    if (source_open(source, &c->db, &ignored) ||
        db_statement_timeout(c->db, COUNT_MSEC, &ignored) ||
        db_rows_send(c->db, sql, params, count, &ignored))
        row_count_close(c);
}

static void take_answer(struct row_count *c)
{
    struct error ignored = {0};
    struct db_rows *rows = NULL;
    char **values;
    unsigned long *lengths;
    if (db_rows_receive(c->db, &rows, &ignored) == 0 &&
        db_rows_next(rows, &values, &lengths, &ignored) == 1 && values[0])
        c->total = strtoull(values[0], NULL, 10);
    db_rows_close(&rows);
    row_count_close(c);
}

void row_count_poll(struct row_count *c, const struct source_def *source, const char *sql,
                    const struct db_value *params, unsigned count)
{
    if (c->done)
        return;
    if (!c->db) {
        ask(c, source, sql, params, count);
        return;
    }
    struct error ignored = {0};
    int ready = db_rows_ready(c->db, 0, &ignored);
    if (ready > 0)
        take_answer(c);
    else if (ready < 0)
        row_count_close(c);
}

void row_count_close(struct row_count *c)
{
    c->done = true;
    db_close(&c->db);
}
