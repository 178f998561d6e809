/* SPDX-License-Identifier: MIT */
/* doctor_source.c: a database of the site, as far as a connection and statements that are not run can tell. */
#include <stdlib.h>

#include "doctor_impl.h"

struct doctor_source {
    struct db *db;
};

int doctor_source_open(const struct db_address *address, const char *time_zone, struct doctor_source **out,
                       struct error *e)
{
    struct doctor_source *s = xcalloc(1, sizeof *s);
    struct db_options options = {.session = DB_SESSION_SOURCE, .timeout_s = DOCTOR_TIMEOUT_S, .time_zone = time_zone};
    int rc = db_open(address, &options, &s->db, e);
    if (rc)
        doctor_source_close(&s);
    *out = s;
    return rc;
}

int doctor_source_prepare(struct doctor_source *s, const char *sql, struct error *e)
{
    struct db_stmt *stmt = NULL;
    int rc = db_prepare(s->db, sql, &stmt, e);
    db_stmt_close(&stmt);
    return rc;
}

void doctor_source_close(struct doctor_source **s)
{
    if (!*s)
        return;
    db_close(&(*s)->db);
    free(*s);
    *s = NULL;
}
