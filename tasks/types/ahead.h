/* SPDX-License-Identifier: MIT */
/* ahead.h: reading over several connections. The key's range is cut into small pieces, each connection
 * reads one while others read the next ones, and rows are taken in the key's order; what waits stands in
 * the sockets. Only for a key of one integer column: no row can be between two numbers. */
#ifndef TASKS_TYPES_AHEAD_H
#define TASKS_TYPES_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "db/rows.h"

struct row_source;

enum { AHEAD_MAX = 8 };

enum ahead_state {
    AHEAD_OFF,     /* one connection reads all */
    AHEAD_READY,   /* begins where there is more than one page */
    AHEAD_LOOKING, /* the last key has been asked for */
    AHEAD_ON,
};

/* Keys are their places here: numbers of 64 bits in the same order, whatever the sign (key_place). */
struct ahead_piece {
    struct db *db; /* NULL for the present one: that is the source's own, or for one that is lost */
    bool given;    /* it has a piece to read */
    bool asked;    /* and has been asked for it */
    uint64_t from, to; /* keys behind FROM up to TO */
    uint64_t limit;    /* rows */
};

/* Invariants: pieces [present], [present + 1], ... round the ring are in the key's order; everything up to
 * planned has been read or is in one of them. */
struct ahead {
    enum ahead_state state;
    struct ahead_piece pieces[AHEAD_MAX];
    unsigned count;
    unsigned present;
    bool open;        /* the present piece has not been read to its end */
    uint64_t planned;
    uint64_t end;     /* the last key that there was */
    uint64_t width;   /* of the next piece, in keys */
    double row_bytes; /* on average */
    double rows_min;  /* of a piece, so that reading its rows takes longer than finding them ... */
    double rows_max;  /* ... but no longer than goal_ns, and few behind a row with long values */
    double goal_ns;   /* what reading a piece may take */
};

/* For a source with a key that is about to read its first page. */
void ahead_init(struct row_source *s);

/* Whether the next page is one of a piece; if so it is what the source's connection reads next. */
bool ahead_next(struct row_source *s);

/* After that: opens it. */
int ahead_open(struct row_source *s, struct db_rows **out, struct error *e) MUST_USE;

/* The page has been read: to the piece's end, or there is MORE of it. */
void ahead_end_page(struct row_source *s, bool more);

/* The page has been left for a row with long values, which is the last one now. */
void ahead_long_row(struct row_source *s);

void ahead_close(struct row_source *s);

#endif
