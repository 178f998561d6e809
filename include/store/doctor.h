/* SPDX-License-Identifier: MIT */
/* doctor.h: what in a database's settings and state stands in the queue's way, in words for an operator.
 * It reads only, and holds no lock and no view for longer than a statement. */
#ifndef STORE_DOCTOR_H
#define STORE_DOCTOR_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/db_address.h"
#include "base/error.h"

enum finding {
    FINDING_OK,
    FINDING_NOTE,  /* worth knowing: slower than need be, or something that could not be looked at */
    FINDING_WRONG, /* promises are broken or work stands still until somebody mends it */
};

/* Told once for each thing looked at. TEXT is one line: the measured value and, unless it is OK, behind a colon
 * what follows from it and what to do. */
struct findings {
    void (*tell)(void *ctx, enum finding how, const char *what, const char *text);
    void *ctx;
};

void finding_tell(const struct findings *f, enum finding how, const char *what, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* What the configuration makes of the database. */
struct doctor_needs {
    int64_t api_connections;    /* of one pool */
    int64_t runner_connections; /* of one runner, with those of its workers to sources, which may be on this server */
    int64_t packet_bytes;       /* the longest statement */
};

/* Any of the accounts may be NULL, with what needs it left out. MIGRATION is asked only about other people's
 * transactions, for which it needs the right PROCESS. */
struct doctor_accounts {
    const struct db_address *api, *runner, *migration;
};

/* Everything about the server and the tables. Threads: one at a time, behind store_library_init. */
void store_doctor(const struct doctor_accounts *accounts, const struct doctor_needs *needs,
                  const struct findings *findings);

/* Calls FILE with the path, below the shared directory, of each of the newest MAX files that rows name, uploads left
 * out; by the account of the runner. Returns 0 or an error. */
int store_doctor_files(const struct db_address *runner, int64_t max,
                       void (*file)(void *ctx, const char *path), void *ctx, struct error *e) MUST_USE;

/* --- other databases, whose tables Backdesk does not know --- */

struct doctor_source;

/* Connects; e->db_errno has the number of what the server, or the client library, answers. TIME_ZONE: of the session,
 * or NULL. *OUT is NULL after a failure. */
int doctor_source_open(const struct db_address *address, const char *time_zone, struct doctor_source **out,
                       struct error *e) MUST_USE;

/* Whether the server knows everything in SQL, and the account may ask for it. Nothing is run. */
int doctor_source_prepare(struct doctor_source *s, const char *sql, struct error *e) MUST_USE;

void doctor_source_close(struct doctor_source **s); /* NULL is accepted */

#endif
