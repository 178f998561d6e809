/* SPDX-License-Identifier: MIT */
/* rows.c: streamed results. The statement is prepared and executed with SQL's own PREPARE and
 * EXECUTE ... USING, because an EXECUTE answers in the text protocol: the server formats every
 * value itself and nothing is converted here. The parameters travel before, typed, as user
 * variables that a binary-protocol SET fills. */
#include "db/rows.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "impl.h"

enum {
    DRAIN_BYTES = 4 * 1024 * 1024, /* read away on close before the connection is given up */
    CHARSET_BINARY = 63,           /* the number of "binary" in both servers */
    TYPE_JSON = 245,               /* MYSQL_TYPE_JSON, which older headers lack */
    WAIT_STEP_MSEC = 200,          /* how often a wait looks whether it should end */
};

struct db_rows {
    struct db *db;
    MYSQL_RES *result;
    struct db_column *columns;
    unsigned count;
    bool ended; /* nothing of it is left to be read */
};

static enum db_type column_type(const MYSQL_FIELD *f)
{
    switch ((int)f->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
        return DB_TYPE_INTEGER;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        return DB_TYPE_DECIMAL;
    case MYSQL_TYPE_FLOAT:
        return DB_TYPE_FLOAT;
    case MYSQL_TYPE_DOUBLE:
        return DB_TYPE_DOUBLE;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
        return DB_TYPE_DATE;
    case MYSQL_TYPE_TIME:
        return DB_TYPE_TIME;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return DB_TYPE_DATETIME;
    case MYSQL_TYPE_YEAR:
        return DB_TYPE_YEAR;
    case MYSQL_TYPE_BIT:
        return DB_TYPE_BIT;
    case MYSQL_TYPE_NULL:
        return DB_TYPE_NULL;
    case TYPE_JSON:
        return DB_TYPE_JSON;
    case MYSQL_TYPE_GEOMETRY:
        return DB_TYPE_BYTES;
    default:
        return f->charsetnr == CHARSET_BINARY ? DB_TYPE_BYTES : DB_TYPE_TEXT;
    }
}

/* An instant is the same in every zone, the DATETIME that queries compare it with is the session's. What is beyond
 * the range of TIMESTAMP the server leaves as it is. */
static void add_parameters(struct buf *b, const struct db_value *params, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const char *value = params[i].kind == DB_INSTANT ? "CONVERT_TZ(?, '+00:00', @@SESSION.time_zone)" : "?";
        buf_addf(b, "%s@bd%u = %s", i ? ", " : "SET ", i, value);
    }
}

/* Fills the session's variables @bd0, @bd1, ... with the parameters. */
static int set_parameters(struct db *d, const struct db_value *params, unsigned count,
                          struct error *e)
{
    if (!count)
        return 0;
    struct buf sql = BUF_INIT;
    add_parameters(&sql, params, count);
    int rc = 0;
    if (!d->rows_set || strcmp(d->rows_set_sql, buf_str(&sql)) != 0) {
        db_stmt_close(&d->rows_set);
        free(d->rows_set_sql);
        d->rows_set_sql = xstrdup(buf_str(&sql));
        rc = db_prepare(d, d->rows_set_sql, &d->rows_set, e);
    }
    buf_free(&sql);
    if (rc)
        return rc;
    int64_t changed = db_run(d->rows_set, params, count, e);
    return changed < 0 ? (int)changed : 0;
}

/* The number of the session's statement that stands for SQL; prepares it where there is none. */
static int prepare_text(struct db *d, const char *sql, struct error *e)
{
    struct prepared_text *oldest = &d->prepared[0];
    for (struct prepared_text *p = d->prepared; p < d->prepared + PREPARED_TEXTS; p++) {
        if (p->sql && strcmp(p->sql, sql) == 0) {
            p->used = ++d->prepared_clock;
            return (int)(p - d->prepared);
        }
        if (!p->sql || (oldest->sql && p->used < oldest->used))
            oldest = p;
    }
    int number = (int)(oldest - d->prepared);
    free(oldest->sql);
    oldest->sql = NULL;
    struct db_stmt *set = NULL;
    int rc = db_prepare(d, "SET @bd_sql = ?", &set, e);
    if (rc)
        return rc;
    struct db_value text = db_text(sql);
    int64_t changed = db_run(set, &text, 1, e);
    db_stmt_close(&set);
    if (changed < 0)
        return (int)changed;
    char prepare[64];
    snprintf(prepare, sizeof prepare, "PREPARE bd_rows%d FROM @bd_sql", number);
    rc = db_exec(d, prepare, e); /* takes the place of what had that name */
    if (rc)
        return rc;
    oldest->sql = xstrdup(sql);
    oldest->used = ++d->prepared_clock;
    return number;
}

/* Sends the EXECUTE without waiting for the answer. */
static int send_execute(struct db *d, int number, unsigned count, struct error *e)
{
    struct buf sql = BUF_INIT;
    buf_addf(&sql, "EXECUTE bd_rows%d", number);
    for (unsigned i = 0; i < count; i++)
        buf_addf(&sql, "%s@bd%u", i ? ", " : " USING ", i);
    int rc = 0;
    if (mysql_send_query(d->mysql, buf_str(&sql), (unsigned long)sql.len))
        rc = db_failed(d, NULL, "query", e);
    buf_free(&sql);
    return rc;
}

/* MariaDB's JSON is text with a constraint, of which MariaDB 10.5.2 and newer tells. */
static bool has_json_format(const MYSQL_FIELD *f)
{
#ifdef HAVE_MARIADB_FIELD_ATTR
    MARIADB_CONST_STRING format;
    return mariadb_field_attr(&format, f, MARIADB_FIELD_ATTR_FORMAT_NAME) == 0 &&
           format.length == 4 && memcmp(format.str, "json", 4) == 0;
#else
    (void)f;
    return false;
#endif
}

static void read_columns(struct db_rows *rows)
{
    const MYSQL_FIELD *fields = mysql_fetch_fields(rows->result);
    rows->count = mysql_num_fields(rows->result);
    rows->columns = xcalloc(rows->count, sizeof *rows->columns);
    for (unsigned i = 0; i < rows->count; i++)
        rows->columns[i] = (struct db_column){
            .name = fields[i].name, /* lives as long as the result */
            .type = column_type(&fields[i]),
            .is_unsigned = (fields[i].flags & UNSIGNED_FLAG) != 0,
            .is_enum = (fields[i].flags & (ENUM_FLAG | SET_FLAG)) != 0,
            .is_timestamp = fields[i].type == MYSQL_TYPE_TIMESTAMP,
            .is_json = (int)fields[i].type == TYPE_JSON || has_json_format(&fields[i]),
            .decimals = fields[i].decimals,
            .max_bytes = fields[i].length,
        };
}

int db_rows_send(struct db *d, const char *sql, const struct db_value *params, unsigned count,
                 struct error *e)
{
    int rc = db_check_usable(d, e);
    if (rc)
        return rc;
    int number = prepare_text(d, sql, e);
    if (number < 0)
        return number;
    rc = set_parameters(d, params, count, e);
    return rc ? rc : send_execute(d, number, count, e);
}

int db_rows_ready(struct db *d, int msec, struct error *e)
{
    int rc = db_check_usable(d, e);
    if (rc)
        return rc;
    struct pollfd p = {.fd = db_fd(d), .events = POLLIN};
    int n = poll(&p, 1, msec);
    if (n < 0 && errno != EINTR)
        return error_errno(e, ERR_SYSTEM, "poll");
    return n > 0;
}

/* Whether the owner of the connection wants to stop: then it is given up. */
static bool asked_to_stop(struct db *d)
{
    if (!d->stop || !d->stop(d->stop_context))
        return false;
    d->usable = false;
    d->stopped = true;
    return true;
}

/* Waits until the answer begins, unless the owner of the connection wants to stop. Nothing of it
 * has been read yet, so that the descriptor tells the truth. */
static int await_answer(struct db *d, struct error *e)
{
    int64_t start = clock_mono_ns();
    for (;;) {
        int rc = db_rows_ready(d, WAIT_STEP_MSEC, e);
        if (rc)
            return rc < 0 ? rc : 0;
        if (asked_to_stop(d))
            return db_check_usable(d, e);
        if (d->timeout_s && clock_mono_ns() - start > d->timeout_s * INT64_C(1000000000)) {
            d->usable = false;
            return error_set(e, ERR_DB_GONE, "the database was silent for %d s", d->timeout_s);
        }
    }
}

int db_rows_receive(struct db *d, struct db_rows **out, struct error *e)
{
    int rc = await_answer(d, e);
    if (rc)
        return rc;
    if (mysql_read_query_result(d->mysql))
        return db_failed(d, NULL, "query", e);
    MYSQL_RES *result = mysql_use_result(d->mysql);
    if (!result)
        return mysql_errno(d->mysql)
                   ? db_failed(d, NULL, "query", e)
                   : error_set(e, ERR_INVALID, "the query returns no rows at all");
    struct db_rows *rows = xcalloc(1, sizeof *rows);
    rows->db = d;
    rows->result = result;
    read_columns(rows);
    *out = rows;
    return 0;
}

int db_rows_open(struct db *d, const char *sql, const struct db_value *params, unsigned count,
                 struct db_rows **out, struct error *e)
{
    int rc = db_rows_send(d, sql, params, count, e);
    return rc ? rc : db_rows_receive(d, out, e);
}

const struct db_column *db_rows_columns(const struct db_rows *rows, unsigned *count)
{
    *count = rows->count;
    return rows->columns;
}

int db_rows_next(struct db_rows *rows, char ***values, unsigned long **lengths, struct error *e)
{
    MYSQL_ROW row = mysql_fetch_row(rows->result);
    rows->ended = !row;
    if (!row)
        return mysql_errno(rows->db->mysql) ? db_failed(rows->db, NULL, "reading rows", e) : 0;
    *values = row;
    *lengths = mysql_fetch_lengths(rows->result);
    return 1;
}

/* Reads away what is left; false where that is much, or would keep somebody waiting who wants to stop. */
static bool drain(struct db_rows *rows)
{
    for (uint64_t drained = 0; drained < DRAIN_BYTES && !asked_to_stop(rows->db);) {
        if (!mysql_fetch_row(rows->result))
            return true;
        const unsigned long *lengths = mysql_fetch_lengths(rows->result);
        for (unsigned i = 0; i < rows->count; i++)
            drained += lengths[i] + 1;
    }
    return false;
}

void db_rows_close(struct db_rows **rp)
{
    struct db_rows *rows = *rp;
    if (!rows)
        return;
    *rp = NULL;
    if (rows->db->usable && !rows->ended && !drain(rows)) {
        /* What is still coming would only be thrown away, and mysql_free_result would read all of
         * it: break the connection off, which ends the query on the server as well. */
        rows->db->usable = false;
        shutdown(db_fd(rows->db), SHUT_RDWR);
    }
    mysql_free_result(rows->result);
    free(rows->columns);
    free(rows);
}
