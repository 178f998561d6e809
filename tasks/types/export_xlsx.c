/* SPDX-License-Identifier: MIT */
/* export_xlsx.c: rows as an Excel workbook, by libxlsxwriter in its constant-memory mode: each row goes
 * to a temporary file of its sheet, and the end packs them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "cell.h"
#include "export.h"
#include "xlsx_cell.h"
#include "xlsx_check.h"

enum {
    SHEET_ROWS = LXW_ROW_MAX, /* with the header */
    NAME_LEN = 20,            /* of the export's name in a sheet's; Excel allows 31 characters */
    TEMPORARY_BUFFER = 256 * 1024,
    FRACTION_SHOWN = 3,       /* digits of a second that Excel can show */
    DECIMALS_MAX = 30,        /* more says that there is no fixed number of them */
    BASE64_BYTES = XLSX_TEXT_MAX / 4 * 3, /* bytes that fit a cell */
    HEX_BYTES = XLSX_TEXT_MAX / 2,
    WIDTH_MIN = 8, /* of a column, in digits */
    WIDTH_MAX = 40,
    WIDTH_FILTER = 3, /* the header's button */
};

/* From here on the package needs ZIP64, which not every reader knows. */
static const uint64_t zip64_bytes = UINT64_C(0xf0000000);

enum kind { NUMBER, BIT, BOOLEAN, DATE, TIME, DATETIME, TEXT, BYTES };

struct column {
    enum kind kind;
    lxw_format *format; /* NULL = General */
    double width;
};

/* What must be known of a sheet behind the library's back. */
struct sheet {
    int fd; /* of the temporary file; it is unlinked already */
    dev_t dev;
    ino_t ino;
};

struct xlsx {
    lxw_workbook *book;
    lxw_worksheet *present;
    lxw_format *bold;
    struct column *columns;
    struct sheet *sheets;
    uint64_t *sizes; /* per sheet, once it is complete: bytes of its rows */
    unsigned sheet_count;
    lxw_row_t next_row;
    uint64_t truncated, numbers_as_text, dates_as_text;
    char text[XLSX_TEXT_ROOM];
};

static int library_failed(struct export_writer *w, lxw_error err)
{
    return error_set(&w->error, ERR_IO, "the workbook cannot be written: %s", lxw_strerror(err));
}

static int temporary_failed(struct export_writer *w)
{
    return error_set(&w->error, ERR_IO, "the temporary files of the workbook cannot be written: is "
                                        "the disk of the result files full?");
}

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
    lxw_format *format = workbook_add_format(x->book);
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

/* --- sheets --------------------------------------------------------------------------------------- */

static int write_header(struct export_writer *w)
{
    struct xlsx *x = w->state;
    for (unsigned i = 0; i < w->column_count; i++) {
        lxw_col_t col = (lxw_col_t)i;
        (void)xlsx_text(x->text, w->columns[i].name, strlen(w->columns[i].name));
        lxw_error err = worksheet_set_column(x->present, col, col, x->columns[i].width, NULL);
        if (!err)
            err = worksheet_write_string(x->present, 0, col, x->text, x->bold);
        if (err)
            return library_failed(w, err);
    }
    x->next_row = 1;
    return 0;
}

/* Remembers the temporary file, and refuses one that the library has put elsewhere: it tries other
 * directories without a word. */
static int watch_temporary(struct export_writer *w)
{
    struct xlsx *x = w->state;
    struct stat ours, there;
    x->sheets = xrealloc(x->sheets, (x->sheet_count + 1) * sizeof *x->sheets);
    x->sizes = xrealloc(x->sizes, (x->sheet_count + 1) * sizeof *x->sizes);
    int fd = fileno(x->present->optimize_tmpfile);
    if (stat(result_file_path(w->file), &ours) || fstat(fd, &there) ||
        ours.st_dev != there.st_dev)
        return temporary_failed(w);
    x->sheets[x->sheet_count++] = (struct sheet){fd, there.st_dev, there.st_ino};
    return 0;
}

/* A space in its name keeps it from being taken for a reference (as "a1" would be), or for a name that
 * Excel has taken ("history"). */
static int add_sheet(struct export_writer *w)
{
    struct xlsx *x = w->state;
    char name[LXW_SHEETNAME_MAX + 1];
    snprintf(name, sizeof name, "%.*s %u", NAME_LEN, w->export->def->name, x->sheet_count + 1);
    x->present = workbook_add_worksheet(x->book, name);
    if (!x->present || !x->present->optimize_tmpfile)
        return temporary_failed(w);
    setvbuf(x->present->optimize_tmpfile, NULL, _IOFBF, TEMPORARY_BUFFER);
    worksheet_freeze_panes(x->present, 1, 0);
    worksheet_repeat_rows(x->present, 0, 0);
    worksheet_ignore_errors(x->present, LXW_IGNORE_NUMBER_STORED_AS_TEXT, "A1:XFD1048576");
    int rc = watch_temporary(w);
    return rc ? rc : write_header(w);
}

static int end_sheet(struct export_writer *w)
{
    struct xlsx *x = w->state;
    lxw_error err = worksheet_autofilter(x->present, 0, 0, x->next_row - 1,
                                         (lxw_col_t)(w->column_count - 1));
    if (err)
        return library_failed(w, err);
    FILE *temporary = x->present->optimize_tmpfile;
    lxw_worksheet_write_single_row(x->present); /* the last one waits */
    if (fflush(temporary) || ferror(temporary))
        return temporary_failed(w);
    off_t size = ftello(temporary);
    if (size < 0)
        return temporary_failed(w);
    x->sizes[x->sheet_count - 1] = (uint64_t)size;
    return 0;
}

/* --- cells ---------------------------------------------------------------------------------------- */

static lxw_error put_text(struct xlsx *x, lxw_col_t col, const char *v, size_t len)
{
    x->truncated += !xlsx_text(x->text, v, len);
    return worksheet_write_string(x->present, x->next_row, col, x->text, NULL);
}

static lxw_error put_bytes(struct xlsx *x, lxw_col_t col, bool hex, const char *v, size_t len)
{
    size_t most = hex ? HEX_BYTES : BASE64_BYTES;
    x->truncated += len > most;
    *cell_bytes(x->text, hex ? CELL_HEX : CELL_BASE64, v, len < most ? len : most) = '\0';
    return worksheet_write_string(x->present, x->next_row, col, x->text, NULL);
}

static lxw_error put_number(struct xlsx *x, lxw_col_t col, const char *v, size_t len)
{
    double n;
    if (xlsx_number(v, len, &n))
        return worksheet_write_number(x->present, x->next_row, col, n, x->columns[col].format);
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
    static enum xlsx_fit (*const read[])(const char *, size_t, double *) = {
        [DATE] = xlsx_date,
        [TIME] = xlsx_time,
        [DATETIME] = xlsx_datetime,
    };
    double days;
    enum xlsx_fit fit = read[x->columns[col].kind](v, len, &days);
    if (fit == XLSX_UNFIT) {
        x->dates_as_text++;
        return put_text(x, col, v, len);
    }
    x->truncated += fit == XLSX_CUT;
    return worksheet_write_number(x->present, x->next_row, col, days, x->columns[col].format);
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
        return worksheet_write_boolean(x->present, x->next_row, col,
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

static int begin(struct export_writer *w)
{
    struct xlsx *x = arena_calloc(run_arena(w->run), 1, sizeof *x);
    char *directory = arena_strdup(run_arena(w->run), result_file_path(w->file));
    *strrchr(directory, '/') = '\0';
    w->state = x;
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .tmpdir = directory};
    x->book = workbook_new_opt(result_file_path(w->file), &options);
    if (!x->book)
        return library_failed(w, LXW_ERROR_MEMORY_MALLOC_FAILED);
    /* the same in each attempt */
    lxw_doc_properties about = {
        .title = arena_strdup(run_arena(w->run), export_title(w->export)),
        .created = (time_t)(run_task(w->run)->created_at / 1000000),
    };
    lxw_error err = workbook_set_properties(x->book, &about);
    if (err)
        return library_failed(w, err);
    x->bold = workbook_add_format(x->book);
    if (x->bold)
        format_set_bold(x->bold);
    x->columns = arena_calloc(run_arena(w->run), w->column_count, sizeof *x->columns);
    for (unsigned i = 0; i < w->column_count; i++) {
        enum kind kind = kind_of(&w->columns[i], w->booleans[i]);
        x->columns[i] = (struct column){kind, format_of(x, &w->columns[i], kind),
                                        width_of(&w->columns[i], kind)};
    }
    return add_sheet(w);
}

static int write_row(struct export_writer *w, const struct row *row)
{
    struct xlsx *x = w->state;
    int rc = 0;
    if (x->next_row == SHEET_ROWS) {
        rc = end_sheet(w);
        if (!rc)
            rc = add_sheet(w);
        if (rc)
            return rc;
    }
    for (unsigned i = 0; i < w->column_count; i++) {
        struct beginning b = {.w = w, .column = i};
        if (!row->values[i] && !(row->is_long && row->is_long[i]))
            continue;
        if (export_look_at(w, row, i, put_beginning, &b))
            return ERR_IO; /* the outcome says why */
        if (b.err)
            return library_failed(w, b.err);
    }
    x->next_row++;
    return ferror(x->present->optimize_tmpfile) ? temporary_failed(w) : 0;
}

/* The library closes a sheet's temporary file only once it has packed it. */
static void close_left(const struct xlsx *x)
{
    for (unsigned i = 0; i < x->sheet_count; i++) {
        const struct sheet *s = &x->sheets[i];
        struct stat st;
        if (fstat(s->fd, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
            close(s->fd);
    }
}

static int end(struct export_writer *w)
{
    struct xlsx *x = w->state;
    uint64_t size = 0;
    int rc = end_sheet(w);
    if (rc)
        return rc;
    for (unsigned i = 0; i < x->sheet_count; i++)
        size += x->sizes[i];
    x->book->options.use_zip64 = size > zip64_bytes;
    run_progress_message(w->run, "packing the workbook");
    lxw_error err = workbook_close(x->book); /* frees it, whatever happens */
    x->book = NULL;
    run_progress_message(w->run, NULL);
    if (err) {
        close_left(x);
        return library_failed(w, err);
    }
    rc = xlsx_check(result_file_path(w->file), x->sizes, x->sheet_count, &w->error);
    return rc ? rc : result_file_take_written(w->file, &w->error);
}

static void close_book(struct export_writer *w)
{
    struct xlsx *x = w->state;
    lxw_worksheet *sheet;
    if (x->book) {
        STAILQ_FOREACH(sheet, x->book->worksheets, list_pointers) {
            if (sheet->optimize_tmpfile)
                fclose(sheet->optimize_tmpfile);
        }
        lxw_workbook_free(x->book);
    }
    free(x->sheets);
    free(x->sizes);
}

static void add_result(const struct export_writer *w, struct buf *b)
{
    const struct xlsx *x = w->state;
    buf_addf(b, ",\"sheets\":%u,\"truncated\":", x->sheet_count);
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
