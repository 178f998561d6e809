/* SPDX-License-Identifier: MIT */
/* xlsx_book.c: sheets, their temporary files, and the package. */
#include "xlsx_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "xlsx_check.h"

enum {
    NAME_LEN = 20, /* of a sheet's name before its number; Excel allows 31 characters */
    TEMPORARY_BUFFER = 256 * 1024,
};

/* From here on the package needs ZIP64, which not every reader knows. */
static const uint64_t zip64_bytes = UINT64_C(0xf0000000);

int xlsx_failed(lxw_error err, struct error *e)
{
    return error_set(e, ERR_IO, "the workbook cannot be written: %s", lxw_strerror(err));
}

static int temporary_failed(struct error *e)
{
    return error_set(e, ERR_IO, "the temporary files of the workbook cannot be written: is the disk "
                                "of the result files full?");
}

int xlsx_book_open(struct xlsx_book *b, const struct xlsx_about *about, struct error *e)
{
    char *directory = xstrndup(about->path, (size_t)(strrchr(about->path, '/') - about->path));
    char *title = xstrdup(about->title);
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .tmpdir = directory};
    lxw_doc_properties properties = {.title = title, .created = about->created};
    b->about = about;
    b->book = workbook_new_opt(about->path, &options); /* copies what it is given */
    lxw_error err = b->book ? workbook_set_properties(b->book, &properties)
                            : LXW_ERROR_MEMORY_MALLOC_FAILED;
    free(directory);
    free(title);
    return err ? xlsx_failed(err, e) : 0;
}

/* --- sheets --------------------------------------------------------------------------------------- */

/* Remembers the temporary file, and refuses one that the library has put elsewhere: it tries other
 * directories without a word. */
static int watch_temporary(struct xlsx_book *b, struct error *e)
{
    struct stat ours, there;
    int fd = fileno(b->sheet->optimize_tmpfile);
    if (stat(b->about->path, &ours) || fstat(fd, &there) || ours.st_dev != there.st_dev)
        return temporary_failed(e);
    b->sheets = xrealloc(b->sheets, (b->sheet_count + 1) * sizeof *b->sheets);
    b->sizes = xrealloc(b->sizes, (b->sheet_count + 1) * sizeof *b->sizes);
    b->sheets[b->sheet_count] = (struct xlsx_sheet){fd, there.st_dev, there.st_ino};
    b->sizes[b->sheet_count++] = 0;
    return 0;
}

static int end_sheet(struct xlsx_book *b, struct error *e)
{
    lxw_error err = worksheet_autofilter(b->sheet, 0, 0, b->row - 1, b->about->columns - 1);
    if (err)
        return xlsx_failed(err, e);
    FILE *temporary = b->sheet->optimize_tmpfile;
    lxw_worksheet_write_single_row(b->sheet); /* the last one waits */
    off_t size = fflush(temporary) || ferror(temporary) ? -1 : ftello(temporary);
    if (size < 0)
        return temporary_failed(e);
    b->sizes[b->sheet_count - 1] = (uint64_t)size;
    return 0;
}

/* A space in its name keeps it from being taken for a reference (as "a1" would be), or for a name that
 * Excel has taken ("history"). */
int xlsx_book_add_sheet(struct xlsx_book *b, struct error *e)
{
    int rc = b->sheet ? end_sheet(b, e) : 0;
    if (rc)
        return rc;
    char name[LXW_SHEETNAME_MAX + 1];
    snprintf(name, sizeof name, "%.*s %u", NAME_LEN, b->about->sheets, b->sheet_count + 1);
    b->sheet = workbook_add_worksheet(b->book, name);
    if (!b->sheet || !b->sheet->optimize_tmpfile)
        return temporary_failed(e);
    setvbuf(b->sheet->optimize_tmpfile, NULL, _IOFBF, TEMPORARY_BUFFER);
    worksheet_freeze_panes(b->sheet, 1, 0);
    worksheet_repeat_rows(b->sheet, 0, 0);
    worksheet_ignore_errors(b->sheet, LXW_IGNORE_NUMBER_STORED_AS_TEXT, "A1:XFD1048576");
    b->row = 0;
    return watch_temporary(b, e);
}

bool xlsx_book_sheet_full(const struct xlsx_book *b)
{
    return b->row == LXW_ROW_MAX;
}

int xlsx_book_end_row(struct xlsx_book *b, struct error *e)
{
    b->row++;
    return ferror(b->sheet->optimize_tmpfile) ? temporary_failed(e) : 0;
}

/* --- the end -------------------------------------------------------------------------------------- */

/* The library closes a sheet's temporary file only once it has packed it. */
static void close_left(const struct xlsx_book *b)
{
    for (unsigned i = 0; i < b->sheet_count; i++) {
        const struct xlsx_sheet *s = &b->sheets[i];
        struct stat st;
        if (fstat(s->fd, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
            close(s->fd);
    }
}

int xlsx_book_pack(struct xlsx_book *b, struct error *e)
{
    uint64_t size = 0;
    int rc = end_sheet(b, e);
    if (rc)
        return rc;
    for (unsigned i = 0; i < b->sheet_count; i++)
        size += b->sizes[i];
    b->book->options.use_zip64 = size > zip64_bytes;
    lxw_error err = workbook_close(b->book); /* frees it, whatever happens */
    b->book = NULL;
    if (err) {
        close_left(b);
        return xlsx_failed(err, e);
    }
    return xlsx_check(b->about->path, b->sizes, b->sheet_count, e);
}

void xlsx_book_free(struct xlsx_book *b)
{
    lxw_worksheet *sheet;
    if (b->book) {
        STAILQ_FOREACH(sheet, b->book->worksheets, list_pointers) {
            if (sheet->optimize_tmpfile)
                fclose(sheet->optimize_tmpfile);
        }
        lxw_workbook_free(b->book);
    }
    free(b->sheets);
    free(b->sizes);
}
