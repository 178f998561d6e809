/* SPDX-License-Identifier: MIT */
/* stmt.c: prepared statements: binding typed parameters, reading typed columns. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "impl.h"

/* The storage of one result column; which member holds the value follows from bind.buffer_type. */
struct column {
    MYSQL_TIME time;
    union {
        int64_t i;
        double d;
    } number;
    char *text; /* grows to the longest value read; NUL-terminated */
    size_t size;
    unsigned long length;
    db_flag is_null;
    db_flag is_unsigned;
    db_flag truncated;
};

/* What the library reads a parameter of many rows from: a number each, or pointers, packed. */
union cell {
    uint64_t number; /* or an int64_t, or a double */
    const char *text;
};

struct db_stmt {
    struct db *db;
    struct db_stmt *next, **link; /* in db->stmts */
    char *sql;
    MYSQL_STMT *stmt; /* NULL: to be prepared again */
    unsigned param_count;
    unsigned column_count; /* 0 = no result set */
    MYSQL_BIND *params;
    MYSQL_TIME *param_times;
    union cell *cells;  /* of db_run_rows: a column behind the other */
    unsigned long *lengths;
    char *indicators;   /* per cell: whether it is NULL */
    size_t cell_cap;
    MYSQL_BIND *results;
    struct column *columns;
    bool has_result;
    bool grown; /* a buffer has moved since the columns were bound */
};

enum {
    TEXT_START = 64,        /* bytes bound at first for a text column */
    TEXT_KEPT = 64 * 1024,  /* more than this is given back after the result */
    EXECUTE_PACKED = 24,    /* of an execution's packet: what is not of the parameters */
    NUMBER_PACKED = 13,     /* a DATETIME is the longest of what is no text */
};

struct db_value db_null(void)
{
    return (struct db_value){.kind = DB_NULL};
}

struct db_value db_int(int64_t n)
{
    return (struct db_value){.kind = DB_INT, .i = n};
}

struct db_value db_uint(uint64_t n)
{
    return (struct db_value){.kind = DB_UINT, .u = n};
}

struct db_value db_double(double n)
{
    return (struct db_value){.kind = DB_DOUBLE, .d = n};
}

struct db_value db_text(const char *s)
{
    return s ? db_textn(s, strlen(s)) : db_null();
}

struct db_value db_textn(const char *s, size_t len)
{
    return (struct db_value){.kind = DB_TEXT, .s = {s, len}};
}

struct db_value db_bytes(const void *p, size_t len)
{
    return (struct db_value){.kind = DB_BYTES, .s = {p, len}};
}

struct db_value db_instant(int64_t usec)
{
    return usec == INSTANT_NONE ? db_null() : (struct db_value){.kind = DB_INSTANT, .i = usec};
}

static void bind_instant(MYSQL_BIND *bind, MYSQL_TIME *time, int64_t usec)
{
    struct civil c = civil_from_instant(usec);
    *time = (MYSQL_TIME){
        .year = (unsigned)c.year,
        .month = (unsigned)c.month,
        .day = (unsigned)c.day,
        .hour = (unsigned)c.hour,
        .minute = (unsigned)c.minute,
        .second = (unsigned)c.second,
        .second_part = (unsigned long)c.usec,
        .time_type = MYSQL_TIMESTAMP_DATETIME,
    };
    bind->buffer_type = MYSQL_TYPE_DATETIME;
    bind->buffer = time;
}

void db_bind_param(MYSQL_BIND *bind, MYSQL_TIME *time, const struct db_value *v)
{
    memset(bind, 0, sizeof *bind);
    switch (v->kind) {
    case DB_NULL:
        bind->buffer_type = MYSQL_TYPE_NULL;
        break;
    case DB_INT:
    case DB_UINT:
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = (void *)&v->u; /* i and u share their place */
        bind->is_unsigned = v->kind == DB_UINT;
        break;
    case DB_DOUBLE:
        bind->buffer_type = MYSQL_TYPE_DOUBLE;
        bind->buffer = (void *)&v->d;
        break;
    case DB_INSTANT:
        bind_instant(bind, time, v->i);
        break;
    case DB_TEXT:
    case DB_BYTES:
    case DB_DECIMAL:
        bind->buffer_type = v->kind == DB_TEXT    ? MYSQL_TYPE_STRING
                            : v->kind == DB_BYTES ? MYSQL_TYPE_BLOB
                                                  : MYSQL_TYPE_NEWDECIMAL;
        bind->buffer = (void *)v->s.p;
        bind->buffer_length = (unsigned long)v->s.len;
        break;
    }
}

/* Chooses how a column is read: numbers and instants as such, everything else as text. */
static void bind_result(MYSQL_BIND *bind, struct column *c, const MYSQL_FIELD *field)
{
    memset(bind, 0, sizeof *bind);
    bind->is_null = &c->is_null;
    bind->length = &c->length;
    bind->error = &c->truncated;
    switch (field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
        bind->buffer = &c->number.i;
        break;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        bind->buffer_type = MYSQL_TYPE_DOUBLE;
        bind->buffer = &c->number.d;
        break;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        bind->buffer_type = MYSQL_TYPE_DATETIME;
        bind->buffer = &c->time;
        break;
    default:
        c->size = TEXT_START;
        c->text = xmalloc(c->size);
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = c->text;
        bind->buffer_length = (unsigned long)c->size - 1; /* room for the NUL */
        break;
    }
}

static int prepare_columns(struct db_stmt *s, struct error *e)
{
    MYSQL_RES *meta = mysql_stmt_result_metadata(s->stmt);
    if (!meta)
        return mysql_stmt_errno(s->stmt) ? db_failed(s->db, s->stmt, "prepare", e) : 0;
    s->column_count = mysql_num_fields(meta);
    s->results = xcalloc(s->column_count, sizeof *s->results);
    s->columns = xcalloc(s->column_count, sizeof *s->columns);
    const MYSQL_FIELD *fields = mysql_fetch_fields(meta);
    for (unsigned i = 0; i < s->column_count; i++)
        bind_result(&s->results[i], &s->columns[i], &fields[i]);
    mysql_free_result(meta);
    return 0;
}

static int prepare_on_server(struct db_stmt *s, struct error *e)
{
    s->stmt = mysql_stmt_init(s->db->mysql);
    if (!s->stmt)
        return db_failed(s->db, NULL, "prepare", e);
    if (mysql_stmt_prepare(s->stmt, s->sql, (unsigned long)strlen(s->sql)))
        return db_failed(s->db, s->stmt, "prepare", e);
    return 0;
}

/* After an error among the rows the library (libmariadb 3.3) still waits for the rest of them, and would for ever at
 * the next execution. */
static int lose_result(struct db_stmt *s, struct error *e)
{
    int rc = db_failed(s->db, s->stmt, "statement", e);
    mysql_stmt_close(s->stmt);
    s->stmt = NULL;
    s->has_result = false;
    return rc;
}

int db_prepare(struct db *d, const char *sql, struct db_stmt **out, struct error *e)
{
    int rc = db_check_usable(d, e);
    if (rc)
        return rc;
    struct db_stmt *s = xcalloc(1, sizeof *s);
    s->db = d;
    s->next = d->stmts;
    s->link = &d->stmts;
    if (s->next)
        s->next->link = &s->next;
    d->stmts = s;
    s->sql = xstrdup(sql);
    rc = prepare_on_server(s, e);
    if (rc)
        goto fail;
    s->param_count = (unsigned)mysql_stmt_param_count(s->stmt);
    s->params = xcalloc(s->param_count, sizeof *s->params);
    s->param_times = xcalloc(s->param_count, sizeof *s->param_times);
    rc = prepare_columns(s, e);
    if (rc)
        goto fail;
    *out = s;
    return 0;

fail:
    db_stmt_close(&s);
    return rc;
}

void db_stmt_close(struct db_stmt **sp)
{
    struct db_stmt *s = *sp;
    if (!s)
        return;
    *sp = NULL;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    if (s->stmt)
        mysql_stmt_close(s->stmt);
    for (unsigned i = 0; i < s->column_count; i++)
        free(s->columns[i].text);
    free(s->columns);
    free(s->results);
    free(s->cells);
    free(s->lengths);
    free(s->indicators);
    free(s->param_times);
    free(s->params);
    free(s->sql);
    free(s);
}

static void bind_text(MYSQL_BIND *bind, struct column *c, size_t size)
{
    c->size = size;
    c->text = xrealloc(c->text, size);
    bind->buffer = c->text;
    bind->buffer_length = (unsigned long)size - 1; /* room for the NUL */
}

static void drop_result(struct db_stmt *s)
{
    if (s->has_result)
        mysql_stmt_free_result(s->stmt);
    s->has_result = false;
    /* a statement lives as long as its connection: one large value must not stay in memory as long */
    for (unsigned i = 0; i < s->column_count; i++)
        if (s->columns[i].size > TEXT_KEPT)
            bind_text(&s->results[i], &s->columns[i], TEXT_START);
}

/* The most that a value may have in a packet, with its length before it and its part of what says which are NULL. */
static size_t packed_bytes(const struct db_value *v)
{
    bool is_text = v->kind == DB_TEXT || v->kind == DB_BYTES || v->kind == DB_DECIMAL;
    if (!is_text)
        return NUMBER_PACKED;
    return 1 + v->s.len + (v->s.len < 251 ? 1 : v->s.len < 65536 ? 3 : v->s.len < 16777216 ? 4 : 9);
}

/* Before an execution: with COUNT values in all, of one row or of many. */
static int check_length(struct db_stmt *s, const struct db_value *values, size_t count, struct error *e)
{
    size_t bytes = EXECUTE_PACKED + 2 * s->param_count; /* a type each */
    for (size_t i = 0; i < count; i++)
        bytes += packed_bytes(&values[i]);
    return db_check_length(s->db, bytes, e);
}

int64_t db_run(struct db_stmt *s, const struct db_value *values, unsigned count, struct error *e)
{
    int rc = db_check_usable(s->db, e);
    if (rc)
        return rc;
    if (count != s->param_count)
        return error_set(e, ERR_DB, "statement takes %u parameters, not %u", s->param_count, count);
    drop_result(s);
    if ((rc = check_length(s, values, count, e)) != 0)
        return rc;
    if (!s->stmt && (rc = prepare_on_server(s, e)) != 0)
        return rc;
    for (unsigned i = 0; i < count; i++)
        db_bind_param(&s->params[i], &s->param_times[i], &values[i]);
    if ((count && mysql_stmt_bind_param(s->stmt, s->params)) || mysql_stmt_execute(s->stmt))
        return db_failed(s->db, s->stmt, "statement", e);
    if (!s->column_count)
        return (int64_t)mysql_stmt_affected_rows(s->stmt);
    s->has_result = true;
    /* the whole result comes over at once, so that the connection is free for the next statement */
    if (mysql_stmt_bind_result(s->stmt, s->results) || mysql_stmt_store_result(s->stmt))
        return lose_result(s, e);
    return (int64_t)mysql_stmt_num_rows(s->stmt);
}

/* --- many rows ------------------------------------------------------------------------------------------- */

#ifdef HAVE_MARIADB_GET_INFOV

/* The first releases of their series with the repair of MDEV-24411; series that are not here have it from the
 * beginning, where they are newer than all of these, or not at all. */
static const struct {
    unsigned long series, patch;
} repaired[] = {{1005, 26}, {1006, 19}, {1011, 9}, {1101, 6}, {1102, 5}, {1104, 3}};

static bool is_repaired(unsigned long version)
{
    unsigned long series = version / 100, patch = version % 100;
    size_t i = 0;
    while (i < COUNT_OF(repaired) && repaired[i].series != series)
        i++;
    return i < COUNT_OF(repaired) ? patch >= repaired[i].patch : series > repaired[COUNT_OF(repaired) - 1].series;
}

bool db_takes_rows(const struct db *d)
{
    unsigned long extended = 0;
    return mariadb_get_infov(d->mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended) == 0 &&
           (extended & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) &&
           is_repaired(mysql_get_server_version(d->mysql));
}

static void make_room(struct db_stmt *s, size_t cells)
{
    if (cells <= s->cell_cap)
        return;
    s->cell_cap = cells;
    s->cells = xrealloc(s->cells, cells * sizeof *s->cells);
    s->lengths = xrealloc(s->lengths, cells * sizeof *s->lengths);
    s->indicators = xrealloc(s->indicators, cells);
}

/* Column I of ROWS rows of VALUES, in the place that FIRST is the first cell of. False where its kinds differ. */
static bool bind_column(struct db_stmt *s, unsigned i, const struct db_value *values, size_t rows, size_t first)
{
    enum db_kind kind = DB_NULL;
    const char **texts = (const char **)(void *)&s->cells[first];
    for (size_t row = 0; row < rows; row++) {
        const struct db_value *v = &values[row * s->param_count + i];
        s->indicators[first + row] = v->kind == DB_NULL ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
        s->lengths[first + row] = 0;
        if (v->kind == DB_NULL)
            continue;
        if (v->kind == DB_INSTANT || (kind != DB_NULL && kind != v->kind))
            return false;
        if (kind == DB_NULL)
            db_bind_param(&s->params[i], NULL, v);
        kind = v->kind;
        if (kind == DB_INT || kind == DB_UINT || kind == DB_DOUBLE) {
            s->cells[first + row].number = v->u; /* whichever it is: all have these bytes */
        } else {
            texts[row] = v->s.p;
            s->lengths[first + row] = v->s.len;
        }
    }
    if (kind == DB_NULL)
        s->params[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING};
    s->params[i].buffer = &s->cells[first];
    s->params[i].length = &s->lengths[first];
    s->params[i].u.indicator = &s->indicators[first];
    return true;
}

int db_run_rows(struct db_stmt *s, const struct db_value *values, size_t rows, struct error *e)
{
    unsigned array = (unsigned)rows, none = 0;
    int rc = db_check_usable(s->db, e);
    if (rc)
        return rc;
    if (!rows)
        return 0;
    drop_result(s);
    rc = check_length(s, values, rows * s->param_count, e);
    if (rc)
        return rc;
    make_room(s, rows * s->param_count);
    for (unsigned i = 0; i < s->param_count; i++)
        if (!bind_column(s, i, values, rows, i * rows))
            return error_set(e, ERR_DB, "parameter %u is not of one kind in all rows", i + 1);
    if (mysql_stmt_attr_set(s->stmt, STMT_ATTR_ARRAY_SIZE, &array) || mysql_stmt_bind_param(s->stmt, s->params) ||
        mysql_stmt_execute(s->stmt))
        rc = db_failed(s->db, s->stmt, "statement", e);
    else if (mysql_stmt_affected_rows(s->stmt) != rows)
        rc = error_set(e, ERR_DB, "the server has written %llu rows instead of %zu",
                       (unsigned long long)mysql_stmt_affected_rows(s->stmt), rows);
    (void)mysql_stmt_attr_set(s->stmt, STMT_ATTR_ARRAY_SIZE, &none); /* for db_run */
    return rc;
}

#else

bool db_takes_rows(const struct db *d)
{
    (void)d;
    return false;
}

int db_run_rows(struct db_stmt *s, const struct db_value *values, size_t rows, struct error *e)
{
    (void)s, (void)values, (void)rows;
    return error_set(e, ERR_DB, "the connector sends one row at a time");
}

#endif

uint64_t db_insert_id(const struct db_stmt *s)
{
    return mysql_stmt_insert_id(s->stmt);
}

/* Reads a value that did not fit into a buffer that has grown to hold it. */
static int refetch(struct db_stmt *s, unsigned i, struct error *e)
{
    struct column *c = &s->columns[i];
    bind_text(&s->results[i], c, c->length + 1);
    if (mysql_stmt_fetch_column(s->stmt, &s->results[i], i, 0))
        return db_failed(s->db, s->stmt, "fetch", e);
    return 0;
}

int db_next(struct db_stmt *s, struct error *e)
{
    if (!s->has_result)
        return 0;
    /* the library copied the bindings: tell it of the larger buffers. Only now, because that also clears
     * the lengths of the row before (libmariadb 3.3.19) */
    if (s->grown && mysql_stmt_bind_result(s->stmt, s->results))
        return db_failed(s->db, s->stmt, "fetch", e);
    s->grown = false;
    int rc = mysql_stmt_fetch(s->stmt);
    if (rc == MYSQL_NO_DATA) {
        drop_result(s);
        return 0;
    }
    if (rc != 0 && rc != MYSQL_DATA_TRUNCATED)
        return db_failed(s->db, s->stmt, "fetch", e);
    for (unsigned i = 0; i < s->column_count; i++) {
        struct column *c = &s->columns[i];
        if (!c->text || c->is_null)
            continue;
        if (c->length > s->results[i].buffer_length) {
            int failed = refetch(s, i, e);
            if (failed)
                return failed;
            s->grown = true;
        }
        c->text[c->length] = '\0';
    }
    return 1;
}

bool db_col_null(struct db_stmt *s, unsigned col)
{
    return s->columns[col].is_null;
}

static const double two_to_63 = 9223372036854775808.0;

int64_t db_col_int(struct db_stmt *s, unsigned col)
{
    const struct column *c = &s->columns[col];
    if (c->is_null)
        return 0;
    if (c->text) /* DECIMAL, as SUM() gives */
        return strtoll(c->text, NULL, 10);
    if (s->results[col].buffer_type == MYSQL_TYPE_DOUBLE)
        return c->number.d >= two_to_63    ? INT64_MAX
               : c->number.d <= -two_to_63 ? INT64_MIN
                                           : (int64_t)c->number.d;
    return s->results[col].is_unsigned && c->number.i < 0 ? INT64_MAX : c->number.i;
}

uint64_t db_col_uint(struct db_stmt *s, unsigned col)
{
    const struct column *c = &s->columns[col];
    if (c->is_null)
        return 0;
    if (c->text)
        return c->text[0] == '-' ? 0 : strtoull(c->text, NULL, 10);
    if (s->results[col].buffer_type == MYSQL_TYPE_DOUBLE)
        return c->number.d >= 2 * two_to_63 ? UINT64_MAX : c->number.d <= 0 ? 0 : (uint64_t)c->number.d;
    return !s->results[col].is_unsigned && c->number.i < 0 ? 0 : (uint64_t)c->number.i;
}

int64_t db_col_instant(struct db_stmt *s, unsigned col)
{
    const struct column *c = &s->columns[col];
    if (c->is_null || s->results[col].buffer_type != MYSQL_TYPE_DATETIME)
        return INSTANT_NONE;
    const MYSQL_TIME *t = &c->time;
    struct civil civil = {(int)t->year, (int)t->month,  (int)t->day,        (int)t->hour,
                          (int)t->minute, (int)t->second, (int)t->second_part};
    return t->month ? civil_to_instant(&civil) : INSTANT_NONE;
}

const char *db_col_text(struct db_stmt *s, unsigned col, size_t *len)
{
    const struct column *c = &s->columns[col];
    bool present = !c->is_null && c->text;
    if (len)
        *len = present ? c->length : 0;
    return present ? c->text : NULL;
}
