/* SPDX-License-Identifier: MIT */
/* list.c: pages of tasks by any mix of filters. The text of the statement is put together from fixed
 * pieces; every value is a parameter. */
#include <string.h>

#include "base/buf.h"
#include "impl.h"
#include "store/query.h"

/* How many rows one page may look at where a filter could reject them. */
enum { LOOK_AT = 5000, PARAMS_MAX = 3 * FILTER_VALUES_MAX + 24 };

struct select {
    struct buf sql;
    struct db_value params[PARAMS_MAX];
    unsigned count;
};

struct page {
    struct db_stmt *rows;
    uint64_t floor; /* the lowest id that it may look at; 0: there is nothing below */
    uint64_t next;  /* what the page behind this one begins below */
    size_t left;
    bool more; /* rows than it may give */
};

void task_filter_init(struct task_filter *f)
{
    *f = (struct task_filter){
        .created_before = INSTANT_NONE,
        .created_after = INSTANT_NONE,
        .started_before = INSTANT_NONE,
        .started_after = INSTANT_NONE,
        .finished_before = INSTANT_NONE,
        .finished_after = INSTANT_NONE,
        .cancel_requested = -1,
    };
}

static void add(struct select *q, const char *sql, struct db_value value)
{
    buf_adds(&q->sql, sql);
    q->params[q->count++] = value;
}

static void add_instant(struct select *q, const char *sql, int64_t usec)
{
    if (usec != INSTANT_NONE)
        add(q, sql, db_instant(usec));
}

/* The pattern of LIKE for a text in which only '*' is special ('=' escapes: no backslash rules). */
static const char *like_pattern(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, strlen(text) * 2 + 1), *p = out;
    for (; *text; text++) {
        if (*text == '%' || *text == '_' || *text == '=')
            *p++ = '=';
        *p++ = *text == '*' ? '%' : *text;
    }
    *p = '\0';
    return out;
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

/* The server refuses to compare a column of ASCII with a text that is not: nothing there is like it. */
static void add_patterns(struct select *q, const char *column, bool ascii, const char *const *texts,
                         size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        bool wild = strchr(texts[i], '*') != NULL;
        buf_adds(&q->sql, i ? " OR " : " AND (");
        if (ascii && !is_ascii(texts[i])) {
            buf_adds(&q->sql, "FALSE");
            continue;
        }
        buf_addf(&q->sql, "%s%s", column, wild ? " LIKE ? ESCAPE '='" : " = ?");
        q->params[q->count++] = db_text(wild ? like_pattern(arena, texts[i]) : texts[i]);
    }
    if (count)
        buf_addc(&q->sql, ')');
}

/* A fresh row whose run_at is to come counts as scheduled, not as fresh. */
static void add_status(struct select *q, const struct task_filter *f)
{
    static const char waits[] = "(t.status = 'fresh' AND t.run_at > UTC_TIMESTAMP(6))";
    if (!f->has_status)
        return;
    const char *join = " AND (";
    for (int i = 0; i < TASK_STATUS_COUNT; i++) {
        if (!f->status[i])
            continue;
        buf_addf(&q->sql, "%s(t.status = '%s'", join, task_status_name((enum task_status)i));
        if (i == TASK_fresh)
            buf_addf(&q->sql, " AND (t.run_at IS NULL OR NOT %s)", waits);
        if (i == TASK_scheduled)
            buf_addf(&q->sql, " OR %s", waits);
        buf_addc(&q->sql, ')');
        join = " OR ";
    }
    buf_adds(&q->sql, strcmp(join, " OR ") == 0 ? ")" : " AND FALSE");
}

static void add_filters(struct select *q, const struct task_filter *f, struct arena *arena)
{
    add_status(q, f);
    add_patterns(q, "t.type", true, f->type, f->types, arena);
    add_patterns(q, "t.worker", false, f->worker, f->workers, arena);
    for (size_t i = 0; i < f->creators; i++)
        add(q, i ? ", ?" : " AND t.created_by IN (?", db_int(f->created_by[i]));
    if (f->creators)
        buf_addc(&q->sql, ')');
    add_instant(q, " AND t.created_at < ?", f->created_before);
    add_instant(q, " AND t.created_at >= ?", f->created_after);
    add_instant(q, " AND t.started_at < ?", f->started_before);
    add_instant(q, " AND t.started_at >= ?", f->started_after);
    add_instant(q, " AND t.finished_at < ?", f->finished_before);
    add_instant(q, " AND t.finished_at >= ?", f->finished_after);
    if (f->cancel_requested >= 0)
        add(q, " AND t.cancel_requested = ?", db_int(f->cancel_requested));
}

static bool filters_rows(const struct task_filter *f)
{
    return f->has_status || f->types || f->workers || f->creators ||
           f->created_before != INSTANT_NONE || f->created_after != INSTANT_NONE ||
           f->started_before != INSTANT_NONE || f->started_after != INSTANT_NONE ||
           f->finished_before != INSTANT_NONE || f->finished_after != INSTANT_NONE ||
           f->cancel_requested >= 0;
}

static void add_range(struct select *q, const struct task_filter *f, uint64_t before)
{
    buf_addf(&q->sql, " FROM tasks t FORCE INDEX (%s) WHERE", f->owner ? "owner" : "PRIMARY");
    if (f->owner)
        add(q, " t.created_by = ? AND", db_int(f->owner));
    add(q, " t.id < ?", db_uint(before));
}

/* Runs Q; the statement is the caller's to close. */
static int64_t run(struct store *s, struct select *q, struct db_stmt **out, struct error *e)
{
    int rc = store_connect(s, e);
    if (!rc)
        rc = db_prepare(s->db, buf_str(&q->sql), out, e);
    return rc ? rc : db_run(*out, q->params, q->count, e);
}

/* The lowest id that one page may look at: 0 where fewer rows are left. An index-only read. */
static int find_floor(struct store *s, const struct task_filter *f, uint64_t before,
                      uint64_t *floor, struct error *e)
{
    struct select q = {.sql = BUF_INIT};
    struct db_stmt *r = NULL;
    *floor = 0;
    buf_adds(&q.sql, "SELECT t.id");
    add_range(&q, f, before);
    buf_addf(&q.sql, " ORDER BY t.id DESC LIMIT 1 OFFSET %d", LOOK_AT - 1);
    int64_t rc = run(s, &q, &r, e);
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc > 0)
        *floor = db_col_uint(r, 0);
    db_stmt_close(&r);
    buf_free(&q.sql);
    return rc < 0 ? (int)rc : 0;
}

/* Selects COLUMNS of a page's rows, and one row more, which tells of more. Returns how many, or an error. */
static int64_t open_page(struct store *s, const char *columns, const struct task_filter *f, uint64_t before_id,
                         size_t limit, struct arena *arena, struct page *page, struct error *e)
{
    struct select q = {.sql = BUF_INIT};
    uint64_t before = before_id ? before_id : UINT64_MAX;
    int rc = filters_rows(f) ? find_floor(s, f, before, &page->floor, e) : 0;
    if (rc)
        return rc;
    buf_addf(&q.sql, "SELECT %s", columns);
    add_range(&q, f, before);
    if (page->floor)
        add(&q, " AND t.id >= ?", db_uint(page->floor));
    add_filters(&q, f, arena);
    add(&q, " ORDER BY t.id DESC LIMIT ?", db_uint(limit + 1));
    int64_t found = run(s, &q, &page->rows, e);
    page->more = found > (int64_t)limit;
    page->left = limit;
    page->next = page->floor;
    buf_free(&q.sql);
    return found;
}

/* The next row of the page. 1, 0 at its end, or an error. */
static int next_row(struct page *page, struct error *e)
{
    int rc = page->left ? db_next(page->rows, e) : 0;
    if (rc > 0) {
        page->left--;
        page->next = page->more ? db_col_uint(page->rows, 0) : page->floor;
    }
    return rc;
}

/* What N rows of the page, or the error RC, mean to the caller. */
static int close_page(struct page *page, int64_t rc, int n, uint64_t *next)
{
    db_stmt_close(&page->rows);
    *next = rc < 0 ? 0 : page->next;
    return rc < 0 ? (int)rc : n;
}

int store_list_tasks(struct store *s, const struct task_filter *f, uint64_t before_id, size_t limit,
                     struct arena *arena, struct task *out, uint64_t *next, struct error *e)
{
    static const char columns[] = TASK_COLUMNS("(SELECT GROUP_CONCAT(" FILE_WORD ") FROM csv_export x"
                                               " WHERE x.task_id = t.id)");
    struct page page = {.floor = 0};
    int64_t rc = open_page(s, columns, f, before_id, limit, arena, &page, e);
    int n = 0;
    while (rc >= 0 && (rc = next_row(&page, e)) > 0) {
        store_read_task(page.rows, arena, &out[n]);
        n += out[n].id != 0;
    }
    return close_page(&page, rc, n, next);
}

int store_list_ids(struct store *s, const struct task_filter *f, uint64_t before_id, size_t limit,
                   struct arena *arena, uint64_t *out, uint64_t *next, struct error *e)
{
    struct page page = {.floor = 0};
    int64_t rc = open_page(s, "t.id", f, before_id, limit, arena, &page, e);
    int n = 0;
    while (rc >= 0 && (rc = next_row(&page, e)) > 0)
        out[n++] = db_col_uint(page.rows, 0);
    return close_page(&page, rc, n, next);
}
