/* SPDX-License-Identifier: MIT */
/* row_source_open.c: from a task's parameters to a source that is ready to read, and its end. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "row_source_impl.h"

enum {
    LONG_BYTES = 1024 * 1024,          /* a longer value is read in pieces */
    LONG_BYTES_ROW = 4 * 1024 * 1024,  /* all columns that may be long share this ... */
    LONG_BYTES_MIN = 64 * 1024,        /* ... but each has so much */
    LONG_PAGE_ROWS = 64,               /* the first page where values may be long: what follows a
                                          long one is read twice */
    DECIMAL_DIGITS = 65,
};

/* --- parameters ------------------------------------------------------------------------------- */

static bool is_decimal(const struct param_value *v)
{
    size_t digits = 0;
    for (size_t i = 0; i < v->text_len; i++) {
        if (v->text[i] == 'e' || v->text[i] == 'E')
            return false;
        digits += v->text[i] >= '0' && v->text[i] <= '9';
    }
    return digits <= DECIMAL_DIGITS;
}

static struct db_value bind(const struct param_value *v, struct arena *arena)
{
    if (v->is_null)
        return db_null();
    switch (v->kind) {
    case PARAM_INTEGER:
        return db_int(v->integer);
    case PARAM_NUMBER: /* exact as far as the server's numbers are */
        if (is_decimal(v))
            return (struct db_value){.kind = DB_DECIMAL, .s = {v->text, v->text_len}};
        return db_double(v->number);
    case PARAM_BOOLEAN:
        return db_int(v->boolean);
    case PARAM_DATE:
        return db_text(arena_printf(arena, "%04d-%02d-%02d", v->date.year, v->date.month,
                                    v->date.day));
    case PARAM_DATETIME:
        return db_instant(v->instant);
    case PARAM_STRING:
    case PARAM_ENUM:
    case PARAM_UPLOAD:
        break;
    }
    return db_textn(v->text, v->text_len);
}

static void bind_all(struct row_source *s, const struct export_call *call)
{
    struct arena *a = run_arena(s->run);
    s->bind_count = (unsigned)call->bind_count;
    /* room for a slice's two numbers, a key, and a page's number of rows */
    s->params = arena_calloc(a, call->bind_count + 2 * KEY_PARTS_MAX + 3, sizeof *s->params);
    for (size_t i = 0; i < call->bind_count; i++)
        s->params[i] = bind(&call->binds[i], a);
}

/* --- columns ---------------------------------------------------------------------------------- */

static int describe(struct row_source *s, struct error *e)
{
    struct arena *a = run_arena(s->run);
    struct db_rows *rows = NULL;
    const char *sql = s->keyed ? page_sql_describe(s->query.text, a) : s->query.text;
    int rc = row_source_query(s, sql, s->bind_count, &rows, e);
    if (rc)
        return rc;
    const struct db_column *columns = db_rows_columns(rows, &s->column_count);
    s->columns = arena_calloc(a, s->column_count, sizeof *s->columns);
    for (unsigned i = 0; i < s->column_count; i++) {
        s->columns[i] = columns[i];
        s->columns[i].name = arena_strdup(a, columns[i].name);
    }
    if (s->keyed)
        db_rows_close(&rows);
    s->page = rows; /* of the one long read this is already the beginning */
    return 0;
}

/* Finds the columns whose type allows long values. */
static void find_long(struct row_source *s)
{
    bool *is_long = arena_calloc(run_arena(s->run), s->column_count, sizeof *is_long);
    unsigned count = 0;
    for (unsigned i = 0; i < s->column_count; i++) {
        enum db_type t = s->columns[i].type;
        is_long[i] = (t == DB_TYPE_TEXT || t == DB_TYPE_BYTES || t == DB_TYPE_JSON) &&
                     s->columns[i].max_bytes > LONG_BYTES;
        count += is_long[i];
    }
    if (!count)
        return;
    s->query.is_long = is_long;
    unsigned share = LONG_BYTES_ROW / count;
    s->query.long_bytes = share > LONG_BYTES       ? LONG_BYTES
                          : share < LONG_BYTES_MIN ? LONG_BYTES_MIN
                                                   : share;
    if (s->page_limit > LONG_PAGE_ROWS)
        s->page_limit = LONG_PAGE_ROWS;
    long_row_init(s);
}

/* --- the session ------------------------------------------------------------------------------ */

static bool should_stop(void *context)
{
    const struct row_source *s = context;
    return run_stopping(s->run) || (s->deadline_ns && clock_mono_ns() > s->deadline_ns);
}

void row_source_watch(struct row_source *s, struct db *d)
{
    db_set_stop(d, should_stop, s);
}

int row_source_session(struct row_source *s, struct error *e)
{
    row_source_watch(s, s->db);
    if (!s->key.is_wide)
        return 0;
    /* a sort looks at 1,024 bytes of a value by default, a comparison at all of them */
    s->altered = true;
    return db_exec(s->db, "SET SESSION max_sort_length = 32768", e);
}

/* TIMESTAMP keys come as text in the session's zone. */
static int check_zone(struct row_source *s, struct error *e)
{
    struct db_stmt *stmt = NULL;
    int rc = db_prepare(s->db, "SELECT @@SESSION.time_zone, @@GLOBAL.system_time_zone", &stmt, e);
    if (!rc)
        rc = (int)db_run(stmt, NULL, 0, e);
    if (rc >= 0)
        rc = db_next(stmt, e);
    if (rc == 1) {
        const char *zone = db_col_text(stmt, 0, NULL);
        if (strcmp(zone, "SYSTEM") == 0)
            zone = db_col_text(stmt, 1, NULL);
        bool fixed = strcmp(zone, "UTC") == 0 || zone[0] == '+' || zone[0] == '-';
        rc = fixed ? 0
                   : error_set(e, ERR_INVALID, "a TIMESTAMP can be a key only where the session's "
                                               "time zone has no summer time, such as UTC");
    }
    db_stmt_close(&stmt);
    return rc;
}

/* Prepares reading by pages. */
static int begin_keyed(struct row_source *s, struct error *e)
{
    int rc = key_init(&s->key, &s->export->def->key, s->columns, s->column_count, e);
    if (!rc && s->key.has_instant)
        rc = check_zone(s, e);
    if (rc)
        return rc;
    struct arena *a = run_arena(s->run);
    const char **names = arena_calloc(a, s->key.count, sizeof *names);
    for (unsigned i = 0; i < s->key.count; i++)
        names[i] = s->key.parts[i].type->name;
    s->query.keys = names;
    s->query.key_count = s->key.count;
    s->query.columns = s->columns;
    s->query.column_count = s->column_count;
    find_long(s);
    page_sql_build(&s->query, a, &s->sql);
    ahead_init(s);
    rc = row_source_session(s, e);
    if (!rc && s->snapshot)
        rc = db_begin_snapshot(s->db, e);
    return rc;
}

static int begin(struct row_source *s, struct error *e)
{
    const struct export_def *def = s->export->def;
    int rc = source_get(s->pool, s->export->source, &s->db, e);
    if (rc)
        return rc;
    row_source_watch(s, s->db);
    if (s->snapshot || !s->keyed)
        s->deadline_ns = s->start_ns + def->snapshot_max_age_usec * 1000;
    if (!s->keyed) {
        s->altered = true;
        rc = db_statement_timeout(s->db, def->snapshot_max_age_usec / 1000, e);
    }
    if (!rc)
        rc = describe(s, e);
    if (!rc && s->keyed)
        rc = begin_keyed(s, e);
    return rc;
}

int row_source_open(struct run *r, struct source_pool *pool, const struct export_call *call,
                    struct run_outcome *outcome, struct row_source **out)
{
    const struct export_def *def = call->export->def;
    struct row_source *s = arena_calloc(run_arena(r), 1, sizeof *s);
    s->run = r;
    s->outcome = outcome;
    s->pool = pool;
    s->export = call->export;
    s->keyed = def->key.count > 0;
    s->snapshot = def->snapshot;
    s->page_limit = (uint64_t)def->page_rows;
    s->query.text = call->export->query.text;
    s->count.done = def->count == COUNT_NONE;
    s->count_sql = page_sql_count(s->query.text, run_arena(r));
    s->start_ns = clock_mono_ns();
    bind_all(s, call);
    struct error e = {0};
    int rc = begin(s, &e);
    if (rc == ERR_INVALID) {
        rc = run_fail(outcome, RUN_FAILED_FINAL, "invalid_key",
                      "export \"%s\" cannot be read page by page: %s", def->name, e.text);
    } else if (rc) {
        rc = row_source_failed(s, &e);
    }
    if (rc)
        row_source_close(&s);
    *out = s;
    return rc;
}

void row_source_close(struct row_source **sp)
{
    struct row_source *s = *sp;
    if (!s)
        return;
    *sp = NULL;
    if (s->db)
        long_row_end(s);
    struct error ignored = {0};
    if (s->page && s->db && should_stop(s)) /* the server would work on for nobody */
        (void)!source_kill(s->export->source, db_thread_id(s->db), &ignored);
    db_rows_close(&s->page);
    ahead_close(s);
    if (s->db && s->snapshot)
        db_rollback(s->db);
    row_count_close(&s->count);
    if (s->altered)
        db_close(&s->db);
    source_put(s->pool, s->export->source, &s->db);
    long_row_free(s);
    key_free(&s->key);
}
