/* SPDX-License-Identifier: MIT */
/* import_table.h: the table that an import fills, as the server describes it, and which column of the file
 * goes where. */
#ifndef TASKS_TYPES_IMPORT_TABLE_H
#define TASKS_TYPES_IMPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "db/db.h"
#include "task/catalogue.h"

struct csv_row;

enum import_kind {
    IMPORT_INTEGER,
    IMPORT_DECIMAL,
    IMPORT_FLOAT,
    IMPORT_BIT,
    IMPORT_DATE,
    IMPORT_DATETIME,
    IMPORT_TIME,
    IMPORT_YEAR,
    IMPORT_TEXT, /* and ENUM, SET, UUID, INET */
    IMPORT_JSON,
    IMPORT_BYTES,
};

struct import_column {
    const char *name;             /* in the table */
    const char *header;           /* in the file */
    const struct column_def *def; /* NULL: no section of its own */
    enum import_kind kind;
    bool is_unsigned, nullable;
    bool optional;      /* may be left out: it has a default, is nullable or counts by itself */
    unsigned size;      /* INTEGER: bytes; BIT: bits; DECIMAL: digits in all */
    unsigned scale;     /* DECIMAL: digits behind the point; times: of the second */
    uint64_t max_chars; /* TEXT; 0 = no limit */
    const char *members; /* of ENUM and SET: 'a','b' as the server writes them; NULL = another type */
    uint64_t max_bytes; /* BYTES; 0 = no limit */
    bool counts;        /* AUTO_INCREMENT */
    bool taken;         /* the import may write it */
    int field;          /* of the file; -1 = none */
};

/* A unique key; part i is of column columns[i] (by its place among all), of which it holds the first prefix[i]
 * characters (0 = all). */
struct import_key {
    const char *name;
    unsigned count;
    const unsigned *columns;
    const unsigned *prefix;
};

struct import_table {
    const char *name;
    struct import_column *columns; /* all of the table */
    unsigned count;
    unsigned owner; /* of columns */
    struct import_key *keys;
    unsigned key_count;

    /* after import_table_map: what is written, the owner last */
    unsigned *written; /* of columns */
    unsigned written_count;
    unsigned field_count; /* of the file */
};

/* Reads what the server says of M's table. ERR_INVALID where it does not fit the configuration, with what to
 * do about it. Memory from ARENA. */
int import_table_read(struct db *d, const struct import *m, struct arena *arena, struct import_table *out,
                      struct error *e) MUST_USE;

/* Takes the file's first row. ERR_INVALID with all that is wrong with it. */
int import_table_map(struct import_table *t, const struct import *m, const struct csv_row *header,
                     struct arena *arena, struct error *e) MUST_USE;

#endif
