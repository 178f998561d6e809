/* SPDX-License-Identifier: MIT */
/* doctor.c: which check runs as which account, and what is said where one cannot run. */
#include "store/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "doctor_impl.h"
#include "store/migrate.h"

enum { TEXT_SIZE = 1024 };

void finding_tell(const struct findings *f, enum finding how, const char *what, const char *fmt, ...)
{
    char text[TEXT_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\t') /* of a query that the server quotes */
            *p = ' ';
    f->tell(f->ctx, how, what, text);
}

/* --- asking ------------------------------------------------------------------------------------- */

int doctor_ask(struct doctor *d, const char *sql, const struct db_value *params, unsigned count,
               struct error *e)
{
    db_stmt_close(&d->stmt);
    int rc = db_prepare(d->db, sql, &d->stmt, e);
    if (rc)
        return rc;
    int64_t rows = db_run(d->stmt, params, count, e);
    return rows < 0 ? (int)rows : db_next(d->stmt, e);
}

int doctor_number(struct doctor *d, const char *sql, int64_t *out, struct error *e)
{
    int rc = doctor_ask(d, sql, NULL, 0, e);
    if (rc == 0)
        return error_set(e, ERR_NOT_FOUND, "no answer to: %s", sql);
    if (rc < 0)
        return rc;
    *out = db_col_int(d->stmt, 0);
    return 0;
}

int doctor_status(struct doctor *d, const char *name, int64_t *out, struct error *e)
{
    struct buf sql = BUF_INIT;
    buf_addf(&sql, "SHOW GLOBAL STATUS LIKE '%s'", name);
    int rc = doctor_ask(d, buf_str(&sql), NULL, 0, e);
    buf_free(&sql);
    if (rc == 0)
        return error_set(e, ERR_NOT_FOUND, "the server has no status %s", name);
    if (rc < 0)
        return rc;
    *out = db_col_int(d->stmt, 1);
    return 0;
}

/* --- the checks --------------------------------------------------------------------------------- */

static const struct row {
    const char *what;
    doctor_check *check;
    const char *unless; /* what to do where the account may not look */
} api_checks[] = {
    {"server", doctor_version, NULL},
    {"writable", doctor_writable, NULL},
    {"isolation", doctor_isolation, NULL},
    {"binary log", doctor_binlog, NULL},
    {"durability", doctor_durability, NULL},
    {"packet", doctor_packet, NULL},
    {"connections", doctor_connections, NULL},
    {"memory", doctor_memory, NULL},
    {"clock", doctor_clock, NULL},
    {"runners", doctor_runners, NULL},
    {"waiting", doctor_waiting, NULL},
    {"paused", doctor_paused, NULL},
    {"rights of api", doctor_rights, NULL},
}, runner_checks[] = {
    {"claim plans", doctor_plans, NULL},
    {"indexes", doctor_indexes, NULL},
    {"trash", doctor_trash, NULL},
    {"rights of runner", doctor_rights, NULL},
}, migration_checks[] = {
    {"history", doctor_history, "GRANT PROCESS ON *.* to the account migration, or SHOW ENGINE INNODB STATUS"},
    {"open views", doctor_views, "GRANT PROCESS ON *.* to the account migration, which no daemon uses"},
};


static void run_checks(struct doctor *d, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error e = {0};
        d->what = rows[i].what;
        int rc = rows[i].check(d, &e);
        if (rc == ERR_DENIED && rows[i].unless)
            finding_tell(d->findings, FINDING_NOTE, rows[i].what, "cannot be looked at: %s", rows[i].unless);
        else if (rc < 0)
            finding_tell(d->findings, FINDING_WRONG, rows[i].what, "%s", e.text);
    }
}

static void look_as(const struct db_address *address, const char *account, const struct row *rows, size_t count,
                    const struct doctor_needs *needs, const struct findings *findings)
{
    struct doctor d = {.needs = needs, .findings = findings};
    struct db_options options = {.session = DB_SESSION_QUEUE, .timeout_s = DOCTOR_TIMEOUT_S};
    struct error e = {0};
    if (db_open(address, &options, &d.db, &e))
        finding_tell(findings, FINDING_WRONG, account, "%s", e.text);
    else
        run_checks(&d, rows, count);
    db_stmt_close(&d.stmt);
    db_close(&d.db);
}

/* Does every statement of the role prepare, which tells of the schema and of missing rights? */
static void look_at_statements(const struct db_address *address, const char *account, enum store_role role,
                               const struct findings *findings)
{
    struct store *s = store_create(address, role, DOCTOR_TIMEOUT_S);
    struct error e = {0};
    if (store_check(s, &e))
        finding_tell(findings, FINDING_WRONG, account, "%s%s", e.text,
                     e.code == ERR_DENIED ? ": give it the rights of sql/grants.sql" : "");
    else
        finding_tell(findings, FINDING_OK, account, "schema %d, every statement prepares", STORE_SCHEMA_VERSION);
    store_destroy(&s);
}

void store_doctor(const struct doctor_accounts *a, const struct doctor_needs *needs,
                  const struct findings *findings)
{
    if (a->api) {
        look_at_statements(a->api, "account api", STORE_API, findings);
        look_as(a->api, "database", api_checks, COUNT_OF(api_checks), needs, findings);
    }
    if (a->runner) {
        look_at_statements(a->runner, "account runner", STORE_RUNNER, findings);
        look_as(a->runner, "database", runner_checks, COUNT_OF(runner_checks), needs, findings);
    }
    if (a->migration)
        look_as(a->migration, "account migration", migration_checks, COUNT_OF(migration_checks), needs, findings);
}

int store_doctor_files(const struct db_address *runner, int64_t max,
                       void (*file)(void *ctx, const char *path), void *ctx, struct error *e)
{
    struct doctor d = {0};
    struct db_options options = {.session = DB_SESSION_QUEUE, .timeout_s = DOCTOR_TIMEOUT_S};
    struct db_value limit = db_int(max);
    int rc = db_open(runner, &options, &d.db, e);
    if (!rc)
        rc = doctor_ask(&d, "SELECT path FROM csv_export WHERE removed_at IS NULL ORDER BY id DESC LIMIT "
                            "?", &limit,
                        1, e);
    while (rc > 0) {
        file(ctx, db_col_text(d.stmt, 0, NULL));
        rc = db_next(d.stmt, e);
    }
    db_stmt_close(&d.stmt);
    db_close(&d.db);
    return rc;
}
