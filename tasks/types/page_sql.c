/* SPDX-License-Identifier: MIT */
/* page_sql.c: builds the statements of page_sql.h. */
#include "page_sql.h"

#include "base/buf.h"

/* page.`name` */
static void add_column(struct buf *b, const char *name)
{
    buf_adds(b, "page.");
    buf_sql_name(b, name);
}

/* The query stands on lines of its own. */
static void add_from(struct buf *b, const char *query)
{
    buf_adds(b, " FROM (\n");
    buf_adds(b, query);
    buf_adds(b, "\n) AS page");
}

static void add_is_long(struct buf *b, const struct page_query *q, unsigned column)
{
    buf_adds(b, "LENGTH(");
    add_column(b, q->columns[column].name);
    buf_adds(b, ") > ");
    buf_add_u64(b, q->long_bytes);
}

static void add_columns(struct buf *b, const struct page_query *q)
{
    for (unsigned i = 0; i < q->column_count; i++) {
        if (i)
            buf_adds(b, ", ");
        if (q->is_long[i]) {
            buf_adds(b, "IF(");
            add_is_long(b, q, i);
            buf_adds(b, ", NULL, ");
            add_column(b, q->columns[i].name);
            buf_addc(b, ')');
        } else {
            add_column(b, q->columns[i].name);
        }
    }
}

/* 1 where any value of the row is long. */
static void add_any_long(struct buf *b, const struct page_query *q)
{
    const char *between = ", ";
    for (unsigned i = 0; i < q->column_count; i++) {
        if (!q->is_long[i])
            continue;
        buf_adds(b, between);
        add_is_long(b, q, i);
        between = " OR ";
    }
}

/* The length of each long value. */
static void add_long_lengths(struct buf *b, const struct page_query *q)
{
    for (unsigned i = 0; i < q->column_count; i++) {
        if (!q->is_long[i])
            continue;
        buf_adds(b, ", IF(");
        add_is_long(b, q, i);
        buf_adds(b, q->columns[i].type == DB_TYPE_BYTES ? ", LENGTH(" : ", CHAR_LENGTH(");
        add_column(b, q->columns[i].name);
        buf_adds(b, "), NULL)");
    }
}

/* Rows behind a key: for (a, b) "a >= ? AND (a > ? OR (a = ? AND b > ?))". Both servers read only
 * the range of an index on (a, b) for it, and it needs no sort; for (a, b) > (?, ?) they read the
 * whole index, and without "a = ?" all rows with the same a again on each page. */
static void add_after(struct buf *b, const struct page_query *q)
{
    unsigned last = q->key_count - 1;
    buf_adds(b, " WHERE ");
    if (last) {
        add_column(b, q->keys[0]);
        buf_adds(b, " >= ? AND ");
    }
    for (unsigned i = 0; i < last; i++) {
        buf_addc(b, '(');
        add_column(b, q->keys[i]);
        buf_adds(b, " > ? OR (");
        add_column(b, q->keys[i]);
        buf_adds(b, " = ? AND ");
    }
    add_column(b, q->keys[last]);
    buf_adds(b, " > ?");
    for (unsigned i = 0; i < last; i++)
        buf_adds(b, "))");
}

/* Behind one value of the only column, up to another. */
static void add_between(struct buf *b, const struct page_query *q)
{
    buf_adds(b, " WHERE ");
    add_column(b, q->keys[0]);
    buf_adds(b, " > ? AND ");
    add_column(b, q->keys[0]);
    buf_adds(b, " <= ?");
}

static void add_equal(struct buf *b, const struct page_query *q)
{
    for (unsigned i = 0; i < q->key_count; i++) {
        buf_adds(b, i ? " AND " : " WHERE ");
        add_column(b, q->keys[i]);
        buf_adds(b, " = ?");
    }
}

static void add_order(struct buf *b, const struct page_query *q)
{
    for (unsigned i = 0; i < q->key_count; i++) {
        buf_adds(b, i ? ", " : " ORDER BY ");
        add_column(b, q->keys[i]);
    }
    buf_adds(b, " LIMIT ?");
}

/* Copies the text to ARENA and empties B. */
static const char *take(struct buf *b, struct arena *arena)
{
    const char *text = arena_strndup(arena, buf_str(b), b->len);
    buf_clear(b);
    return text;
}

/* WHERE (NULL: none) adds which rows, EXTRA what stands behind the columns where there are long ones. */
static const char *page(struct buf *b, const struct page_query *q,
                        void (*where)(struct buf *, const struct page_query *),
                        void (*extra)(struct buf *, const struct page_query *),
                        struct arena *arena)
{
    buf_adds(b, "SELECT ");
    if (q->is_long) {
        add_columns(b, q);
        extra(b, q);
    } else {
        buf_addc(b, '*');
    }
    add_from(b, q->text);
    if (where)
        where(b, q);
    add_order(b, q);
    return take(b, arena);
}

void page_sql_build(const struct page_query *q, struct arena *arena, struct page_sql *out)
{
    struct buf b = BUF_INIT;
    *out = (struct page_sql){0};
    out->first = page(&b, q, NULL, add_any_long, arena);
    out->next = page(&b, q, add_after, add_any_long, arena);
    if (q->is_long) {
        out->long_first = page(&b, q, NULL, add_long_lengths, arena);
        out->long_next = page(&b, q, add_after, add_long_lengths, arena);
    }
    if (q->key_count == 1) {
        out->range = page(&b, q, add_between, add_any_long, arena);
        buf_adds(&b, "SELECT ");
        add_column(&b, q->keys[0]);
        add_from(&b, q->text);
        buf_adds(&b, " ORDER BY ");
        add_column(&b, q->keys[0]);
        buf_adds(&b, " DESC LIMIT 1");
        out->last = take(&b, arena);
    }
    buf_adds(&b, "SELECT COUNT(*) FROM (SELECT 1");
    add_from(&b, q->text);
    add_equal(&b, q);
    buf_adds(&b, " LIMIT 2) AS twin");
    out->twin = take(&b, arena);
    buf_free(&b);
}

const char *page_sql_describe(const char *query, struct arena *arena)
{
    return arena_printf(arena, "SELECT * FROM (\n%s\n) AS page LIMIT 0", query);
}

const char *page_sql_count(const char *query, struct arena *arena)
{
    return arena_printf(arena, "SELECT COUNT(*) FROM (\n%s\n) AS page", query);
}

const char *page_sql_slice(const struct page_query *q, unsigned column, struct arena *arena)
{
    struct buf b = BUF_INIT;
    buf_adds(&b, "SELECT SUBSTRING(");
    add_column(&b, q->columns[column].name);
    buf_adds(&b, ", ?, ?)");
    add_from(&b, q->text);
    add_equal(&b, q);
    const char *text = take(&b, arena);
    buf_free(&b);
    return text;
}
