/* SPDX-License-Identifier: MIT */
/* doctor_impl.h: what the files doctor*.c share. */
#ifndef TASKS_STORE_DOCTOR_IMPL_H
#define TASKS_STORE_DOCTOR_IMPL_H

#include "impl.h"
#include "store/doctor.h"

enum { DOCTOR_TIMEOUT_S = 10 };

/* One connection with one statement at a time, and where to tell what it shows. */
struct doctor {
    struct db *db;
    struct db_stmt *stmt; /* the last one of doctor_ask */
    const struct doctor_needs *needs;
    const struct findings *findings;
    const char *what; /* the name of the check that runs */
};

/* Runs SQL and moves to its first row: 1, or 0 where there is none, or an error. Further rows by db_next on
 * d->stmt, which the next call closes. */
int doctor_ask(struct doctor *d, const char *sql, const struct db_value *params, unsigned count,
               struct error *e) MUST_USE;

/* Reads one number; an error where there is no row. */
int doctor_number(struct doctor *d, const char *sql, int64_t *out, struct error *e) MUST_USE;

/* Reads a status variable of the server; ERR_NOT_FOUND where it has none of that name. */
int doctor_status(struct doctor *d, const char *name, int64_t *out, struct error *e) MUST_USE;

/* A check tells what it finds. An error (of the connection, or a missing right) is told by the caller. */
typedef int doctor_check(struct doctor *d, struct error *e);

/* doctor_server.c: settings of the server and of a session */
doctor_check doctor_version, doctor_isolation, doctor_binlog, doctor_durability, doctor_packet, doctor_clock,
    doctor_connections, doctor_memory, doctor_writable;

/* doctor_queue.c: what the tables look like */
doctor_check doctor_plans, doctor_indexes, doctor_history, doctor_views, doctor_runners, doctor_waiting, doctor_paused,
    doctor_trash, doctor_rights;

#endif
