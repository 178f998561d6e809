/* SPDX-License-Identifier: MIT */
/* import_ledger.c: the statements on backdesk_imports and backdesk_import_rejects. */
#include "import_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "db/rows.h"

enum { ERRNO_TOO_LARGE = 1153 }; /* for the server's max_allowed_packet */

enum ledger_statement { OPEN, READ, TAKE, FORGET, LOCK, SAVE, REJECT, OLD, DROP_REJECTS, DROP, STATEMENT_COUNT };

static const char *const texts[STATEMENT_COUNT] = {
    [OPEN] = "INSERT INTO backdesk_imports (upload, task_id, fence, options, changed_at)"
             " VALUES (?, ?, ?, ?, UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE upload = upload",
    [READ] = "SELECT position, line, rows_read, inserted, replaced, skipped, rejected, done, fence, options = ?"
             " FROM backdesk_imports WHERE upload = ? AND task_id = ? FOR UPDATE",
    [TAKE] = "UPDATE backdesk_imports SET fence = ?, options = ?, position = ?, line = ?, rows_read = ?,"
             " inserted = ?, replaced = ?, skipped = ?, rejected = ?, done = ?, changed_at = UTC_TIMESTAMP()"
             " WHERE upload = ? AND task_id = ?",
    [FORGET] = "DELETE FROM backdesk_import_rejects WHERE upload = ? AND task_id = ?",
    [LOCK] = "SELECT position, line, rows_read, inserted, replaced, skipped, rejected, done"
             " FROM backdesk_imports WHERE upload = ? AND task_id = ? AND fence = ? FOR UPDATE",
    [SAVE] = "UPDATE backdesk_imports SET position = ?, line = ?, rows_read = ?, inserted = ?, replaced = ?,"
             " skipped = ?, rejected = ?, done = ?, changed_at = UTC_TIMESTAMP()"
             " WHERE upload = ? AND task_id = ? AND fence = ?",
    [REJECT] = "INSERT INTO backdesk_import_rejects (upload, task_id, row_no, line, column_name, reason, record)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [OLD] = "SELECT upload, task_id FROM backdesk_imports"
            " WHERE changed_at < UTC_TIMESTAMP() - INTERVAL ? SECOND ORDER BY changed_at LIMIT 20",
    [DROP_REJECTS] = "DELETE FROM backdesk_import_rejects WHERE upload = ? AND task_id = ? LIMIT 10000",
    [DROP] = "DELETE FROM backdesk_imports WHERE upload = ? AND task_id = ?"
             " AND changed_at < UTC_TIMESTAMP() - INTERVAL ? SECOND",
};

struct import_ledger {
    struct db *db;
    const struct import_ledger_key *key;
    struct db_stmt *stmts[STATEMENT_COUNT];
};

#define RUN(l, id, e, ...)                                              \
    db_run((l)->stmts[id], (const struct db_value[]){__VA_ARGS__},      \
           sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value), (e))

int import_ledger_open(struct db *d, const struct import_ledger_key *key, struct import_ledger **out,
                       struct error *e)
{
    struct import_ledger *l = xcalloc(1, sizeof *l);
    int rc = 0;
    l->db = d;
    l->key = key;
    for (size_t i = 0; i < STATEMENT_COUNT && !rc; i++)
        rc = db_prepare(d, texts[i], &l->stmts[i], e);
    if (rc)
        import_ledger_close(&l);
    *out = l;
    return rc;
}

void import_ledger_close(struct import_ledger **lp)
{
    struct import_ledger *l = *lp;
    if (!l)
        return;
    *lp = NULL;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        db_stmt_close(&l->stmts[i]);
    free(l);
}

static void read_state(struct db_stmt *r, struct import_state *s)
{
    *s = (struct import_state){
        .position = db_col_uint(r, 0),
        .line = db_col_uint(r, 1),
        .counts = {db_col_uint(r, 2), db_col_uint(r, 3), db_col_uint(r, 4), db_col_uint(r, 5), db_col_uint(r, 6)},
        .done = db_col_int(r, 7) != 0,
    };
}

#define STATE_VALUES(s)                                                                       \
    db_uint((s)->position), db_uint((s)->line), db_uint((s)->counts.read),                    \
        db_uint((s)->counts.inserted), db_uint((s)->counts.replaced),                         \
        db_uint((s)->counts.skipped), db_uint((s)->counts.rejected), db_int((s)->done)

static int lost(struct error *e)
{
    return error_set(e, ERR_FENCED, "another worker has this import");
}

static int take(struct import_ledger *l, struct import_state *out, struct error *e)
{
    const struct import_ledger_key *k = l->key;
    int64_t rc = RUN(l, OPEN, e, db_text(k->upload), db_uint(k->task), db_uint(k->fence), db_text(k->options));
    if (rc >= 0)
        rc = RUN(l, READ, e, db_text(k->options), db_text(k->upload), db_uint(k->task));
    if (rc >= 0)
        rc = db_next(l->stmts[READ], e);
    if (rc <= 0)
        return rc < 0 ? (int)rc : lost(e);
    read_state(l->stmts[READ], out);
    if (db_col_uint(l->stmts[READ], 8) > k->fence)
        return lost(e);
    if (!db_col_int(l->stmts[READ], 9)) {
        *out = (struct import_state){.line = 1};
        rc = RUN(l, FORGET, e, db_text(k->upload), db_uint(k->task));
    }
    if (rc >= 0)
        rc = RUN(l, TAKE, e, db_uint(k->fence), db_text(k->options), STATE_VALUES(out), db_text(k->upload),
                 db_uint(k->task));
    return rc < 0 ? (int)rc : 0;
}

int import_ledger_take(struct import_ledger *l, struct import_state *out, struct error *e)
{
    int rc = db_begin(l->db, e);
    if (!rc)
        rc = take(l, out, e);
    if (!rc)
        rc = db_commit(l->db, e);
    if (rc)
        db_rollback(l->db);
    return rc;
}

int import_ledger_lock(struct import_ledger *l, struct import_state *out, struct error *e)
{
    const struct import_ledger_key *k = l->key;
    int64_t rc = RUN(l, LOCK, e, db_text(k->upload), db_uint(k->task), db_uint(k->fence));
    if (rc >= 0)
        rc = db_next(l->stmts[LOCK], e);
    if (rc <= 0)
        return rc < 0 ? (int)rc : lost(e);
    read_state(l->stmts[LOCK], out);
    return 0;
}

int import_ledger_save(struct import_ledger *l, const struct import_state *s, struct error *e)
{
    const struct import_ledger_key *k = l->key;
    int64_t rc = RUN(l, SAVE, e, STATE_VALUES(s), db_text(k->upload), db_uint(k->task), db_uint(k->fence));
    return rc < 0 ? (int)rc : rc == 0 ? lost(e) : 0;
}

static int add_reject(struct import_ledger *l, const struct import_reject *j, size_t len, struct error *e)
{
    const struct import_ledger_key *k = l->key;
    int64_t rc = RUN(l, REJECT, e, db_text(k->upload), db_uint(k->task), db_uint(j->row.number), db_uint(j->row.line),
                     db_text(j->column), db_text(j->reason), db_bytes(j->row.text, len));
    return rc < 0 ? (int)rc : 0;
}

int import_ledger_add_rejects(struct import_ledger *l, const struct import_reject *rejects, size_t count,
                              struct error *e)
{
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        struct error refused = {0};
        rc = add_reject(l, &rejects[i], rejects[i].row.len, &refused);
        if (rc && refused.db_errno == ERRNO_TOO_LARGE) /* a later attempt tells all of the row but its text */
            rc = add_reject(l, &rejects[i], 0, e);
        else if (rc)
            *e = refused;
    }
    return rc;
}

int import_ledger_replay(struct import_ledger *l,
                         int (*each)(void *context, const struct import_reject *reject, struct error *e),
                         void *context, struct error *e)
{
    struct db_value params[] = {db_text(l->key->upload), db_uint(l->key->task)};
    struct db_rows *rows = NULL;
    char **v;
    unsigned long *lengths;
    int rc = db_rows_open(l->db, "SELECT row_no, line, column_name, reason, record FROM backdesk_import_rejects"
                                 " WHERE upload = ? AND task_id = ? ORDER BY row_no",
                          params, COUNT_OF(params), &rows, e);
    while (!rc && (rc = db_rows_next(rows, &v, &lengths, e)) > 0) {
        struct import_reject j = {
            .row = {strtoull(v[0], NULL, 10), strtoull(v[1], NULL, 10), v[4], lengths[4]},
            .column = v[2],
            .reason = v[3],
        };
        rc = each(context, &j, e);
    }
    db_rows_close(&rows);
    return rc;
}

int import_ledger_clean(struct import_ledger *l, int64_t keep_usec, struct error *e)
{
    struct db_value seconds = db_int(keep_usec / 1000000);
    int64_t rc = db_run(l->stmts[OLD], &seconds, 1, e);
    while (rc >= 0 && (rc = db_next(l->stmts[OLD], e)) > 0) {
        struct db_value upload = db_text(db_col_text(l->stmts[OLD], 0, NULL));
        struct db_value task = db_uint(db_col_uint(l->stmts[OLD], 1));
        rc = RUN(l, DROP_REJECTS, e, upload, task);
        if (rc == 0) /* the last of them are gone */
            rc = RUN(l, DROP, e, upload, task, seconds);
    }
    return rc < 0 ? (int)rc : 0;
}
