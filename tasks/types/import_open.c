/* SPDX-License-Identifier: MIT */
/* import_open.c: from the upload to batches of typed rows, and the connection that will take them. */
#include <string.h>

#include "base/log.h"
#include "csv_cell.h"
#include "import_impl.h"
#include "source.h"

enum {
    BATCH_BYTES = 1024 * 1024, /* text of a batch, but for its last row */
    VALUES_MAX = 128 * 1024,   /* values of a batch: what a db_value costs counts, too */
    FIELDS_MAX = 4096,
};

/* --- the connection -------------------------------------------------------------------------------------- */

/* Strict, but with what exports can hold: zero dates, 0 in a column that counts by itself. Locks are not waited for
 * longer than a cancelled task may take to stop. The time zone is the source's, as for exports. */
static const char *const session[] = {
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO',"
    " innodb_lock_wait_timeout = 1, lock_wait_timeout = 1, autocommit = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
};

static int open_session(struct import_job *j, struct error *e)
{
    int rc = source_open(j->import->target, &j->db, e);
    for (size_t i = 0; i < COUNT_OF(session) && !rc; i++)
        rc = db_exec(j->db, session[i], e);
    return rc;
}

/* Rows of a batch: as configured, but no more than memory may hold. */
static size_t batch_rows(const struct import_job *j)
{
    size_t most = VALUES_MAX / j->table.written_count;
    size_t wanted = (size_t)j->import->def->batch_rows;
    return wanted < most ? wanted : most ? most : 1;
}

int import_connect(struct import_job *j, struct error *e)
{
    int rc = j->db ? 0 : open_session(j, e);
    if (!rc && !j->table.name)
        rc = import_table_read(j->db, j->import, run_arena(j->run), &j->table, e);
    if (!rc && j->mode != MODE_DRY && !j->ledger) {
        struct error missing = {0};
        rc = import_ledger_open(j->db, &j->key, &j->ledger, &missing);
        if (rc == ERR_NOT_FOUND || rc == ERR_DENIED)
            rc = error_set(e, ERR_INVALID, "%s: run sql/import/ledger.sql in its database", missing.text);
        else if (rc)
            *e = missing;
    }
    if (!rc && j->table.written_count && !j->writer)
        rc = import_writer_open(j->db, &j->table, run_task(j->run)->created_by, j->policy, batch_rows(j),
                                &j->writer, e);
    return rc;
}

void import_disconnect(struct import_job *j)
{
    import_writer_close(&j->writer);
    import_ledger_close(&j->ledger);
    db_close(&j->db);
}

/* --- the file ---------------------------------------------------------------------------------------------- */

static int read_bytes(void *context, char *out, size_t size, struct error *e)
{
    struct import_job *j = context;
    if (run_stopping(j->run))
        return error_set(e, ERR_CANCELLED, "stopped");
    return import_input_read(j->input, out, size, e);
}

static int open_at(struct import_job *j, uint64_t offset, uint64_t line, struct error *e)
{
    const struct import_def *def = j->import->def;
    struct csv_rules rules = {j->delimiter, (size_t)def->row_max_bytes, FIELDS_MAX};
    csv_reader_destroy(&j->reader);
    import_input_close(&j->input);
    int rc = import_input_open(run_settings(j->run)->files.directory, j->path, (uint64_t)def->expanded_max_bytes,
                               &j->input, e);
    char waste[16 * 1024];
    uint64_t left = !rc && import_input_is_gzip(j->input) ? offset : 0;
    if (!rc && !left && offset)
        rc = import_input_seek(j->input, offset, e);
    while (!rc && left) { /* gzip must be expanded from its beginning */
        int n = read_bytes(j, waste, left < sizeof waste ? (size_t)left : sizeof waste, e);
        if (n == 0)
            rc = error_set(e, ERR_INVALID, "the file is shorter than it was");
        rc = n < 0 ? n : rc;
        left -= n > 0 ? (uint64_t)n : 0;
    }
    if (!rc)
        j->reader = csv_reader_create(&rules, read_bytes, j, offset, line);
    return rc;
}

static int read_header(struct import_job *j, struct csv_row *row)
{
    struct error e = {0};
    int rc = csv_reader_next(j->reader, row, &e);
    if (rc < 0)
        return import_input_failed(j, &e);
    if (!rc || row->fault)
        return run_fail(j->outcome, RUN_FAILED_FINAL, "invalid_header",
                        "the first row must name the columns: %s", rc ? csv_fault_text(row->fault)
                                                                      : "the file is empty");
    if (import_table_map(&j->table, j->import, row, run_arena(j->run), &e))
        return run_fail(j->outcome, RUN_FAILED_FINAL, "invalid_header", "%s", e.text);
    return 0;
}

int import_open_file(struct import_job *j)
{
    struct csv_row row;
    struct error e = {0};
    if (open_at(j, 0, 1, &e))
        return import_input_failed(j, &e);
    if (read_header(j, &row))
        return ERR_INVALID;
    if (!j->state.position) /* the reader stands behind the header already */
        return 0;
    return open_at(j, j->state.position, j->state.line, &e) ? import_input_failed(j, &e) : 0;
}

/* --- rows ----------------------------------------------------------------------------------------------------- */

/* The row's text and fields, moved into the batch's memory. */
static void keep_text(struct import_job *j, struct csv_row *row, struct import_row *out)
{
    char *text = arena_strndup(j->batch.arena, row->text, row->len);
    for (unsigned i = 0; i < row->count; i++)
        row->fields[i].p = text + (row->fields[i].p - row->text);
    out->text = text;
    out->len = row->len;
}

/* Reads the fields into the next row of the batch; NULL, or what is wrong, in *COLUMN. */
static const char *convert(struct import_job *j, const struct csv_row *row, const char **column)
{
    struct import_batch *b = &j->batch;
    struct db_value *values = b->values + b->count * b->width;
    *column = NULL;
    if (row->count != j->table.field_count)
        return arena_printf(b->arena, "the row has %u fields, the first row %u", row->count, j->table.field_count);
    for (unsigned i = 0; i + 1 < j->table.written_count; i++) {
        const struct import_column *c = &j->table.columns[j->table.written[i]];
        const struct csv_field *f = c->field < 0 ? NULL : &row->fields[c->field];
        const char *wrong = import_value(&j->style, c, f, b->arena, &values[i]);
        if (wrong) {
            *column = c->header;
            return wrong;
        }
    }
    values[b->width - 1] = db_int(run_task(j->run)->created_by);
    return NULL;
}

static void take_row(struct import_job *j, struct csv_row *row)
{
    struct import_batch *b = &j->batch;
    struct import_row kept = {.number = ++b->behind.counts.read, .line = row->line};
    const char *column = NULL;
    keep_text(j, row, &kept);
    const char *wrong = row->fault ? csv_fault_text(row->fault) : convert(j, row, &column);
    if (wrong)
        import_batch_reject(b, &kept, column, wrong);
    else
        b->rows[b->count++] = kept;
}

/* A file of one column has a NULL there; elsewhere it is nothing. */
static bool is_nothing(const struct import_job *j, const struct csv_row *row)
{
    return !row->fault && !row->len && j->table.field_count > 1;
}

int import_read_batch(struct import_job *j)
{
    struct import_batch *b = &j->batch;
    struct csv_row row;
    struct error e = {0};
    size_t bytes = 0, taken = 0;
    int rc = 1;
    import_batch_clear(b, batch_rows(j), j->table.written_count);
    b->behind = j->state;
    while (taken < b->cap && bytes < BATCH_BYTES && (rc = csv_reader_next(j->reader, &row, &e)) > 0) {
        if (row.fault == CSV_UNCLOSED) {
            j->unclosed = row.quote_line;
            rc = 0;
            break;
        }
        b->behind.position = row.end;
        b->behind.line = row.next_line;
        if (is_nothing(j, &row))
            continue;
        take_row(j, &row);
        taken++;
        bytes += row.len + 64;
    }
    b->parse_rejects = b->reject_count;
    return rc < 0 ? import_input_failed(j, &e) : rc;
}
