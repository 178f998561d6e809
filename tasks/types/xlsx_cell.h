/* SPDX-License-Identifier: MIT */
/* xlsx_cell.h: what a cell of an Excel sheet can hold, and values as such. Pure functions over memory. */
#ifndef TASKS_TYPES_XLSX_CELL_H
#define TASKS_TYPES_XLSX_CELL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    XLSX_TEXT_MAX = 32767,                  /* UTF-16 code units in a cell */
    XLSX_TEXT_ROOM = 3 * XLSX_TEXT_MAX + 1, /* the same in UTF-8, and a NUL */
    XLSX_DIGITS_MAX = 15,                   /* significant digits of a number */
};

/* Reads a number of the server's text, NUL-terminated. False where Excel cannot hold it exactly: more
 * than 15 significant digits, or outside its range. */
bool xlsx_number(const char *v, size_t len, double *out);

enum xlsx_fit { XLSX_UNFIT, XLSX_WHOLE, XLSX_CUT };

/* Reads "2026-11-21", "2026-11-21 09:30:00.5" or "-12:30:00", to days since 1899-12-30. Excel tells
 * milliseconds apart: further digits are XLSX_CUT. XLSX_UNFIT is what it does not have: zero or
 * impossible dates, those before 1900-03-01 (up to there it counts a day that never was), negative
 * times. */
enum xlsx_fit xlsx_date(const char *v, size_t len, double *out);
enum xlsx_fit xlsx_datetime(const char *v, size_t len, double *out);
enum xlsx_fit xlsx_time(const char *v, size_t len, double *out);

/* Copies text to OUT, which has XLSX_TEXT_ROOM, with a NUL behind it. What XML cannot hold, and what
 * Excel would take for an escape, becomes _xHHHH_ (ECMA-376 part 1, section 22.9.2.19), but for the
 * control characters that libxlsxwriter escapes itself. False where it had to be cut, at a whole
 * character. */
bool xlsx_text(char *out, const char *text, size_t len);

#endif
