/* SPDX-License-Identifier: MIT */
/* import_write.c: writes rows in large statements, and those of a statement that the server has refused one by
 * one. */
#include "import_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_write_impl.h"

enum {
    VALUES_MAX = 2400, /* of one statement: the protocol's limit is 65,535, and each costs memory */
    BULK_ROWS = 1000,  /* of a bulk execution: more are not faster, and refused together */
    ERRNO_DUPLICATE = 1062,
};

/* Errors of the server that are a row's fault, and what to say of them. NULL: what the server says. */
static const struct {
    int number;
    const char *reason;
} row_faults[] = {
    {ERRNO_DUPLICATE, NULL},
    {1048, "must have a value"},
    {1153, "is too large for the server (max_allowed_packet)"},
    {1216, "names a row of another table that is not there"},
    {1217, "is a row that another table needs"},
    {1264, "is out of range"},
    {1265, "is no value that the column takes"},
    {1292, "is no value that the column takes"},
    {1300, "has characters that the column cannot hold"},
    {1364, "has no value for a column that must have one"},
    {1366, "is no value, or has characters, that the column cannot hold"},
    {1367, "is no value that the column takes"},
    {1406, "is too long"},
    {1411, "is no value that the column takes"},
    {1416, "is no geometry"},
    {1441, "is out of range"},
    {1451, "is a row that another table needs"},
    {1452, "names a row of another table that is not there"},
    {1525, "is no value that the column takes"},
    {1526, "has no partition of the table"},
    {1644, NULL}, /* SIGNAL of a trigger: made for whoever writes */
    {1690, "is out of range"},
    {3140, "is no valid JSON"},
    {3819, "breaks a rule (CHECK) of the table"},
    {3903, "is no value that the column takes"},
    {4025, "breaks a rule (CHECK) of the table"},
    {4078, "is no value that the column takes"},
};

static bool find_fault(int number, const char **reason)
{
    for (size_t i = 0; i < COUNT_OF(row_faults); i++)
        if (row_faults[i].number == number) {
            *reason = row_faults[i].reason;
            return true;
        }
    return false;
}

bool import_row_fault(const struct error *e)
{
    const char *reason;
    return (e->code == ERR_DB_REFUSED || e->code == ERR_DB) && find_fault(e->db_errno, &reason);
}

/* --- parts of statements ------------------------------------------------------------------------------ */

/* Where a written column stands in a row's values; -1: it is not written. */
static int written_place(const struct import_table *t, unsigned column)
{
    for (unsigned i = 0; i < t->written_count; i++)
        if (t->written[i] == column)
            return (int)i;
    return -1;
}

bool import_key_written(const struct import_table *t, const struct import_key *k)
{
    for (unsigned i = 0; i < k->count; i++)
        if (written_place(t, k->columns[i]) < 0)
            return false;
    return true;
}

static void add_side(struct buf *out, const char *before, const char *name, unsigned prefix)
{
    buf_adds(out, prefix ? "LEFT(" : "");
    if (before) {
        buf_adds(out, before);
        buf_sql_name(out, name);
    } else {
        buf_addc(out, '?');
    }
    if (prefix)
        buf_addf(out, ", %u)", prefix);
}

void import_add_match(struct buf *out, const struct import_table *t, const struct import_key *k, const char *left,
                      const char *right)
{
    for (unsigned i = 0; i < k->count; i++) {
        const char *name = t->columns[k->columns[i]].name;
        buf_adds(out, i ? " AND " : "");
        add_side(out, left, name, k->prefix[i]);
        buf_adds(out, " = ");
        add_side(out, right, name, k->prefix[i]);
    }
}

static void add_written(struct buf *out, const struct import_table *t)
{
    for (unsigned i = 0; i < t->written_count; i++) {
        buf_adds(out, i ? ", " : "");
        buf_sql_name(out, t->columns[t->written[i]].name);
    }
}

void import_add_insert(struct buf *out, const char *table, const struct import_table *t, const char *more)
{
    buf_adds(out, "INSERT INTO ");
    buf_sql_name(out, table);
    buf_addf(out, " (%s", more);
    add_written(out, t);
    buf_addc(out, ')');
}

void import_add_place(struct buf *out, const struct import_table *t, const char *column)
{
    buf_sql_name(out, t->name);
    buf_addc(out, '.');
    buf_sql_name(out, column);
}

/* The names of a key's columns, for a person. */
static const char *key_names(const struct import_table *t, const struct import_key *k, struct arena *arena)
{
    struct buf b = BUF_INIT;
    for (unsigned i = 0; i < k->count; i++)
        if (k->columns[i] != t->owner || k->count == 1)
            buf_addf(&b, "%s%s", b.len ? ", " : "", t->columns[k->columns[i]].header);
    char *names = arena_strdup(arena, buf_str(&b));
    buf_free(&b);
    return names;
}

/* --- preparing ------------------------------------------------------------------------------------------ */

static int prepare(struct import_writer *w, struct buf *sql, struct db_stmt **out, struct error *e)
{
    int rc = db_prepare(w->db, buf_str(sql), out, e);
    buf_free(sql);
    return rc;
}

static int prepare_insert(struct import_writer *w, size_t rows, struct db_stmt **out, struct error *e)
{
    struct buf sql = BUF_INIT;
    import_add_insert(&sql, w->table->name, w->table, "");
    for (size_t i = 0; i < rows; i++) {
        buf_adds(&sql, i ? ", (" : " VALUES (");
        for (size_t k = 0; k < w->width; k++)
            buf_adds(&sql, k ? ", ?" : "?");
        buf_addc(&sql, ')');
    }
    return prepare(w, &sql, out, e);
}

static int prepare_lookup(struct import_writer *w, unsigned key, struct error *e)
{
    const struct import_table *t = w->table;
    struct buf sql = BUF_INIT;
    buf_adds(&sql, "SELECT ");
    buf_sql_name(&sql, t->columns[t->owner].name);
    buf_adds(&sql, " <=> ? FROM ");
    buf_sql_name(&sql, t->name);
    buf_adds(&sql, " WHERE ");
    import_add_match(&sql, t, &t->keys[key], "", NULL);
    buf_adds(&sql, " FOR UPDATE");
    return prepare(w, &sql, &w->lookups[key], e);
}

/* One that counts keeps its number where the file leaves it to the server. */
static void add_assignment(struct buf *out, const struct import_column *c)
{
    buf_sql_name(out, c->name);
    buf_adds(out, " = ");
    if (!c->counts) {
        buf_addc(out, '?');
        return;
    }
    buf_adds(out, "COALESCE(?, ");
    buf_sql_name(out, c->name);
    buf_addc(out, ')');
}

static int prepare_update(struct import_writer *w, unsigned key, struct error *e)
{
    const struct import_table *t = w->table;
    struct buf sql = BUF_INIT;
    buf_adds(&sql, "UPDATE ");
    buf_sql_name(&sql, t->name);
    for (unsigned i = 0; i + 1 < t->written_count; i++) { /* the owner is the last */
        buf_adds(&sql, i ? ", " : " SET ");
        add_assignment(&sql, &t->columns[t->written[i]]);
    }
    buf_adds(&sql, " WHERE ");
    buf_sql_name(&sql, t->columns[t->owner].name);
    buf_adds(&sql, " <=> ? AND ");
    import_add_match(&sql, t, &t->keys[key], "", NULL);
    return prepare(w, &sql, &w->updates[key], e);
}

static int prepare_all(struct import_writer *w, size_t rows_max, struct error *e)
{
    const struct import_table *t = w->table;
    size_t rows = VALUES_MAX / w->width;
    int rc = 0;
    rows = rows > rows_max ? rows_max : rows < 1 ? 1 : rows;
    for (; rows && !rc && w->size_count < INSERT_SIZES; rows = rows > 4 ? rows / 4 : rows > 1) {
        w->sizes[w->size_count] = rows;
        if (rows == 1 || !w->bulk)
            rc = prepare_insert(w, rows, &w->inserts[w->size_count], e);
        w->size_count++;
        if (rows == 1)
            break;
    }
    for (unsigned i = 0; i < t->key_count && !rc; i++) {
        if (!import_key_written(t, &t->keys[i]))
            continue;
        rc = prepare_lookup(w, i, e);
        if (!rc && w->policy == IMPORT_REPLACE)
            rc = prepare_update(w, i, e);
    }
    return rc;
}

int import_writer_open(struct db *d, const struct import_table *t, int64_t owner, enum import_policy policy,
                       size_t rows_max, struct import_writer **out, struct error *e)
{
    struct import_writer *w = xcalloc(1, sizeof *w);
    w->db = d;
    w->table = t;
    w->policy = policy;
    w->bulk = db_takes_rows(d);
    w->owner = db_int(owner);
    w->width = t->written_count;
    w->lookups = xcalloc(t->key_count + 1, sizeof *w->lookups);
    w->updates = xcalloc(t->key_count + 1, sizeof *w->updates);
    w->params = xcalloc(2 * w->width + 2, sizeof *w->params);
    int rc = prepare_all(w, rows_max, e);
    if (!rc && policy != IMPORT_ERROR)
        w->stage = import_stage_open(w);
    if (rc)
        import_writer_close(&w);
    *out = w;
    return rc;
}

void import_writer_close(struct import_writer **wp)
{
    struct import_writer *w = *wp;
    if (!w)
        return;
    *wp = NULL;
    import_stage_close(&w->stage);
    for (unsigned i = 0; i < w->size_count; i++)
        db_stmt_close(&w->inserts[i]);
    for (unsigned i = 0; i < w->table->key_count; i++) {
        db_stmt_close(&w->lookups[i]);
        db_stmt_close(&w->updates[i]);
    }
    free(w->lookups);
    free(w->updates);
    free(w->params);
    free(w);
}

/* --- what is wrong with a row ----------------------------------------------------------------------------- */

static void reject_foreign(struct import_writer *w, struct import_batch *b, size_t at, const struct import_key *k)
{
    import_batch_reject(b, &b->rows[at], key_names(w->table, k, b->arena),
                        "a row with this key is there already, and it is somebody else's");
}

static void reject_duplicate(struct import_writer *w, struct import_batch *b, size_t at,
                             const struct import_key *k)
{
    import_batch_reject(b, &b->rows[at], key_names(w->table, k, b->arena),
                        "a row with this key is there already");
}

/* The column that the server names: behind "column ", in quotes or with the table before it in backquotes. */
static const char *blamed_column(const struct import_table *t, const char *text, struct arena *arena)
{
    const char *p = strstr(text, "column ");
    if (!p)
        return NULL;
    p += strlen("column ");
    const char *end = p + strcspn(p, " ");
    if (end > p && (end[-1] == '\'' || end[-1] == '`'))
        end--;
    const char *begin = end;
    while (begin > p && begin[-1] != '\'' && begin[-1] != '`')
        begin--;
    const char *name = arena_strndup(arena, begin, (size_t)(end - begin));
    for (unsigned i = 0; i < t->count; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return t->columns[i].header;
    return NULL;
}

static void reject_refused(struct import_writer *w, struct import_batch *b, size_t at, const struct error *e)
{
    const char *reason = NULL, *said = strstr(e->text, ": ");
    (void)find_fault(e->db_errno, &reason);
    import_batch_reject(b, &b->rows[at], blamed_column(w->table, e->text, b->arena),
                        reason ? reason : arena_strdup(b->arena, said ? said + 2 : e->text));
}

/* --- row by row ---------------------------------------------------------------------------------------------- */

static const struct db_value *values_of(const struct import_batch *b, size_t at)
{
    return b->values + at * b->width;
}

/* The values of a key's columns in a row, to OUT; false where one is NULL, which is like no other. */
static bool key_values(const struct import_writer *w, const struct import_key *k, const struct db_value *row,
                       struct db_value *out)
{
    for (unsigned i = 0; i < k->count; i++) {
        out[i] = row[written_place(w->table, k->columns[i])];
        if (out[i].kind == DB_NULL)
            return false;
    }
    return true;
}

/* What is in the table under the row's keys. */
struct meeting {
    int foreign, own; /* the first key by which such a row was met; -1: none */
};

static int meet(struct import_writer *w, const struct db_value *row, struct meeting *m, struct error *e)
{
    *m = (struct meeting){-1, -1};
    for (unsigned i = 0; i < w->table->key_count; i++) {
        const struct import_key *k = &w->table->keys[i];
        w->params[0] = w->owner;
        if (!w->lookups[i] || !key_values(w, k, row, w->params + 1))
            continue;
        int64_t rc = db_run(w->lookups[i], w->params, k->count + 1, e);
        while (rc >= 0 && (rc = db_next(w->lookups[i], e)) > 0) {
            int *which = db_col_int(w->lookups[i], 0) ? &m->own : &m->foreign;
            if (*which < 0)
                *which = (int)i;
        }
        if (rc < 0)
            return (int)rc;
    }
    return 0;
}

/* Puts the row's values into the one that is there under key K. */
static int replace(struct import_writer *w, struct import_batch *b, size_t at, unsigned k, struct error *e)
{
    const struct db_value *row = values_of(b, at);
    struct error refused = {0};
    memcpy(w->params, row, w->width * sizeof *row);
    (void)key_values(w, &w->table->keys[k], row, w->params + w->width);
    int64_t rc = db_run(w->updates[k], w->params, (unsigned)w->width + w->table->keys[k].count, &refused);
    if (rc >= 0) {
        b->result.replaced++;
        return 0;
    }
    if (!import_row_fault(&refused)) {
        *e = refused;
        return (int)rc;
    }
    if (refused.db_errno == ERRNO_DUPLICATE)
        import_batch_reject(b, &b->rows[at], NULL, "its keys are those of several rows that are there already");
    else
        reject_refused(w, b, at, &refused);
    return 0;
}

static int write_duplicate(struct import_writer *w, struct import_batch *b, size_t at, const struct error *refused,
                           struct error *e)
{
    struct meeting m;
    int rc = meet(w, values_of(b, at), &m, e);
    if (rc)
        return rc;
    w->crowded = true;
    if (m.foreign >= 0)
        reject_foreign(w, b, at, &w->table->keys[m.foreign]);
    else if (m.own < 0)
        reject_refused(w, b, at, refused);
    else if (w->policy == IMPORT_ERROR)
        reject_duplicate(w, b, at, &w->table->keys[m.own]);
    else if (w->policy == IMPORT_SKIP)
        b->result.skipped++;
    else
        return replace(w, b, at, (unsigned)m.own, e);
    return 0;
}

int import_write_each(struct import_writer *w, struct import_batch *b, size_t at, size_t count, struct error *e)
{
    struct db_stmt *insert = w->inserts[w->size_count - 1];
    for (size_t i = at; i < at + count; i++) {
        struct error refused = {0};
        int64_t rc = db_run(insert, values_of(b, i), (unsigned)w->width, &refused);
        if (rc >= 0) {
            b->result.inserted++;
        } else if (!import_row_fault(&refused)) {
            *e = refused;
            return (int)rc;
        } else if (refused.db_errno == ERRNO_DUPLICATE) {
            int failed = write_duplicate(w, b, i, &refused, e);
            if (failed)
                return failed;
        } else {
            reject_refused(w, b, i, &refused);
        }
    }
    return 0;
}

/* --- many at a time -------------------------------------------------------------------------------------------- */

/* COUNT rows from AT on by one statement. PLACE: of the one that takes so many. 1: all are written; 0: none, since
 * the server has REFUSED one. */
static int insert_many(struct import_writer *w, struct import_batch *b, unsigned place, size_t at, size_t count,
                       struct error *refused, struct error *e)
{
    struct db_stmt *insert = w->inserts[w->bulk ? w->size_count - 1 : place];
    int64_t rc = w->bulk && count > 1
                     ? db_run_rows(insert, values_of(b, at), count, refused)
                     : db_run(insert, values_of(b, at), (unsigned)(count * w->width), refused);
    if (rc >= 0) {
        b->result.inserted += count;
        return 1;
    }
    if (import_row_fault(refused))
        return 0;
    *e = *refused;
    return (int)rc;
}

/* sizes[PLACE] rows from AT on. */
static int write_some(struct import_writer *w, struct import_batch *b, unsigned place, size_t at, struct error *e)
{
    struct error refused = {0};
    size_t count = w->sizes[place];
    int rc;
    if (w->crowded && w->stage && count > 1) {
        rc = import_stage_write(w->stage, b, at, count, e);
        if (rc)
            return rc < 0 ? rc : 0;
    }
    rc = insert_many(w, b, place, at, count, &refused, e);
    if (rc)
        return rc < 0 ? rc : 0;
    if (refused.db_errno == ERRNO_DUPLICATE && w->stage && !w->crowded && count > 1) {
        rc = import_stage_write(w->stage, b, at, count, e);
        if (rc)
            return rc < 0 ? rc : 0;
    }
    return import_write_each(w, b, at, count, e);
}

/* COUNT rows from AT on, in pieces. */
static int write_pieces(struct import_writer *w, struct import_batch *b, size_t at, size_t count, struct error *e)
{
    int rc = 0;
    for (unsigned place = 0; count && !rc;) {
        while (w->sizes[place] > count)
            place++;
        rc = write_some(w, b, place, at, e);
        at += w->sizes[place];
        count -= w->sizes[place];
    }
    return rc;
}

/* COUNT rows from AT on at once; in pieces where one of them stands against it. */
static int write_bulk(struct import_writer *w, struct import_batch *b, size_t at, size_t count, struct error *e)
{
    struct error refused = {0};
    int rc = insert_many(w, b, 0, at, count, &refused, e);
    if (rc)
        return rc < 0 ? rc : 0;
    w->crowded = refused.db_errno == ERRNO_DUPLICATE;
    return write_pieces(w, b, at, count, e);
}

int import_write(struct import_writer *w, struct import_batch *b, struct error *e)
{
    int rc = 0;
    for (size_t at = 0, count; at < b->count && !rc; at += count) {
        count = b->count - at < BULK_ROWS ? b->count - at : BULK_ROWS;
        rc = w->bulk && !(w->crowded && w->stage) ? write_bulk(w, b, at, count, e) : write_pieces(w, b, at, count, e);
    }
    b->result.rejected = b->reject_count;
    return rc;
}
