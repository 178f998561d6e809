/* SPDX-License-Identifier: MIT */
/* csv_read.h: rows out of a CSV file (RFC 4180 and what else people have), in bounded memory whatever
 * the file holds. Knows no column and no database. */
#ifndef TASKS_TYPES_CSV_READ_H
#define TASKS_TYPES_CSV_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct csv_rules {
    char delimiter;
    size_t row_max;      /* bytes; a longer row is a fault, and its end is still found */
    unsigned fields_max; /* likewise */
};

/* Gives at most SIZE of the file's next bytes: their number, 0 at the end, or a negative enum err. */
typedef int csv_source(void *context, char *out, size_t size, struct error *e);

enum csv_fault {
    CSV_GOOD,
    CSV_TOO_LONG,
    CSV_TOO_MANY,     /* fields */
    CSV_BEHIND_QUOTE, /* text between a closing quote and the next delimiter */
    CSV_UNCLOSED,     /* the file ends within quotes: whatever else is wrong, this is why */
    CSV_NOT_UTF8,
};

/* One sentence for a person. Static storage. */
const char *csv_fault_text(enum csv_fault fault);

struct csv_field {
    const char *p; /* without the quotes around it */
    size_t len;
    bool quoted;
    bool escaped; /* quotes in it are doubled: see csv_unescape */
};

/* A row with its line end taken off. Valid until the next call. */
struct csv_row {
    enum csv_fault fault; /* not CSV_GOOD: there are no fields */
    const char *text;     /* the row as it stands in the file; of one that is too long, its beginning */
    size_t len;
    struct csv_field *fields; /* an empty line has one empty field */
    unsigned count;
    uint64_t line; /* of the file, where it begins; 1 is the first */
    uint64_t quote_line; /* CSV_UNCLOSED: where the quote stands */
    uint64_t end;  /* offset of the byte behind it and its line end */
    uint64_t next_line;
};

struct csv_reader;

/* OFFSET and LINE say where in the file SOURCE begins: 0 and 1, or end and next_line of a row. A byte order
 * mark at offset 0 is passed over. */
struct csv_reader *csv_reader_create(const struct csv_rules *rules, csv_source *source, void *context,
                                     uint64_t offset, uint64_t line) MUST_USE;
void csv_reader_destroy(struct csv_reader **r); /* NULL is accepted */

/* The next row: 1, or 0 at the end, or the error of SOURCE; ERR_INVALID where the file is UTF-16. Rows end
 * with LF, CR LF or CR; one that is at fault does not end the reading. */
int csv_reader_next(struct csv_reader *r, struct csv_row *row, struct error *e) MUST_USE;

/* The field's value without doubled quotes: at most F->len bytes to OUT; returns how many. */
size_t csv_unescape(const struct csv_field *f, char *out);

#endif
