/* SPDX-License-Identifier: MIT */
/* export_xlsx.c: rows as an Excel workbook: which column is what, and its cells. */
#include <stdio.h>
#include <string.h>

#include "cell.h"
#include "export.h"
#include "xlsx_book.h"
#include "xlsx_cell.h"

enum {
    FRACTION_SHOWN = 3, /* digits of a second that Excel can show */
    DECIMALS_MAX = 30,  /* more says that there is no fixed number of them */
    BASE64_BYTES = XLSX_TEXT_MAX / 4 * 3, /* bytes that fit a cell */
    HEX_BYTES = XLSX_TEXT_MAX / 2,
    WIDTH_MIN = 8, /* of a column, in digits */
    WIDTH_MAX = 40,
    WIDTH_FILTER = 3, /* the header's button */
};

enum kind { NUMBER, BIT, BOOLEAN, DATE, TIME, DATETIME, TEXT, BYTES };

struct column {
    enum kind kind;
    lxw_format *format; /* NULL = General */
    double width;
};

struct xlsx {
    struct xlsx_about about;
    struct xlsx_book book;
    lxw_format *bold;
    struct column *columns;
    uint64_t truncated, numbers_as_text, dates_as_text;
    char text[XLSX_TEXT_ROOM];
};

/* --- columns -------------------------------------------------------------------------------------- */

static enum kind kind_of(const struct db_column *c, bool boolean)
{
    if (boolean)
        return BOOLEAN;
    switch (c->type) {
    case DB_TYPE_INTEGER:
    case DB_TYPE_DECIMAL:
    case DB_TYPE_FLOAT:
    case DB_TYPE_DOUBLE:
    case DB_TYPE_YEAR:
        return NUMBER;
    case DB_TYPE_BIT:
        return BIT;
    case DB_TYPE_DATE:
        return DATE;
    case DB_TYPE_TIME:
        return TIME;
    case DB_TYPE_DATETIME:
        return DATETIME;
    case DB_TYPE_BYTES:
        return BYTES;
    case DB_TYPE_TEXT:
    case DB_TYPE_JSON:
    case DB_TYPE_NULL:
        break;
    }
    return TEXT;
}

static lxw_format *format_of(struct xlsx *x, const struct db_column *c, enum kind kind)
{
    static const char *const plain[] = {
        [NUMBER] = "0",
        [BIT] = "0",
        [DATE] = "yyyy\\-mm\\-dd",
        [TIME] = "[hh]:mm:ss",
        [DATETIME] = "yyyy\\-mm\\-dd hh:mm:ss",
        [BYTES] = NULL,
    };
    if (!plain[kind])
        return NULL;
    unsigned decimals = kind == BIT || kind == DATE || c->type == DB_TYPE_YEAR ? 0 : c->decimals;
    if (kind == NUMBER && decimals > DECIMALS_MAX)
        return NULL;
    if (kind != NUMBER && decimals > FRACTION_SHOWN)
        decimals = FRACTION_SHOWN;
    char text[80];
    snprintf(text, sizeof text, "%s%s%.*s", plain[kind], decimals ? "." : "", (int)decimals,
             "000000000000000000000000000000");
    lxw_format *format = workbook_add_format(x->book.book);
    if (format)
        format_set_num_format(format, text);
    return format;
}

static double width_of(const struct db_column *c, enum kind kind)
{
    size_t width = strlen(c->name) + WIDTH_FILTER;
    size_t value = kind == TEXT ? c->max_bytes / 4 : kind == BOOLEAN ? 0 : c->max_bytes + 1;
    width = width > value ? width : value;
    return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : (double)width;
}

/* --- cells ---------------------------------------------------------------------------------------- */

static lxw_error put_text(struct xlsx *x, lxw_col_t col, const char *v, size_t len)
{
    x->truncated += !xlsx_text(x->text, v, len);
    return worksheet_write_string(x->book.sheet, x->book.row, col, x->text, NULL);
}

static lxw_error put_bytes(struct xlsx *x, lxw_col_t col, bool hex, const char *v, size_t len)
{
    size_t most = hex ? HEX_BYTES : BASE64_BYTES;
    x->truncated += len > most;
    *cell_bytes(x->text, hex ? CELL_HEX : CELL_BASE64, v, len < most ? len : most) = '\0';
    return worksheet_write_string(x->book.sheet, x->book.row, col, x->text, NULL);
}

static lxw_error put_number(struct xlsx *x, lxw_col_t col, const char *v, size_t len)
{
    double n;
    if (xlsx_number(v, len, &n))
        return worksheet_write_number(x->book.sheet, x->book.row, col, n, x->columns[col].format);
    x->numbers_as_text++;
    return put_text(x, col, v, len);
}

static lxw_error put_bit(struct xlsx *x, lxw_col_t col, const char *v, size_t len)
{
    char digits[CELL_BIT_ROOM + 1];
    char *end = cell_bit(digits, v, len);
    *end = '\0';
    return put_number(x, col, digits, (size_t)(end - digits));
}

static lxw_error put_instant(struct xlsx *x, lxw_col_t col, const char *v, size_t len)
{
    static bool (*const read[])(const char *, size_t, double *) = {
        [DATE] = xlsx_date,
        [TIME] = xlsx_time,
        [DATETIME] = xlsx_datetime,
    };
    double days;
    if (read[x->columns[col].kind](v, len, &days))
        return worksheet_write_number(x->book.sheet, x->book.row, col, days, x->columns[col].format);
    x->dates_as_text++;
    return put_text(x, col, v, len);
}

static lxw_error put_value(struct export_writer *w, unsigned column, const char *v, size_t len)
{
    struct xlsx *x = w->state;
    lxw_col_t col = (lxw_col_t)column;
    switch (x->columns[column].kind) {
    case NUMBER:
        return put_number(x, col, v, len);
    case BIT:
        return put_bit(x, col, v, len);
    case BOOLEAN:
        return worksheet_write_boolean(x->book.sheet, x->book.row, col,
                                       cell_is_true(&w->columns[column], v, len), NULL);
    case DATE:
    case TIME:
    case DATETIME:
        return put_instant(x, col, v, len);
    case BYTES:
        return put_bytes(x, col, w->export->def->binary == BINARY_HEX, v, len);
    case TEXT:
        break;
    }
    return put_text(x, col, v, len);
}

/* The first piece of a long value is more than a cell can hold. */
struct beginning {
    struct export_writer *w;
    unsigned column;
    lxw_error err;
};

static bool put_beginning(void *state, const char *part, size_t len)
{
    struct beginning *b = state;
    b->err = put_value(b->w, b->column, part, len);
    return false;
}

/* --- the format ----------------------------------------------------------------------------------- */

static int begin_sheet(struct export_writer *w)
{
    struct xlsx *x = w->state;
    int rc = xlsx_book_add_sheet(&x->book, &w->error);
    for (unsigned i = 0; i < w->column_count && !rc; i++) {
        lxw_col_t col = (lxw_col_t)i;
        (void)xlsx_text(x->text, w->columns[i].name, strlen(w->columns[i].name));
        lxw_error err = worksheet_set_column(x->book.sheet, col, col, x->columns[i].width, NULL);
        if (!err)
            err = worksheet_write_string(x->book.sheet, 0, col, x->text, x->bold);
        if (err)
            rc = xlsx_failed(err, &w->error);
    }
    return rc ? rc : xlsx_book_end_row(&x->book, &w->error);
}

static int begin(struct export_writer *w)
{
    struct xlsx *x = arena_calloc(run_arena(w->run), 1, sizeof *x);
    w->state = x;
    x->about = (struct xlsx_about){
        .path = result_file_path(w->file),
        .title = export_title(w->export),
        .sheets = w->export->def->name,
        .created = (time_t)(run_task(w->run)->created_at / 1000000), /* the same in each attempt */
        .columns = (lxw_col_t)w->column_count,
    };
    int rc = xlsx_book_open(&x->book, &x->about, &w->error);
    if (rc)
        return rc;
    x->bold = workbook_add_format(x->book.book);
    if (x->bold)
        format_set_bold(x->bold);
    x->columns = arena_calloc(run_arena(w->run), w->column_count, sizeof *x->columns);
    for (unsigned i = 0; i < w->column_count; i++) {
        enum kind kind = kind_of(&w->columns[i], w->booleans[i]);
        x->columns[i] = (struct column){kind, format_of(x, &w->columns[i], kind),
                                        width_of(&w->columns[i], kind)};
    }
    return begin_sheet(w);
}

static int write_row(struct export_writer *w, const struct row *row)
{
    struct xlsx *x = w->state;
    int rc = xlsx_book_sheet_full(&x->book) ? begin_sheet(w) : 0;
    for (unsigned i = 0; i < w->column_count && !rc; i++) {
        struct beginning b = {.w = w, .column = i};
        if (!row->values[i] && !(row->is_long && row->is_long[i]))
            continue;
        rc = export_look_at(w, row, i, put_beginning, &b);
        if (!rc && b.err)
            rc = xlsx_failed(b.err, &w->error);
    }
    return rc ? rc : xlsx_book_end_row(&x->book, &w->error);
}

static int end(struct export_writer *w)
{
    struct xlsx *x = w->state;
    run_progress_message(w->run, "packing the workbook");
    int rc = xlsx_book_pack(&x->book, &w->error);
    run_progress_message(w->run, NULL);
    return rc ? rc : result_file_take_written(w->file, &w->error);
}

static void close_book(struct export_writer *w)
{
    struct xlsx *x = w->state;
    xlsx_book_free(&x->book);
}

static void add_result(const struct export_writer *w, struct buf *b)
{
    const struct xlsx *x = w->state;
    buf_addf(b, ",\"sheets\":%u,\"truncated\":", x->book.sheet_count);
    buf_add_u64(b, x->truncated);
    buf_adds(b, ",\"numbers_as_text\":");
    buf_add_u64(b, x->numbers_as_text);
    buf_adds(b, ",\"dates_as_text\":");
    buf_add_u64(b, x->dates_as_text);
}

const struct export_format export_xlsx = {
    .type = "xlsx_export",
    .name = "xlsx",
    .ext = "xlsx",
    .begin = begin,
    .row = write_row,
    .end = end,
    .close = close_book,
    .add_result = add_result,
};
