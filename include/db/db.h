/* SPDX-License-Identifier: MIT */
/* db.h: one connection to MySQL or MariaDB, with prepared statements and transactions. The layer
 * knows no table. Every function may be called by one thread at a time; a connection belongs to one
 * thread or is handed over under a lock. Nothing reconnects by itself: a lost connection answers
 * ERR_DB_GONE until its owner closes it. */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/db_address.h"
#include "base/error.h"

struct db;
struct db_stmt;

enum { DB_LOCK_WAIT_S = 2 }; /* how long a session for the queue waits for a row's lock; then ERR_DB_RETRY */

/* What the session is set to. */
enum db_session {
    DB_SESSION_QUEUE,  /* READ COMMITTED, UTC, strict mode, DB_LOCK_WAIT_S */
    DB_SESSION_SOURCE, /* as the server has it, but for the character set and what the options say */
};

struct db_options {
    enum db_session session;
    int timeout_s; /* a read or write that takes longer loses the connection; 0 = no limit */
    int silence_s; /* of a session for the queue: the server ends one that says nothing for so long within a
                    * transaction (MySQL: at any time), and its locks with it; 0 = as the server has it */
    int64_t statement_msec; /* of the same: as db_statement_timeout; 0 = no limit */
    const char *time_zone;  /* of a session for a source, as the server writes it; NULL = as the server has it */
};

/* Once per process, before threads start; the library is not safe to initialise later. */
void db_library_init(void);
void db_library_end(void);

/* In a thread of its own that has used a connection, before it ends: db_library_end would wait for it. */
void db_thread_end(void);

/* Opens a connection: utf8mb4, no reconnect, no file of this host for a server that asks for one. *OUT is set only on
 * success. */
int db_open(const struct db_address *address, const struct db_options *options, struct db **out,
            struct error *e) MUST_USE;

/* Closes *D with all of its statements, sets it to NULL. NULL is accepted. */
void db_close(struct db **d);

/* False once a call has answered ERR_DB_GONE, or the connection was given up (see db_set_stop). */
bool db_usable(const struct db *d);

/* A round trip. */
int db_ping(struct db *d, struct error *e) MUST_USE;

/* The descriptor, for closing it in a child after fork; never read from or written to. */
int db_fd(const struct db *d);

bool db_is_mariadb(const struct db *d);
unsigned long db_thread_id(const struct db *d);

/* The longest time one statement may take on the server, in milliseconds, for the session (only
 * SELECTs on MySQL); 0 = no limit. Going over it answers ERR_TIMEOUT. */
int db_statement_timeout(struct db *d, int64_t msec, struct error *e) MUST_USE;

/* While the first row of an answer is awaited (db_rows_open), STOP is asked several times a second, and by
 * db_rows_close before each row that it reads away; once it says true the connection is no longer usable (see
 * db_kill_query), and this call and the following ones answer ERR_CANCELLED. NULL: only timeout_s ends a wait. */
void db_set_stop(struct db *d, bool (*stop)(void *context), void *context);

/* Ends the statement that connection THREAD_ID runs, through a connection of its own with the same
 * account: a server does not notice by itself that nobody waits any more. 0 also where there is no such
 * connection. */
int db_kill_query(const struct db_address *address, unsigned long thread_id,
                  struct error *e) MUST_USE;

/* --- transactions ------------------------------------------------------------------------- */

int db_begin(struct db *d, struct error *e) MUST_USE;
int db_begin_snapshot(struct db *d, struct error *e) MUST_USE; /* one read-only view from now on */
int db_commit(struct db *d, struct error *e) MUST_USE; /* may answer ERR_DB_RETRY too */
void db_rollback(struct db *d); /* nothing to do where the connection is lost */
bool db_in_transaction(const struct db *d);

/* Runs one statement without parameters or result; text from this program only, never a user's.
 * Returns 0 or an error. */
int db_exec(struct db *d, const char *sql, struct error *e) MUST_USE;

/* --- values -------------------------------------------------------------------------------- */

enum db_kind { DB_NULL, DB_INT, DB_UINT, DB_DOUBLE, DB_TEXT, DB_BYTES, DB_DECIMAL, DB_INSTANT };

/* A parameter. Text and bytes are not copied: they must live until db_run returns. */
struct db_value {
    enum db_kind kind;
    union {
        int64_t i; /* DB_INT; DB_INSTANT: microseconds since 1970, UTC, bound as DATETIME(6) */
        uint64_t u;
        double d;
        struct {
            const char *p;
            size_t len;
        } s; /* DB_TEXT (UTF-8), DB_BYTES, DB_DECIMAL (the digits) */
    };
};

struct db_value db_null(void);
struct db_value db_int(int64_t n);
struct db_value db_uint(uint64_t n);
struct db_value db_double(double n);
struct db_value db_text(const char *s); /* NULL becomes SQL's NULL */
struct db_value db_textn(const char *s, size_t len);
struct db_value db_bytes(const void *p, size_t len);
struct db_value db_instant(int64_t usec); /* INSTANT_NONE becomes NULL */

/* --- prepared statements --------------------------------------------------------------------- */

/* The statement belongs to the connection and is closed with it, or by db_stmt_close. */
int db_prepare(struct db *d, const char *sql, struct db_stmt **out, struct error *e) MUST_USE;
void db_stmt_close(struct db_stmt **s);

/* Executes with COUNT parameters (it must be the statement's number) and reads the whole result
 * into memory. Returns the number of changed rows (rows matched, also where the new values equal
 * the old) or, with a result set, its number of rows; or a negative enum err. What is longer than the server's
 * max_allowed_packet is not sent: ERR_DB_REFUSED, and the connection goes on. */
int64_t db_run(struct db_stmt *s, const struct db_value *params, unsigned count,
               struct error *e) MUST_USE;

/* Whether the server takes many rows for one statement at once. MariaDB does since 10.2, but before the versions of
 * August 2024 it lost rows where a trigger inserts others (MDEV-24411): those count as if they did not. */
bool db_takes_rows(const struct db *d);

/* Executes an INSERT once for each of ROWS rows, in one round trip and as one statement: all of them, or none.
 * PARAMS holds the parameters of one row behind those of the other; those of a column are of one kind or NULL.
 * Only where db_takes_rows. Returns 0 or a negative enum err; ERR_DB where the server has written another number of
 * rows, after which the transaction must be rolled back. Too long together is the same as for db_run. */
int db_run_rows(struct db_stmt *s, const struct db_value *params, size_t rows, struct error *e) MUST_USE;

uint64_t db_insert_id(const struct db_stmt *s); /* the first id that db_run's INSERT made */

/* Moves to the next row of the last result: 1, or 0 at its end, or a negative enum err. */
int db_next(struct db_stmt *s, struct error *e) MUST_USE;

/* Columns of the present row, counted from 0. Numbers are converted from text where need be, and what is beyond the
 * type reads as the nearest that is not; NULL reads as 0, INSTANT_NONE or NULL. Text is NUL-terminated and valid until
 * the next db_next. */
bool db_col_null(struct db_stmt *s, unsigned col);
int64_t db_col_int(struct db_stmt *s, unsigned col);
uint64_t db_col_uint(struct db_stmt *s, unsigned col);
int64_t db_col_instant(struct db_stmt *s, unsigned col);
const char *db_col_text(struct db_stmt *s, unsigned col, size_t *len); /* len may be NULL */

#endif
