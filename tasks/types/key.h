/* SPDX-License-Identifier: MIT */
/* key.h: the key by which rows are paged: which columns, and the last value of each, kept exactly.
 * */
#ifndef TASKS_TYPES_KEY_H
#define TASKS_TYPES_KEY_H

#include "base/settings.h"
#include "db/rows.h"
#include "task/checkpoint.h"

enum { KEY_PARTS_MAX = 8 };

struct key_part {
    unsigned column;
    const struct db_column *type;
    char *last; /* the value as the server wrote it */
    size_t last_len;
    size_t last_cap;
};

/* Zero-initialise it. */
struct key {
    struct key_part parts[KEY_PARTS_MAX];
    unsigned count;
    bool has_last;    /* a row has been stored */
    bool has_text;    /* equal need not mean the same bytes: the column's collation decides */
    bool has_instant; /* a TIMESTAMP, whose text is unique only in a zone without summer time */
    bool is_wide;     /* a part may be longer than what servers compare in a sort by default */
};

/* Finds the columns NAMES among the result's COLUMNS, which must outlive the key. ERR_INVALID with
 * the reason for a column that is missing or cannot be compared exactly. */
int key_init(struct key *k, const struct str_list *names, const struct db_column *columns,
             unsigned count, struct error *e) MUST_USE;

void key_free(struct key *k);

enum key_state { KEY_NEW, KEY_SAME, KEY_HAS_NULL };

/* How a row's key stands to the last one stored. */
enum key_state key_check(const struct key *k, char *const *values, const unsigned long *lengths);

void key_store(struct key *k, char *const *values, const unsigned long *lengths);

/* The stored key for a checkpoint, pointing into K; and takes over one that was saved: false where it is
 * none of such a key. */
unsigned key_save(const struct key *k, struct checkpoint_bytes *out);
bool key_restore(struct key *k, const struct checkpoint_bytes *parts, unsigned count) MUST_USE;

/* A key of one integer column can be counted with: a place is a number of 64 bits, in the same order. */
bool key_is_integer(const struct key *k);
uint64_t key_place(const struct key *k);                         /* of the stored key */
uint64_t key_place_of(const struct key *k, const char *text);    /* of a value as the server wrote it */
struct db_value key_value_at(const struct key *k, uint64_t place);

/* Typed values of the stored key: as page_sql's "next" takes them, or one per column. They point
 * into K. Returns how many. */
unsigned key_after(const struct key *k, struct db_value *out);
unsigned key_equal(const struct key *k, struct db_value *out);

#endif
