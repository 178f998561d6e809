/* SPDX-License-Identifier: MIT */
/* xlsx_book.h: a workbook of one table, over as many sheets as it takes, by libxlsxwriter in its
 * constant-memory mode: each row goes to an unlinked temporary file of its sheet, and the end packs
 * them. Knows no values: its user writes cells into .row of .sheet. */
#ifndef TASKS_TYPES_XLSX_BOOK_H
#define TASKS_TYPES_XLSX_BOOK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <xlsxwriter.h>

#include "base/compiler.h"
#include "base/error.h"

struct xlsx_about {
    const char *path;  /* of the file, which is there; temporary files go beside it */
    const char *title; /* of the document */
    const char *sheets; /* what their names begin with: letters, digits, _ and - */
    time_t created;    /* not 0: the library would take the present time */
    lxw_col_t columns;
};

/* What must be known of a sheet behind the library's back. */
struct xlsx_sheet {
    int fd; /* of the temporary file */
    dev_t dev;
    ino_t ino;
};

/* Zero-initialise it. */
struct xlsx_book {
    const struct xlsx_about *about;
    lxw_workbook *book; /* NULL once it is packed */
    lxw_worksheet *sheet;
    lxw_row_t row;
    unsigned sheet_count;
    struct xlsx_sheet *sheets; /* private, as the next one */
    uint64_t *sizes;           /* per sheet, once it is complete: bytes of its rows */
};

/* Makes a workbook without a sheet. ABOUT and its strings must outlive it. Whatever happens, here
 * and below, xlsx_book_free is to follow. */
int xlsx_book_open(struct xlsx_book *b, const struct xlsx_about *about, struct error *e) MUST_USE;

/* Begins the first sheet, or the next one; the caller writes its header into row 0. */
int xlsx_book_add_sheet(struct xlsx_book *b, struct error *e) MUST_USE;

bool xlsx_book_sheet_full(const struct xlsx_book *b);

/* The row is complete: goes to the next. */
int xlsx_book_end_row(struct xlsx_book *b, struct error *e) MUST_USE;

/* Ends the last sheet, packs all of them into the file and reads it back. May take as long as the
 * rows did. */
int xlsx_book_pack(struct xlsx_book *b, struct error *e) MUST_USE;

void xlsx_book_free(struct xlsx_book *b);

/* Puts what the library says into E; returns negative. */
int xlsx_failed(lxw_error err, struct error *e);

#endif
