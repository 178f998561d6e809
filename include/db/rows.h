/* SPDX-License-Identifier: MIT */
/* rows.h: results of any size, row by row as the server sends them, every value as the server's
 * own text (so that DECIMAL, FLOAT and dates are exact). Parameters go in as typed values all the
 * same. */
#ifndef DB_ROWS_H
#define DB_ROWS_H

#include "db/db.h"

enum db_type {
    DB_TYPE_INTEGER,
    DB_TYPE_DECIMAL,
    DB_TYPE_FLOAT,
    DB_TYPE_DOUBLE,
    DB_TYPE_DATE,
    DB_TYPE_TIME,
    DB_TYPE_DATETIME, /* DATETIME and TIMESTAMP */
    DB_TYPE_YEAR,
    DB_TYPE_BIT,
    DB_TYPE_TEXT, /* CHAR, VARCHAR, TEXT, ENUM, SET, UUID, INET: character strings */
    DB_TYPE_JSON, /* MySQL's JSON; MariaDB's is LONGTEXT and counts as text, see is_json */
    DB_TYPE_BYTES, /* BINARY, VARBINARY, BLOB, GEOMETRY */
    DB_TYPE_NULL,
};

struct db_column {
    const char *name; /* UTF-8, the column's label in the result */
    enum db_type type;
    bool is_unsigned;
    bool is_enum;       /* ENUM or SET: text that the server sorts by its number */
    bool is_timestamp;  /* TIMESTAMP: shown in the session's time zone */
    bool is_json;       /* JSON, also MariaDB's where server and client library can tell: then it is
                           text as somebody wrote it, valid but for a constraint switched off */
    unsigned decimals;  /* digits behind the point of DECIMAL, DATETIME and TIME */
    uint64_t max_bytes; /* the longest value that the type allows */
};

struct db_rows;

/* Prepares SQL (with ? for each of the COUNT PARAMS) on the server and starts to read its result
 * through the text protocol; instants among PARAMS become DATETIMEs of the session's time zone. Until
 * db_rows_close nothing else may run on D. *OUT only on success.
 * The last few texts stay prepared on the server: paging costs no new prepare.
 * The wait for the answer follows db_set_stop. */
int db_rows_open(struct db *d, const char *sql, const struct db_value *params, unsigned count,
                 struct db_rows **out, struct error *e) MUST_USE;

/* db_rows_open in three steps, for one thread that has other work meanwhile: send the statement,
 * ask now and then whether its answer has come (1; 0 = not within MSEC; ERR_DB_GONE), then open
 * it. */
int db_rows_send(struct db *d, const char *sql, const struct db_value *params, unsigned count,
                 struct error *e) MUST_USE;
int db_rows_ready(struct db *d, int msec, struct error *e) MUST_USE;
int db_rows_receive(struct db *d, struct db_rows **out, struct error *e) MUST_USE;

/* The columns of the result; owned by ROWS. */
const struct db_column *db_rows_columns(const struct db_rows *rows, unsigned *count);

/* Next row: 1 with VALUES (NULL = SQL's NULL) and LENGTHS, valid until the next call; 0 at the
 * end. */
int db_rows_next(struct db_rows *rows, char ***values, unsigned long **lengths,
                 struct error *e) MUST_USE;

/* Reads away what is left (or gives the connection up where that would be much, or the function of db_set_stop
 * says so: it is then no longer usable). NULL is accepted, *ROWS becomes NULL. */
void db_rows_close(struct db_rows **rows);

#endif
