/* SPDX-License-Identifier: MIT */
/* export.h: the contract between the exports' driver and a format. A new format is a file that
 * defines a struct export_format and a row of the table in export.c. */
#ifndef TASKS_TYPES_EXPORT_H
#define TASKS_TYPES_EXPORT_H

#include "output.h"
#include "row_source.h"

/* What a format writes from and to. */
struct export_writer {
    struct run *run;
    const struct export *export;
    const struct db_column *columns;
    unsigned column_count;
    const bool *booleans; /* per column: the export declares it to be one */
    struct row_source *source; /* NULL once all rows are read, so that end holds no connection */
    uint64_t rows;             /* known then */
    struct result_file *file;
    struct output *out; /* to the file: what formats write to, but for those of a library that
                           writes the file by its name */
    struct run_outcome *outcome;
    struct error error; /* of the file, where a call has failed because of it */
    void *state;        /* the format's own, from the run's arena */
};

/* Each call returns 0 or negative; a failure is in writer.error or in the outcome already. */
struct export_format {
    const char *type;   /* the task type */
    const char *option; /* the boolean member of data that asks for this format of the type; NULL:
                           the one without any */
    const char *name;   /* "csv", as it stands in csv_export.format */
    const char *ext;
    int (*begin)(struct export_writer *w);
    int (*row)(struct export_writer *w, const struct row *row); /* all values of one row */
    int (*end)(struct export_writer *w);
    /* Frees what begin took outside the arena, also after a failure of any of the three; may be
     * NULL. */
    void (*close)(struct export_writer *w);
    /* Further members of the task's result, each with a comma before it; may be NULL. */
    void (*add_result)(const struct export_writer *w, struct buf *b);
    /* So that another attempt can go on in the middle of the file; both NULL where the format cannot.
     * What a file holds must not depend on where that was: whatever row() and end() know of earlier rows
     * belongs to what is saved. */

    /* Between two rows, with all bytes in the file: appends to OUT what restore will need. False where nobody
     * could go on from here: it is asked again after the next row. */
    bool (*save)(struct export_writer *w, struct buf *out);
    /* In place of begin: as after the row at which STATE was saved. The file holds everything up to there
     * already. False where save has not made it: begin follows then, on an empty file. */
    bool (*restore)(struct export_writer *w, const void *state, size_t len);
};

/* Encodes PART, LEN bytes of a value, at P; returns the end. It may write up to 6 * LEN + 8 bytes.
 * */
typedef char *export_put(void *state, char *p, const char *part, size_t len);

/* Writes the value in COLUMN of ROW, of any length and also where it is_long, through PUT: in
 * parts of a few KiB, whole characters of text, a multiple of 3 of bytes but for the last. */
int export_value(struct export_writer *w, const struct row *row, unsigned column, export_put *put,
                 void *state);

/* Encodes the value in COLUMN of ROW at P; returns the end. */
typedef char *export_cell(struct export_writer *w, char *p, const struct row *row, unsigned column);

/* Writes one cell of a row that does not fit the output's buffer: through CELL where its value is
 * there and NEED, the bytes that it may become, can be reserved; else through LARGE, which returns
 * as the format's functions do. */
int export_one(struct export_writer *w, const struct row *row, unsigned column, size_t need,
               export_cell *cell,
               int (*large)(struct export_writer *w, const struct row *row, unsigned column));

/* Takes a look at PART of a value; false ends the looking. */
typedef bool export_look(void *state, const char *part, size_t len);

/* Shows the same value to LOOK, in parts of any length, whole characters of text; export_value can
 * write it afterwards. */
int export_look_at(struct export_writer *w, const struct row *row, unsigned column,
                   export_look *look, void *state);

/* Fails the outcome because the configured export itself is at fault; returns negative. */
int export_unfit(struct export_writer *w, const char *code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

extern const struct export_format export_csv;
extern const struct export_format export_html;
extern const struct export_format export_json;
extern const struct export_format export_json_lines;
extern const struct export_format export_xlsx;

/* Runs a task of any export type; *STATE keeps the connections. */
void export_run(struct run *r, struct run_outcome *outcome, void **state);
void export_close(void **state);

/* An export's title, or its name where it has none. */
const char *export_title(const struct export *x);

#endif
