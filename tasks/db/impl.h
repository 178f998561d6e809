/* SPDX-License-Identifier: MIT */
/* impl.h: what the files of this folder share; included nowhere else. */
#ifndef TASKS_DB_IMPL_H
#define TASKS_DB_IMPL_H

#include <mysql.h>

#include "db/db.h"

/* MariaDB's connector says my_bool where MySQL's says bool: take whatever the struct has. */
typedef __typeof__(*((MYSQL_BIND *)0)->is_null) db_flag;

enum { PREPARED_TEXTS = 4 };

/* What the session's prepared statement "bd_rows<index>" stands for. */
struct prepared_text {
    char *sql;     /* NULL = nothing */
    uint64_t used; /* by db.prepared_clock: the least recently used one makes room */
};

/* Invariant: usable is false once the connection is lost or, with stopped, given up; stmts lists the open
 * statements. */
struct db {
    MYSQL *mysql;
    bool usable;
    bool stopped;
    bool in_transaction;
    struct db_stmt *stmts;
    int timeout_s;               /* of db_options */
    uint64_t packet_max;         /* the server's max_allowed_packet; 0 = not asked yet */
    bool (*stop)(void *context); /* see db_set_stop */
    void *stop_context;
    struct prepared_text prepared[PREPARED_TEXTS];
    uint64_t prepared_clock;
    struct db_stmt *rows_set; /* "SET @bd0 = ?, ..." */
    char *rows_set_sql;       /* its text */
};

/* Turns the connection's (or STMT's, where given) last error into an enum err in E, marks a lost
 * connection as such. WHAT says what was tried. */
int db_failed(struct db *d, MYSQL_STMT *stmt, const char *what, struct error *e);

/* ERR_DB_GONE where the connection is lost, ERR_CANCELLED where it was given up since db_set_stop's function said
 * so, else 0. */
int db_check_usable(const struct db *d, struct error *e);

/* ERR_DB_REFUSED where the server would not take a statement of BYTES, which is then not sent: the server would
 * break the connection off. Asks it for its limit with the first statement that may be too long. */
int db_check_length(struct db *d, size_t bytes, struct error *e);

/* Fills BIND for a parameter; TIME is storage for instants. Both live until the execution is over.
 * */
void db_bind_param(MYSQL_BIND *bind, MYSQL_TIME *time, const struct db_value *value);

#endif
