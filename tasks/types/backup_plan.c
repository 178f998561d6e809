/* SPDX-License-Identifier: MIT */
/* backup_plan.c: reads information_schema before a backup. */
#include "backup_plan.h"

#include <string.h>

#include "db/db.h"
#include "source.h"

/* A right that a part of the backup needs. */
struct right {
    const char *name;
    bool needed, there;
};

struct planner {
    struct run *run;
    const struct backup_def *def;
    const struct source_def *source;
    struct db *db;
    struct backup_plan *plan;
    struct run_outcome *outcome;
    struct buf inconsistent; /* "a (MyISAM), b (CSV)" */
    size_t found;            /* of def->tables */
};

/* --- tables ----------------------------------------------------------------------------------- */

static const char tables_sql[] =
    "SELECT t.table_name, t.table_type, t.engine, e.transactions, t.data_length"
    " FROM information_schema.tables t LEFT JOIN information_schema.engines e ON e.engine = t.engine"
    " WHERE t.table_schema = ? ORDER BY t.table_name";

static const char *or_unknown(const char *text)
{
    return text ? text : "unknown";
}

static void add_table(struct planner *p, struct db_stmt *row)
{
    const struct backup_def *b = p->def;
    const char *name = arena_strdup(run_arena(p->run), or_unknown(db_col_text(row, 0, NULL)));
    const char *type = db_col_text(row, 1, NULL);
    if (str_list_has(&b->exclude, name) || (b->tables.count && !str_list_has(&b->tables, name)))
        return;
    p->found++;
    if (type && strstr(type, "VIEW")) {
        p->plan->views++;
        return;
    }
    p->plan->tables++;
    p->plan->bytes += db_col_uint(row, 4);
    const char *transactions = db_col_text(row, 3, NULL);
    if (!transactions || strcmp(transactions, "YES") != 0)
        buf_addf(&p->inconsistent, "%s%s (%s)", p->inconsistent.len ? ", " : "", name,
                 or_unknown(db_col_text(row, 2, NULL)));
}

static int read_tables(struct planner *p, struct error *e)
{
    struct db_stmt *stmt = NULL;
    struct db_value database = db_text(p->source->database);
    int rc = db_prepare(p->db, tables_sql, &stmt, e);
    if (!rc)
        rc = db_run(stmt, &database, 1, e) < 0 ? e->code : 0;
    while (!rc && (rc = db_next(stmt, e)) > 0) {
        add_table(p, stmt);
        rc = 0;
    }
    db_stmt_close(&stmt);
    return rc;
}

static int read_packet(struct planner *p, struct error *e)
{
    struct db_stmt *stmt = NULL;
    int64_t rc = db_prepare(p->db, "SELECT @@GLOBAL.max_allowed_packet", &stmt, e);
    if (!rc)
        rc = db_run(stmt, NULL, 0, e);
    if (rc >= 0)
        rc = db_next(stmt, e);
    if (rc > 0)
        p->plan->packet_bytes = db_col_uint(stmt, 0);
    db_stmt_close(&stmt);
    return rc < 0 ? (int)rc : 0;
}

/* --- rights ----------------------------------------------------------------------------------- */

/* Reads SQL, whose only column is the name of a right that the account has on the whole database. */
static int read_rights(struct planner *p, const char *sql, const char *database, struct right *rights,
                       size_t count, struct error *e)
{
    struct db_stmt *stmt = NULL;
    struct db_value params[] = {db_text(database)};
    int rc = db_prepare(p->db, sql, &stmt, e);
    if (!rc)
        rc = db_run(stmt, params, database ? 1 : 0, e) < 0 ? e->code : 0;
    while (!rc && (rc = db_next(stmt, e)) > 0) {
        const char *name = db_col_text(stmt, 0, NULL);
        for (size_t i = 0; i < count; i++)
            rights[i].there |= name && strcmp(name, rights[i].name) == 0;
        rc = 0;
    }
    db_stmt_close(&stmt);
    return rc;
}

/* Rights that come by a role are not listed as the account's own. */
static int has_role(struct planner *p, bool *out, struct error *e)
{
    struct right role = {.name = "role"};
    int rc = read_rights(p, "SELECT 'role' FROM information_schema.enabled_roles WHERE role_name IS NOT NULL",
                         NULL, &role, 1, e);
    if (rc && db_usable(p->db)) { /* MySQL before 8.0.19 does not have the table */
        error_clear(e);
        rc = 0;
    }
    *out = role.there;
    return rc;
}

enum { SELECT_RIGHT, VIEW_RIGHT, TRIGGER_RIGHT, EVENT_RIGHT, ROUTINE_RIGHT, RIGHTS };

static int check_rights(struct planner *p, struct error *e)
{
    const struct backup_def *b = p->def;
    struct right rights[RIGHTS] = {
        [SELECT_RIGHT] = {"SELECT", !b->tables.count, false},
        [VIEW_RIGHT] = {"SHOW VIEW", p->plan->views > 0, false},
        [TRIGGER_RIGHT] = {"TRIGGER", b->triggers, false},
        [EVENT_RIGHT] = {"EVENT", b->events, false},
        [ROUTINE_RIGHT] = {"SELECT on mysql.proc", b->routines && db_is_mariadb(p->db), false},
    };
    if (b->routines && !db_is_mariadb(p->db))
        rights[ROUTINE_RIGHT] = (struct right){"SHOW_ROUTINE", true, false};
    bool by_role = false;
    int rc = has_role(p, &by_role, e);
    if (!rc && by_role) {
        run_log(p->run, "the account has a role: whether it may see all of the database is not checked");
        return 0;
    }
    if (!rc)
        rc = read_rights(p, "SELECT privilege_type FROM information_schema.user_privileges", NULL, rights, RIGHTS, e);
    bool all = rights[SELECT_RIGHT].there; /* of every database */
    if (!rc)
        rc = read_rights(p, "SELECT privilege_type FROM information_schema.schema_privileges"
                            " WHERE ? LIKE table_schema",
                         p->source->database, rights, RIGHTS, e);
    if (!rc && db_is_mariadb(p->db))
        rc = read_rights(p, "SELECT 'SELECT on mysql.proc' FROM information_schema.table_privileges"
                            " WHERE table_schema = 'mysql' AND table_name = 'proc' AND privilege_type = 'SELECT'"
                            " UNION SELECT 'SELECT on mysql.proc' FROM information_schema.schema_privileges"
                            " WHERE table_schema = 'mysql' AND privilege_type = 'SELECT'"
                            " UNION SELECT 'SELECT on mysql.proc' FROM information_schema.user_privileges"
                            " WHERE privilege_type = 'SHOW CREATE ROUTINE'",
                         NULL, rights, RIGHTS, e);
    if (rc)
        return rc;
    rights[ROUTINE_RIGHT].there |= all;
    struct buf missing = BUF_INIT;
    for (size_t i = 0; i < RIGHTS; i++)
        if (rights[i].needed && !rights[i].there)
            buf_addf(&missing, "%s%s", missing.len ? ", " : "", rights[i].name);
    if (missing.len)
        rc = run_fail(p->outcome, RUN_FAILED_FINAL, "grants_missing",
                      "the account of backup \"%s\" lacks %s, so that the dump would leave things out: grant that, "
                      "or switch off what it is for",
                      b->name, buf_str(&missing));
    buf_free(&missing);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int check_tables(struct planner *p)
{
    const struct backup_def *b = p->def;
    if (p->found < b->tables.count)
        return run_fail(p->outcome, RUN_FAILED_FINAL, "table_missing",
                        "backup \"%s\" names %zu tables, and only %zu of them are there or may be seen", b->name,
                        b->tables.count, p->found);
    if (!p->inconsistent.len)
        return 0;
    if (!b->allow_inconsistent)
        return run_fail(p->outcome, RUN_FAILED_FINAL, "inconsistent_tables",
                        "tables without transactions cannot be backed up as of one moment: %.700s; exclude them, "
                        "change their engine or set allow_inconsistent",
                        buf_str(&p->inconsistent));
    run_log(p->run, "without transactions, so each as of its own moment: %s", buf_str(&p->inconsistent));
    return 0;
}

static int connection_failed(struct planner *p, const struct error *e)
{
    const char *name = p->def->name;
    run_log(p->run, "%s", e->text);
    if (e->code == ERR_DENIED)
        return run_fail(p->outcome, RUN_FAILED, "source_denied", "the database of backup \"%s\" refuses access",
                        name);
    if (e->code == ERR_DB_GONE) {
        source_wait(p->run, p->outcome);
        return run_fail(p->outcome, RUN_FAILED, "source_unavailable",
                        "the database of backup \"%s\" cannot be reached", name);
    }
    return run_fail(p->outcome, RUN_FAILED, "query_failed", "the database of backup \"%s\" cannot be examined",
                    name);
}

int backup_plan_make(struct run *r, const struct backup_def *b, const struct source_def *source,
                     struct backup_plan *out, struct run_outcome *o)
{
    struct planner p = {.run = r, .def = b, .source = source, .plan = out, .outcome = o};
    struct error e = {0};
    *out = (struct backup_plan){0};
    int rc = source_open(source, &p.db, &e);
    if (!rc)
        rc = read_tables(&p, &e);
    if (!rc)
        rc = read_packet(&p, &e);
    if (!rc)
        rc = check_rights(&p, &e);
    if (rc && e.code)
        rc = connection_failed(&p, &e);
    if (!rc)
        rc = check_tables(&p);
    buf_free(&p.inconsistent);
    db_close(&p.db);
    return rc;
}
