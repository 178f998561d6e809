/* SPDX-License-Identifier: MIT */
/* long_row.c: a row whose long values are read piece by piece, by the row's key, in one read view.
 * */
#include <stdlib.h>
#include <string.h>

#include "row_source_impl.h"

/* One piece: characters of text (at most 4 bytes each), or bytes, a multiple of 3. The client library
 * holds it whole, and the server reads the whole value for each piece: as large as memory allows. */
enum { SLICE_CHARS = 4 * 1024 * 1024, SLICE_BYTES = 12 * 1024 * 1024 };

void long_row_init(struct row_source *s)
{
    struct long_row *l = &s->long_row;
    struct arena *a = run_arena(s->run);
    l->values = arena_calloc(a, s->column_count, sizeof *l->values);
    l->lengths = arena_calloc(a, s->column_count, sizeof *l->lengths);
    l->is_long = arena_calloc(a, s->column_count, sizeof *l->is_long);
    l->units = arena_calloc(a, s->column_count, sizeof *l->units);
    l->done = arena_calloc(a, s->column_count, sizeof *l->done);
    l->slice_sql = arena_calloc(a, s->column_count, sizeof *l->slice_sql);
}

void long_row_free(struct row_source *s)
{
    free(s->long_row.copy);
    s->long_row.copy = NULL;
}

/* The row's values must outlive the result, because pieces are read over the same connection. */
static void copy_row(struct row_source *s, char *const *values, const unsigned long *lengths)
{
    struct long_row *l = &s->long_row;
    size_t size = 0;
    for (unsigned i = 0; i < s->column_count; i++)
        size += lengths[i] + 1;
    if (size > l->copy_cap) {
        l->copy = xrealloc(l->copy, size);
        l->copy_cap = size;
    }
    char *p = l->copy;
    unsigned extra = s->column_count; /* the lengths of long values stand behind the columns */
    for (unsigned i = 0; i < s->column_count; i++) {
        l->values[i] = values[i] ? p : NULL;
        l->lengths[i] = lengths[i];
        if (values[i])
            memcpy(p, values[i], lengths[i]);
        p += lengths[i];
        *p++ = '\0';
        const char *units = s->query.is_long[i] ? values[extra++] : NULL;
        l->is_long[i] = units != NULL;
        l->units[i] = units ? strtoull(units, NULL, 10) : 0;
        l->done[i] = 0;
    }
}

int long_row_read(struct row_source *s, struct row *row, struct error *e)
{
    struct long_row *l = &s->long_row;
    struct db_rows *rows = NULL;
    int rc = 0;
    if (!s->snapshot) {
        rc = db_begin_snapshot(s->db, e);
        l->own_snapshot = rc == 0;
    }
    if (!rc) {
        unsigned n = s->bind_count;
        if (s->key.has_last)
            n += key_after(&s->key, s->params + n);
        s->params[n++] = db_uint(1);
        rc = row_source_query(s, s->key.has_last ? s->sql.long_next : s->sql.long_first, n, &rows,
                              e);
    }
    char **values;
    unsigned long *lengths;
    if (!rc)
        rc = db_rows_next(rows, &values, &lengths, e);
    if (rc == 1) {
        copy_row(s, values, lengths);
        l->active = true;
        *row = (struct row){.values = l->values, .lengths = l->lengths, .is_long = l->is_long};
        for (unsigned i = 0; i < s->column_count; i++)
            row->bytes += l->lengths[i];
    }
    db_rows_close(&rows);
    if (rc != 1)
        long_row_end(s);
    return rc;
}

void long_row_end(struct row_source *s)
{
    struct long_row *l = &s->long_row;
    db_rows_close(&l->slice);
    l->active = false;
    if (l->own_snapshot && s->db)
        db_rollback(s->db);
    l->own_snapshot = false;
}

/* Reads up to STEP units of COLUMN into l->slice. */
static int read_slice(struct row_source *s, unsigned column, uint64_t step, char **data,
                      unsigned long *len, struct error *e)
{
    struct long_row *l = &s->long_row;
    if (!l->slice_sql[column])
        l->slice_sql[column] = page_sql_slice(&s->query, column, run_arena(s->run));
    /* these parameters stand before the query's */
    struct db_value *params = s->params;
    unsigned n = s->bind_count;
    memmove(params + 2, params, n * sizeof *params);
    params[0] = db_uint(l->done[column] + 1);
    params[1] = db_uint(step);
    unsigned keys = key_equal(&s->key, params + 2 + n);
    int rc = row_source_query(s, l->slice_sql[column], 2 + n + keys, &l->slice, e);
    memmove(params, params + 2, n * sizeof *params);
    if (rc)
        return rc;
    char **values;
    unsigned long *lengths;
    rc = db_rows_next(l->slice, &values, &lengths, e);
    if (rc < 0)
        return rc;
    if (rc == 0 || !values[0] || !lengths[0])
        return error_set(e, ERR_DB, "a long value of column \"%s\" cannot be read again",
                         s->columns[column].name);
    *data = values[0];
    *len = lengths[0];
    return 0;
}

void row_source_rewind(struct row_source *s, unsigned column)
{
    s->long_row.done[column] = 0;
}

int row_source_slice(struct row_source *s, unsigned column, const char **data, size_t *len)
{
    struct long_row *l = &s->long_row;
    db_rows_close(&l->slice);
    int rc = row_source_tick(s);
    if (rc)
        return rc;
    bool bytes = s->columns[column].type == DB_TYPE_BYTES;
    uint64_t step = bytes ? SLICE_BYTES : SLICE_CHARS;
    uint64_t left = l->units[column] - l->done[column];
    if (!left)
        return 0;
    if (step > left)
        step = left;
    char *p = NULL;
    unsigned long n = 0;
    struct error e = {0};
    rc = read_slice(s, column, step, &p, &n, &e);
    if (!rc && bytes && n != step)
        rc = error_set(&e, ERR_DB, "a long value of column \"%s\" is cut short",
                       s->columns[column].name);
    if (rc)
        return row_source_failed(s, &e);
    l->done[column] += step;
    *data = p;
    *len = n;
    return 1;
}
