/* SPDX-License-Identifier: MIT */
/* export_csv.c: rows as CSV (RFC 4180: CRLF, quotes doubled), UTF-8. NULL is told apart from the
 * empty string, and text that a spreadsheet would run as a formula is defused. */
#include <string.h>

#include "csv_cell.h"
#include "export.h"

struct csv {
    struct csv_style style;
    enum cell_kind *kinds; /* per column */
    size_t fixed;         /* bytes a row may need beside twice its values */
};

static int write_header(struct export_writer *w)
{
    struct csv_style style = {0}; /* names are the operator's, and no NULL is among them */
    int rc = 0;
    for (unsigned i = 0; i < w->column_count && !rc; i++) {
        const char *name = w->columns[i].name;
        size_t len = strlen(name), room;
        char *p = output_reserve(w->out, csv_room(&style, len) + 2, &room, &w->error);
        if (!p)
            return w->error.code;
        char *end = csv_cell(p, &style, CELL_TEXT, name, len);
        *end++ = i + 1 < w->column_count ? ',' : '\r';
        output_advance(w->out, (size_t)(end - p));
    }
    return output_write(w->out, "\n", 1, &w->error);
}

static void open_state(struct export_writer *w)
{
    const struct export_def *def = w->export->def;
    struct csv *c = arena_calloc(run_arena(w->run), 1, sizeof *c);
    w->state = c;
    c->kinds = arena_calloc(run_arena(w->run), w->column_count, sizeof *c->kinds);
    c->style.guard = def->formula_guard;
    c->style.null_text = csv_null(run_arena(w->run), def->null_text, &c->style.null_len);
    c->fixed = 2; /* CRLF */
    for (unsigned i = 0; i < w->column_count; i++) {
        c->kinds[i] = cell_kind_of(&w->columns[i], def->binary == BINARY_HEX);
        c->fixed += csv_room(&c->style, 0) + 1;
    }
}

static int begin(struct export_writer *w)
{
    open_state(w);
    if (w->export->def->bom && output_write(w->out, "\xef\xbb\xbf", 3, &w->error))
        return w->error.code;
    return write_header(w);
}

/* No row depends on another. */
static bool save(struct export_writer *w, struct buf *out)
{
    (void)w;
    (void)out;
    return true;
}

static bool restore(struct export_writer *w, const void *state, size_t len)
{
    (void)state;
    open_state(w);
    return len == 0;
}

static char *put_part(void *stream, char *p, const char *part, size_t len)
{
    return csv_stream_add(stream, p, part, len);
}

static int write_large(struct export_writer *w, const struct row *row, unsigned column)
{
    const struct csv *c = w->state;
    struct csv_stream stream;
    csv_stream_begin(&stream, &c->style, c->kinds[column]);
    size_t quote_len = strlen(stream.quote);
    int rc = output_write(w->out, stream.quote, quote_len, &w->error);
    if (!rc)
        rc = export_value(w, row, column, put_part, &stream);
    return rc ? rc : output_write(w->out, stream.quote, quote_len, &w->error);
}

static char *put_cell(struct export_writer *w, char *p, const struct row *row, unsigned i)
{
    const struct csv *c = w->state;
    return csv_cell(p, &c->style, c->kinds[i], row->values[i], row->lengths[i]);
}

/* A row that does not fit the output's buffer, cell by cell. */
static int large_row(struct export_writer *w, const struct row *row)
{
    const struct csv *c = w->state;
    int rc = 0;
    for (unsigned i = 0; i < w->column_count && !rc; i++) {
        size_t need = csv_room(&c->style, row->lengths[i]);
        rc = export_one(w, row, i, need, put_cell, write_large);
        if (!rc && i + 1 < w->column_count)
            rc = output_write(w->out, ",", 1, &w->error);
    }
    return rc ? rc : output_write(w->out, "\r\n", 2, &w->error);
}

static int write_row(struct export_writer *w, const struct row *row)
{
    const struct csv *c = w->state;
    size_t room, need = 2 * row->bytes + c->fixed;
    if (row->is_long || need > OUTPUT_RESERVE_MAX)
        return large_row(w, row);
    char *start = output_reserve(w->out, need, &room, &w->error), *p = start;
    if (!p)
        return w->error.code;
    for (unsigned i = 0; i < w->column_count; i++) {
        p = csv_cell(p, &c->style, c->kinds[i], row->values[i], row->lengths[i]);
        *p++ = ',';
    }
    p[-1] = '\r';
    *p++ = '\n';
    output_advance(w->out, (size_t)(p - start));
    return 0;
}

static int end(struct export_writer *w)
{
    (void)w;
    return 0;
}

const struct export_format export_csv = {
    .type = "csv_export",
    .name = "csv",
    .ext = "csv",
    .begin = begin,
    .row = write_row,
    .end = end,
    .save = save,
    .restore = restore,
};
