/* SPDX-License-Identifier: MIT */
/* export_html.c: rows as the table of one HTML document; the document around them is html_page's.
 * */
#include "cell.h"
#include "export.h"
#include "html_cell.h"
#include "html_page.h"

enum {
    BODY_ROWS = 500, /* rows of one tbody */
    CELL_ROOM = 64,  /* the tags of a cell and a number */
};

struct html {
    enum cell_kind *kinds; /* per column */
    uint64_t rows;
};

#define PUT(p, literal) cell_put(p, literal, sizeof(literal) - 1)

static int write_buf(struct export_writer *w, struct buf *b)
{
    int rc = output_write(w->out, b->data, b->len, &w->error);
    buf_free(b);
    return rc;
}

static void open_state(struct export_writer *w)
{
    struct html *h = arena_calloc(run_arena(w->run), 1, sizeof *h);
    w->state = h;
    h->kinds = arena_calloc(run_arena(w->run), w->column_count, sizeof *h->kinds);
    for (unsigned i = 0; i < w->column_count; i++)
        h->kinds[i] = cell_kind_of(&w->columns[i], w->export->def->binary == BINARY_HEX);
}

/* How many rows there were says where the present tbody ends. */
static bool save(struct export_writer *w, struct buf *out)
{
    const struct html *h = w->state;
    buf_add_u64(out, h->rows);
    return true;
}

static bool restore(struct export_writer *w, const void *state, size_t len)
{
    open_state(w);
    struct html *h = w->state;
    const char *p = state;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        h->rows = 10 * h->rows + (uint64_t)(p[i] - '0');
    }
    return h->rows > 0;
}

static int begin(struct export_writer *w)
{
    open_state(w);
    struct buf b = BUF_INIT;
    struct html_page page = {
        .title = export_title(w->export),
        .description = w->export->def->description,
        .task = run_task(w->run),
        .columns = w->columns,
        .column_count = w->column_count,
        .body_rows = BODY_ROWS,
    };
    html_page_begin(&b, &page);
    return write_buf(w, &b);
}

static int end(struct export_writer *w)
{
    const struct html *h = w->state;
    struct buf b = BUF_INIT;
    html_page_end(&b, h->rows);
    return write_buf(w, &b);
}

/* --- rows ------------------------------------------------------------------------------------ */

/* P has html_room(len) + CELL_ROOM. */
static char *put_cell(char *p, enum cell_kind kind, const char *value, size_t len)
{
    if (!value)
        return PUT(p, "<td class=\"null\">NULL</td>");
    p = PUT(p, "<td>");
    switch (kind) {
    case CELL_PLAIN:
        p = cell_put(p, value, len);
        break;
    case CELL_TEXT:
    case CELL_JSON:
        p = html_text(p, value, len);
        break;
    case CELL_BIT:
        p = cell_bit(p, value, len);
        break;
    case CELL_BASE64:
    case CELL_HEX:
        p = cell_bytes(p, kind, value, len);
        break;
    }
    return PUT(p, "</td>");
}

static char *put_part(void *kind, char *p, const char *part, size_t len)
{
    enum cell_kind k = *(const enum cell_kind *)kind;
    return k == CELL_TEXT || k == CELL_JSON ? html_text(p, part, len) : cell_bytes(p, k, part, len);
}

static int write_large(struct export_writer *w, const struct row *row, unsigned column)
{
    const struct html *h = w->state;
    int rc = output_write(w->out, "<td>", 4, &w->error);
    if (!rc)
        rc = export_value(w, row, column, put_part, &h->kinds[column]);
    return rc ? rc : output_write(w->out, "</td>", 5, &w->error);
}

static char *put_one(struct export_writer *w, char *p, const struct row *row, unsigned i)
{
    const struct html *h = w->state;
    return put_cell(p, h->kinds[i], row->values[i], row->lengths[i]);
}

/* A row that does not fit the output's buffer, cell by cell. */
static int large_row(struct export_writer *w, const struct row *row)
{
    int rc = output_write(w->out, "<tr>", 4, &w->error);
    for (unsigned i = 0; i < w->column_count && !rc; i++) {
        size_t need = html_room(row->lengths[i]) + CELL_ROOM;
        rc = export_one(w, row, i, need, put_one, write_large);
    }
    return rc ? rc : output_write(w->out, "</tr>\n", 6, &w->error);
}

static int write_row(struct export_writer *w, const struct row *row)
{
    struct html *h = w->state;
    if (h->rows++ % BODY_ROWS == 0 && h->rows > 1 &&
        output_write(w->out, "</tbody>\n<tbody>\n", 17, &w->error))
        return w->error.code;
    size_t room, need = html_room(row->bytes) + (size_t)w->column_count * CELL_ROOM;
    if (row->is_long || need > OUTPUT_RESERVE_MAX)
        return large_row(w, row);
    char *start = output_reserve(w->out, need, &room, &w->error), *p = start;
    if (!p)
        return w->error.code;
    p = PUT(p, "<tr>");
    for (unsigned i = 0; i < w->column_count; i++)
        p = put_cell(p, h->kinds[i], row->values[i], row->lengths[i]);
    p = PUT(p, "</tr>\n");
    output_advance(w->out, (size_t)(p - start));
    return 0;
}

const struct export_format export_html = {
    .type = "html_export",
    .name = "html",
    .ext = "html",
    .begin = begin,
    .row = write_row,
    .end = end,
    .save = save,
    .restore = restore,
};
