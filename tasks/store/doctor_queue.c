/* SPDX-License-Identifier: MIT */
/* doctor_queue.c: the plans of the claim, what stands in the tables, and what holds the purge of old rows up. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "doctor_impl.h"

/* --- plans -------------------------------------------------------------------------------------- */

enum { TABLE_COLUMN = 2 };

/* A lane to ask for: the statistics of one that has tasks decide, if there is one. */
struct lane {
    char type[65];
    int64_t priority;
};

static int find_lane(struct doctor *d, struct lane *out, struct error *e)
{
    *out = (struct lane){"csv_export", 5};
    int rc = doctor_ask(d, "SELECT type, priority FROM tasks FORCE INDEX (claim) WHERE status = 'fresh' "
                           "LIMIT 1", NULL,
                        0, e);
    if (rc > 0) {
        snprintf(out->type, sizeof out->type, "%s", db_col_text(d->stmt, 0, NULL));
        out->priority = db_col_int(d->stmt, 1);
    }
    return rc < 0 ? rc : 0;
}

/* The plan of the table tasks: 1 with the index and what else the server does; 0 where it can tell the answer
 * without a look at the table. */
static int read_plan(struct doctor *d, enum statement_id id, const struct db_value *params, unsigned count,
                     char *key, size_t size, char *extra, size_t extra_size, struct error *e)
{
    /* MySQL has two more columns: partitions and filtered */
    unsigned key_column = db_is_mariadb(d->db) ? 5 : 6, extra_column = db_is_mariadb(d->db) ? 9 : 11;
    struct buf sql = BUF_INIT;
    buf_adds(&sql, "EXPLAIN ");
    store_statement_text(&sql, id, 1);
    int rc = doctor_ask(d, buf_str(&sql), params, count, e);
    buf_free(&sql);
    if (rc < 0)
        return rc;
    if (rc == 0 || db_col_null(d->stmt, TABLE_COLUMN))
        return 0;
    const char *k = db_col_text(d->stmt, key_column, NULL), *x = db_col_text(d->stmt, extra_column, NULL);
    snprintf(key, size, "%s", k ? k : "");
    snprintf(extra, extra_size, "%s", x ? x : "");
    return 1;
}

/* The statements that a runner sends all the time: by the index `claim`, in its order. */
int doctor_plans(struct doctor *d, struct error *e)
{
    struct lane lane;
    int rc = find_lane(d, &lane, e);
    if (rc)
        return rc;
    struct db_value type = db_text(lane.type), priority = db_int(lane.priority), zero = db_int(0), ten = db_int(10);
    const struct {
        enum statement_id id;
        struct db_value params[7];
        unsigned count;
    } asked[] = {
        {ST_CLAIM_LANE, {type, priority, zero, zero, zero, type, ten}, 7},
        {ST_CLAIM_LANE_BUT, {zero, type, type, priority, type, ten}, 6},
        {ST_DUE, {type, priority, zero, ten}, 4},
    };
    unsigned good = 0;
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        char key[65], extra[256];
        rc = read_plan(d, asked[i].id, asked[i].params, asked[i].count, key, sizeof key, extra, sizeof extra, e);
        if (rc < 0)
            return rc;
        if (rc == 0 || (strcmp(key, "claim") == 0 && !strstr(extra, "filesort"))) {
            good++;
            continue;
        }
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "%s uses the index %s (%s): each claim costs as much as all that waits; the index "
                     "claim must be as in sql/: compare SHOW CREATE TABLE tasks, and run ANALYZE TABLE tasks",
                     statements[asked[i].id].name, *key ? key : "none", extra);
    }
    if (good == COUNT_OF(asked))
        finding_tell(d->findings, FINDING_OK, d->what, "%u statements, each by the index claim without a sort",
                     good);
    return 0;
}

/* Every index of tasks that is not ours is paid for at each change of a task. */
int doctor_indexes(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d,
                        "SELECT GROUP_CONCAT(DISTINCT index_name ORDER BY index_name SEPARATOR ', ')"
                        " FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name "
                        "= 'tasks' AND index_name NOT IN ('PRIMARY', 'claim', 'owner', 'expires')",
                        NULL, 0, e);
    if (rc < 0)
        return rc;
    const char *more = db_col_text(d->stmt, 0, NULL);
    if (more)
        finding_tell(d->findings, FINDING_NOTE, d->what,
                     "tasks has more than Backdesk made: %s: each makes every claim dearer and may bring "
                     "deadlocks; drop what nobody needs",
                     more);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "tasks has those of sql/ and no other");
    return 0;
}

/* --- purge -------------------------------------------------------------------------------------- */

int doctor_history(struct doctor *d, struct error *e)
{
    int64_t length = 0;
    struct error ignored = {0};
    int rc = doctor_status(d, "Innodb_history_list_length", &length, &ignored); /* MariaDB: no right needed */
    if (rc)
        rc = doctor_number(d, "SELECT count FROM information_schema.innodb_metrics"
                              " WHERE name = 'trx_rseg_history_len'", &length, e);
    if (rc)
        return rc;
    enum finding how = length >= 1000000 ? FINDING_WRONG : length >= 100000 ? FINDING_NOTE : FINDING_OK;
    finding_tell(d->findings, how, d->what, "history list length %" PRId64 "%s", length,
                 how == FINDING_OK ? "" : ": purge does not keep up, and every scan of an index wades "
                                     "through rows that are gone; end long transactions (see open views)");
    return 0;
}

/* innodb_trx has its times in the server's time zone. */
int doctor_views(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d,
                        "SELECT t.trx_mysql_thread_id, COALESCE(p.user, '?'), TIMESTAMPDIFF(SECOND, "
                        "t.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) FROM "
                        "information_schema.innodb_trx t LEFT JOIN information_schema.processlist p ON p.id "
                        "= t.trx_mysql_thread_id ORDER BY t.trx_started LIMIT 1",
                        NULL, 0, e);
    if (rc < 0)
        return rc;
    int64_t age = rc ? db_col_int(d->stmt, 2) : 0;
    if (age < 60) {
        finding_tell(d->findings, FINDING_OK, d->what, "no transaction is older than a minute");
        return 0;
    }
    finding_tell(d->findings, age >= 3600 ? FINDING_WRONG : FINDING_NOTE, d->what,
                 "connection %" PRId64 " of %s has had a transaction open for %" PRId64 " s: nothing "
                 "changed since can be purged; end it (KILL "
                 "%" PRId64 "), and export from a replica or page by page",
                 db_col_int(d->stmt, 0), db_col_text(d->stmt, 1, NULL), age, db_col_int(d->stmt, 0));
    return 0;
}

/* --- what stands in the tables -------------------------------------------------------------------- */

int doctor_runners(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d,
                        "SELECT COUNT(*), COALESCE(SUM" RUNNER_LIVES ", 0), COALESCE(SUM(slots), 0), "
                        "COALESCE(SUM(version <> ?), 0) FROM runners WHERE gone_at IS NULL",
                        (const struct db_value[]){db_text(PACKAGE_VERSION)}, 1, e);
    if (rc < 0)
        return rc;
    int64_t all = db_col_int(d->stmt, 0), alive = db_col_int(d->stmt, 1);
    int64_t slots = db_col_int(d->stmt, 2), others = db_col_int(d->stmt, 3);
    if (!alive)
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "none is alive%s: no task is run; start taskrunner, and look at its log",
                     all ? ", those entered have been silent for longer than their lease" : "");
    else if (all > alive)
        finding_tell(d->findings, FINDING_NOTE, d->what,
                     "%" PRId64 " alive, %" PRId64 " silent for longer than its lease: its tasks are taken "
                     "back; look at GET /v1/tasks/workers and at its host",
                     alive, all - alive);
    else if (others)
        finding_tell(d->findings, FINDING_NOTE, d->what,
                     "%" PRId64 " alive, %" PRId64 " of them of another version than " PACKAGE_VERSION ": "
                     "restart them",
                     alive, others);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "%" PRId64 " alive, %" PRId64 " tasks at a time", alive, slots);
    return 0;
}

/* What waits by type; the minimum is that of its lanes. */
#define WAITING "(SELECT type, MIN(turn) AS first, COUNT(*) AS tasks FROM tasks FORCE INDEX (claim)" \
                " WHERE status = 'fresh' GROUP BY type)"

enum { TYPES_NAMED = 5 };

/* Types that no runner takes, the longest wait first; paused ones are meant to wait. Returns whether there was one. */
static int tell_untaken(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d,
                        "SELECT h.type, (" TURN_NOW " - h.first) DIV 1000000 FROM " WAITING " h WHERE h.type NOT IN "
                        "(SELECT type FROM type_control WHERE paused_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "
                        "runners r WHERE r.gone_at IS NULL AND " RUNNER_LIVES
                        " AND JSON_CONTAINS(r.types, JSON_QUOTE(h.type))) ORDER BY h.first",
                        NULL, 0, e);
    struct buf names = BUF_INIT;
    unsigned count = 0;
    int64_t age = 0;
    for (; rc > 0; rc = db_next(d->stmt, e)) {
        if (count == 0)
            age = db_col_int(d->stmt, 1);
        if (count++ >= TYPES_NAMED)
            continue;
        buf_adds(&names, count > 1 ? ", " : "");
        buf_json_s(&names, db_col_text(d->stmt, 0, NULL));
    }
    if (count > TYPES_NAMED)
        buf_addf(&names, " and %u more", count - TYPES_NAMED);
    if (rc >= 0 && count)
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "tasks of type %s, the first for %" PRId64 " s, and no living runner takes %s: is the name right, "
                     "is the type enabled, is it in runner.types?",
                     buf_str(&names), age > 0 ? age : 0, count > 1 ? "these types" : "this type");
    buf_free(&names);
    return rc < 0 ? rc : count > 0;
}

/* How long the first of a lane waits. */
int doctor_waiting(struct doctor *d, struct error *e)
{
    int rc = tell_untaken(d, e);
    if (rc)
        return rc < 0 ? rc : 0;
    rc = doctor_ask(d,
                    "SELECT h.type, (" TURN_NOW " - h.first) DIV 1000000 FROM " WAITING " h WHERE h.type NOT IN "
                    "(SELECT type FROM type_control WHERE paused_at IS NOT NULL) ORDER BY h.first LIMIT 1",
                    NULL, 0, e);
    if (rc < 0)
        return rc;
    int64_t age = rc && db_col_int(d->stmt, 1) > 0 ? db_col_int(d->stmt, 1) : 0;
    if (age < 600)
        finding_tell(d->findings, FINDING_OK, d->what, "the first in the queue for %" PRId64 " s", age);
    else
        finding_tell(d->findings, FINDING_NOTE, d->what,
                     "a task of type %s for %" PRId64 " s: are there enough workers, or does a task hold one for "
                     "ever (queue.timeout)?",
                     db_col_text(d->stmt, 0, NULL), age);
    return 0;
}

/* A pause that was forgotten looks like a queue that hangs. */
int doctor_paused(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d,
                        "SELECT h.type, DATE_FORMAT(c.paused_at, '%Y-%m-%dT%H:%i:%sZ'), h.tasks FROM " WAITING
                        " h JOIN type_control c ON c.type = h.type WHERE c.paused_at IS NOT NULL ORDER BY c.paused_at",
                        NULL, 0, e);
    unsigned count = 0;
    for (; rc > 0; rc = db_next(d->stmt, e), count++) {
        const char *type = db_col_text(d->stmt, 0, NULL);
        finding_tell(d->findings, FINDING_NOTE, d->what, "%s since %s, %" PRId64 " wait: taskctl resume %s", type,
                     db_col_text(d->stmt, 1, NULL), db_col_int(d->stmt, 2), type);
    }
    if (rc == 0 && !count)
        finding_tell(d->findings, FINDING_OK, d->what, "no task waits for the end of a pause");
    return rc;
}

int doctor_trash(struct doctor *d, struct error *e)
{
    int64_t old = 0;
    int rc = doctor_number(d, "SELECT COUNT(*) FROM file_trash WHERE created_at < UTC_TIMESTAMP(6) - "
                              "INTERVAL 1 MINUTE",
                           &old, e);
    if (rc)
        return rc;
    if (old)
        finding_tell(d->findings, FINDING_NOTE, d->what,
                     "%" PRId64 " deleted files are still there after a minute: a runner removes them; look "
                     "for \"cannot remove\" in its log",
                     old);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "no deleted file is left");
    return 0;
}

/* Whether somebody else than the account has been given GRANT: MariaDB lists that, too. */
static bool is_everybodys(const char *grant)
{
    return strstr(grant, " TO PUBLIC") != NULL;
}

/* What MariaDB's installation gives to everybody, in databases for trying things out. */
static bool is_playground(const char *grant)
{
    return is_everybodys(grant) && (strstr(grant, " ON `test`.* ") || strstr(grant, " ON `test\\_%`.* "));
}

/* Rights that let an account do more than to change rows of the queue. */
static const char *too_much(const char *grant)
{
    static const char *const rights[] = {"ALL PRIVILEGES", "SUPER", "FILE", "GRANT OPTION", "CREATE", "DROP", "ALTER",
                                         "SHUTDOWN", "RELOAD", "PROCESS"};
    const char *on = strstr(grant, " ON ");
    if (is_playground(grant))
        return NULL;
    for (size_t i = 0; on && i < COUNT_OF(rights); i++) {
        const char *found = strstr(grant, rights[i]);
        if (found && (found < on || strcmp(rights[i], "GRANT OPTION") == 0))
            return rights[i];
    }
    /* rows of every database */
    return on && strncmp(on, " ON *.*", 7) == 0 && strncmp(grant, "GRANT USAGE", 11) != 0 ? "*.*" : NULL;
}

int doctor_rights(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d, "SELECT CURRENT_USER()", NULL, 0, e);
    char user[256] = "", first[32] = "";
    if (rc > 0)
        snprintf(user, sizeof user, "%s", db_col_text(d->stmt, 0, NULL));
    if (rc >= 0)
        rc = doctor_ask(d, "SHOW GRANTS", NULL, 0, e);
    for (; rc > 0; rc = db_next(d->stmt, e)) {
        const char *grant = db_col_text(d->stmt, 0, NULL), *more = too_much(grant);
        if (!more || *first)
            continue;
        snprintf(first, sizeof first, "%s", more);
        if (is_everybodys(grant)) /* it can be revoked from nobody else */
            snprintf(user, sizeof user, "PUBLIC");
    }
    if (rc < 0)
        return rc;
    if (*first)
        finding_tell(d->findings, FINDING_NOTE, d->what,
                     "%s may more than it needs (%s): whoever breaks into the daemon may too; REVOKE it and "
                     "give what sql/grants.sql has",
                     user, first);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "%s may change rows of its tables and no more", user);
    return 0;
}
