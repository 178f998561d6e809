/* SPDX-License-Identifier: MIT */
/* fuzz_csv.c: any bytes as CSV. However the bytes arrive the rows are the same, they cover the file, reading
 * may go on behind any of them. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fuzz.h"
#include "tasks/types/csv_read.h"

enum { ROW_MAX = 200, FIELDS_MAX = 20 };

struct bytes {
    const char *p;
    size_t len, piece;
};

static int give(void *context, char *out, size_t size, struct error *e)
{
    struct bytes *b = context;
    size_t n = b->len < b->piece ? b->len : b->piece;
    (void)e;
    PROMISE(n <= size);
    memcpy(out, b->p, n);
    b->p += n;
    b->len -= n;
    return (int)n;
}

static void put_row(struct buf *out, const struct csv_row *row)
{
    char value[ROW_MAX + 1];
    buf_addf(out, "%d %u ", row->fault, row->count);
    for (unsigned i = 0; i < row->count; i++) {
        const struct csv_field *f = &row->fields[i];
        PROMISE(f->len <= ROW_MAX && f->p >= row->text && f->p + f->len <= row->text + row->len);
        size_t n = csv_unescape(f, value);
        PROMISE(n <= f->len);
        buf_addf(out, "%d:%zu:", f->quoted, n);
        buf_add(out, value, n);
    }
    buf_addc(out, '\n');
}

/* Where a row ends: in the file and in the text of all rows. */
struct place {
    uint64_t end, next_line;
    size_t text;
};

/* All rows from behind FROM on, as text with their places; *KEPT is the place of row number KEEP. */
static void read_all(const struct csv_rules *rules, const char *p, size_t len, size_t piece, const struct place *from,
                     struct buf *out, size_t keep, struct place *kept)
{
    struct bytes b = {p + from->end, len - from->end, piece};
    struct csv_reader *r = csv_reader_create(rules, give, &b, from->end, from->next_line);
    struct csv_row row;
    uint64_t end = from->end;
    int rc;
    while ((rc = csv_reader_next(r, &row, NULL)) == 1) {
        PROMISE(row.end > end && row.end <= len && row.next_line >= row.line);
        bool unclosed = row.fault == CSV_UNCLOSED;
        PROMISE(row.len <= ROW_MAX || row.fault == CSV_TOO_LONG || unclosed);
        PROMISE(!unclosed || (row.end == len && row.quote_line >= row.line && row.quote_line <= row.next_line));
        end = row.end;
        put_row(out, &row);
        buf_addf(out, "%llu %llu\n", (unsigned long long)row.line, (unsigned long long)row.end);
        if (keep-- == 0)
            *kept = (struct place){row.end, row.next_line, out->len};
    }
    PROMISE(rc == ERR_INVALID || end == len || (end == 0 && len == 3)); /* nothing but a byte order mark */
    csv_reader_destroy(&r);
}

static void same(const struct buf *whole, size_t from, const struct buf *part)
{
    PROMISE(whole->len - from == part->len);
    PROMISE(!part->len || memcmp(whole->data + from, part->data, part->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct place start = {0, 1, 0};
    const char *p = (const char *)data;
    struct csv_rules rules = {',', ROW_MAX, FIELDS_MAX};
    struct buf whole = BUF_INIT, bytewise = BUF_INIT, rest = BUF_INIT;
    struct place kept = {0}, ignored;
    if (size > 4096)
        return 0;
    if (size)
        rules.delimiter = ",;\t|"[data[size - 1] & 3];
    read_all(&rules, p, size, 4096, &start, &whole, size % 5, &kept);
    read_all(&rules, p, size, 1, &start, &bytewise, 0, &ignored);
    same(&whole, 0, &bytewise);
    if (kept.text) {
        read_all(&rules, p, size, 64, &kept, &rest, 0, &ignored);
        same(&whole, kept.text, &rest);
    }
    buf_free(&whole);
    buf_free(&bytewise);
    buf_free(&rest);
    return 0;
}
