/* SPDX-License-Identifier: MIT */
/* import_stage.c: many rows of which some are there already. They go into a temporary table first, are joined with
 * the target by each of its unique keys, and then inserted, updated or left out in a few statements. Where two
 * rows of the file are alike, or a value is refused, it gives up: then the rows go one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "import_write_impl.h"

#define STAGE "backdesk_stage"

enum { MARK_INSERT, MARK_OWN, MARK_FOREIGN };

struct import_stage {
    struct import_writer *w;
    int counter; /* place of the AUTO_INCREMENT column in a row's values: the stage must not count; -1 */
    struct db_stmt *inserts[INSERT_SIZES];
    struct db_stmt **meets; /* per key */
    unsigned char *marks;   /* per row: what it meets in the target */
    size_t marks_cap;
};

/* --- making it ----------------------------------------------------------------------------------------- */

/* MyISAM, because it is emptied at once: InnoDB would keep what has been deleted until the transaction's end, and
 * each batch would wade through that of all before. */
static int create(struct import_writer *w, struct error *e)
{
    struct buf sql = BUF_INIT;
    buf_adds(&sql, "CREATE TEMPORARY TABLE " STAGE " LIKE ");
    buf_sql_name(&sql, w->table->name);
    int rc = db_exec(w->db, "DROP TEMPORARY TABLE IF EXISTS " STAGE, e);
    if (!rc)
        rc = db_exec(w->db, buf_str(&sql), e);
    if (!rc)
        rc = db_exec(w->db, "ALTER TABLE " STAGE " ENGINE = MyISAM, ADD COLUMN backdesk_row INT UNSIGNED NOT NULL,"
                            " ADD KEY backdesk_row (backdesk_row)", e);
    buf_free(&sql);
    return rc;
}

static int prepare_insert(struct import_stage *s, size_t rows, struct db_stmt **out, struct error *e)
{
    struct buf sql = BUF_INIT;
    import_add_insert(&sql, STAGE, s->w->table, "backdesk_row, ");
    for (size_t i = 0; i < rows; i++) {
        buf_addf(&sql, "%s%zu", i ? ", (" : " VALUES (", i);
        for (size_t k = 0; k < s->w->width; k++)
            buf_adds(&sql, ", ?");
        buf_addc(&sql, ')');
    }
    int rc = db_prepare(s->w->db, buf_str(&sql), out, e);
    buf_free(&sql);
    return rc;
}

/* " FROM stage s STRAIGHT_JOIN target t FORCE INDEX (key) ON s.k = t.k": the small table first. */
static void add_join(struct buf *out, const struct import_table *t, const struct import_key *k)
{
    buf_adds(out, STAGE " s STRAIGHT_JOIN ");
    buf_sql_name(out, t->name);
    buf_adds(out, " t FORCE INDEX (");
    buf_sql_name(out, k->name);
    buf_adds(out, ") ON ");
    import_add_match(out, t, k, "t.", "s.");
}

static int prepare_meet(struct import_stage *s, unsigned key, struct error *e)
{
    const struct import_table *t = s->w->table;
    struct buf sql = BUF_INIT;
    buf_adds(&sql, "SELECT s.backdesk_row, t.");
    buf_sql_name(&sql, t->columns[t->owner].name);
    buf_adds(&sql, " <=> ? FROM ");
    add_join(&sql, t, &t->keys[key]);
    buf_adds(&sql, " FOR UPDATE");
    int rc = db_prepare(s->w->db, buf_str(&sql), &s->meets[key], e);
    buf_free(&sql);
    return rc;
}

/* A key that the file does not fill cannot be compared: the table's own refusal is told row by row. */
static int prepare_all(struct import_stage *s, struct error *e)
{
    struct import_writer *w = s->w;
    int rc = 0;
    for (unsigned i = 0; i + 1 < w->size_count && !rc; i++)
        rc = prepare_insert(s, w->sizes[i], &s->inserts[i], e);
    for (unsigned i = 0; i < w->table->key_count && !rc; i++)
        if (import_key_written(w->table, &w->table->keys[i]))
            rc = prepare_meet(s, i, e);
    return rc;
}

static int find_counter(const struct import_table *t)
{
    for (unsigned i = 0; i < t->written_count; i++)
        if (t->columns[t->written[i]].counts)
            return (int)i;
    return -1;
}

struct import_stage *import_stage_open(struct import_writer *w)
{
    struct import_stage *s = xcalloc(1, sizeof *s);
    struct error e = {0};
    s->w = w;
    s->counter = find_counter(w->table);
    s->meets = xcalloc(w->table->key_count + 1, sizeof *s->meets);
    s->marks_cap = w->sizes[0];
    s->marks = xcalloc(s->marks_cap, 1);
    if (create(w, &e) || prepare_all(s, &e)) {
        log_warning("imports into %s find duplicates row by row, which is slow: %s", w->table->name, e.text);
        import_stage_close(&s);
    }
    return s;
}

void import_stage_close(struct import_stage **sp)
{
    struct import_stage *s = *sp;
    if (!s)
        return;
    *sp = NULL;
    for (unsigned i = 0; i < INSERT_SIZES; i++)
        db_stmt_close(&s->inserts[i]);
    for (unsigned i = 0; i < s->w->table->key_count; i++)
        db_stmt_close(&s->meets[i]);
    free(s->meets);
    free(s->marks);
    free(s);
}

/* --- using it -------------------------------------------------------------------------------------------- */

/* Some rows on their way. */
struct passage {
    struct import_batch *b;
    size_t at, count;
    size_t inserted, replaced, skipped;
};

static int fill(struct import_stage *s, const struct passage *p, struct error *e)
{
    const struct import_writer *w = s->w;
    unsigned size = 0;
    while (w->sizes[size] != p->count)
        size++;
    int rc = db_exec(w->db, "DELETE FROM " STAGE, e);
    if (rc)
        return rc;
    int64_t n = db_run(s->inserts[size], p->b->values + p->at * p->b->width, (unsigned)(p->count * w->width), e);
    return n < 0 ? (int)n : 0;
}

/* Finds out what each row meets in the table. */
static int compare(struct import_stage *s, struct passage *p, struct error *e)
{
    const struct import_writer *w = s->w;
    memset(s->marks, MARK_INSERT, p->count);
    for (unsigned k = 0; k < w->table->key_count; k++) {
        if (!s->meets[k])
            continue;
        int64_t rc = db_run(s->meets[k], &w->owner, 1, e);
        while (rc >= 0 && (rc = db_next(s->meets[k], e)) > 0) {
            unsigned char *mark = &s->marks[db_col_uint(s->meets[k], 0)];
            unsigned char met = db_col_int(s->meets[k], 1) ? MARK_OWN : MARK_FOREIGN;
            /* own ones by two keys are the same row, or else the replacing fails */
            if (met > *mark)
                *mark = met;
        }
        if (rc < 0)
            return (int)rc;
    }
    return 0;
}

/* Has the stage leave out what the rest of the passage is not for. *LEFT: how many. */
static int leave_out(struct import_stage *s, struct passage *p, size_t *left, struct error *e)
{
    struct buf sql = BUF_INIT;
    bool skip = s->w->policy == IMPORT_SKIP;
    int rc = 0;
    *left = 0;
    for (size_t i = 0; i < p->count; i++) {
        bool own = s->marks[i] == MARK_OWN;
        p->inserted += s->marks[i] == MARK_INSERT;
        p->replaced += own && !skip;
        p->skipped += own && skip;
        if (s->marks[i] != MARK_FOREIGN && !(own && skip))
            continue;
        buf_adds(&sql, sql.len ? ", " : "DELETE FROM " STAGE " WHERE backdesk_row IN (");
        buf_add_u64(&sql, i);
        ++*left;
    }
    if (sql.len && *left < p->count) {
        buf_addc(&sql, ')');
        rc = db_exec(s->w->db, buf_str(&sql), e);
    }
    buf_free(&sql);
    return rc;
}

/* "ON DUPLICATE KEY UPDATE", for rows of the same owner only: should somebody else's have come since the look at
 * them, it stays as it is. */
static void add_replace(struct buf *sql, const struct import_table *t)
{
    const char *owner = t->columns[t->owner].name;
    for (unsigned i = 0; i + 1 < t->written_count; i++) { /* the owner is the last */
        const char *name = t->columns[t->written[i]].name;
        buf_adds(sql, i ? ", " : " ON DUPLICATE KEY UPDATE ");
        import_add_place(sql, t, name);
        buf_adds(sql, " = IF(");
        import_add_place(sql, t, owner);
        buf_adds(sql, " <=> VALUES(");
        buf_sql_name(sql, owner);
        buf_adds(sql, "), VALUES(");
        buf_sql_name(sql, name);
        buf_adds(sql, "), ");
        import_add_place(sql, t, name);
        buf_addc(sql, ')');
    }
}

/* Brings what the stage holds into the target. */
static int move_rows(struct import_stage *s, bool replace, struct error *e)
{
    const struct import_table *t = s->w->table;
    struct buf sql = BUF_INIT;
    import_add_insert(&sql, t->name, t, "");
    for (unsigned i = 0; i < t->written_count; i++) {
        buf_adds(&sql, i ? ", s." : " SELECT s.");
        buf_sql_name(&sql, t->columns[t->written[i]].name);
    }
    buf_adds(&sql, " FROM " STAGE " s ORDER BY s.backdesk_row");
    if (replace)
        add_replace(&sql, t);
    int rc = db_exec(s->w->db, buf_str(&sql), e);
    buf_free(&sql);
    return rc;
}

static int apply(struct import_stage *s, struct passage *p, struct error *e)
{
    size_t left;
    int rc = leave_out(s, p, &left, e);
    if (!rc && left < p->count)
        rc = move_rows(s, p->replaced > 0, e);
    return rc;
}

/* Which key it was is found out once more, with the reason: such rows are few. */
static int reject_foreign(struct import_stage *s, struct passage *p, struct error *e)
{
    int rc = 0;
    for (size_t i = 0; i < p->count && !rc; i++)
        if (s->marks[i] == MARK_FOREIGN)
            rc = import_write_each(s->w, p->b, p->at + i, 1, e);
    return rc;
}

/* The stage counts by itself where the file does not: it would give numbers that the target should give. */
static bool counts(const struct import_stage *s, const struct passage *p)
{
    for (size_t i = 0; s->counter >= 0 && i < p->count; i++)
        if (p->b->values[(p->at + i) * p->b->width + (size_t)s->counter].kind == DB_NULL)
            return true;
    return false;
}

int import_stage_write(struct import_stage *s, struct import_batch *b, size_t at, size_t count, struct error *e)
{
    struct passage p = {.b = b, .at = at, .count = count};
    struct error refused = {0};
    if (counts(s, &p))
        return 0;
    int rc = db_exec(s->w->db, "SAVEPOINT backdesk_stage", &refused);
    if (!rc)
        rc = fill(s, &p, &refused);
    if (!rc)
        rc = compare(s, &p, &refused);
    if (!rc)
        rc = apply(s, &p, &refused);
    if (rc && !import_row_fault(&refused)) {
        *e = refused;
        return rc;
    }
    if (rc)
        return db_exec(s->w->db, "ROLLBACK TO SAVEPOINT backdesk_stage", e);
    s->w->crowded = p.inserted < count;
    b->result.inserted += p.inserted;
    b->result.replaced += p.replaced;
    b->result.skipped += p.skipped;
    rc = reject_foreign(s, &p, e);
    return rc ? rc : 1;
}
