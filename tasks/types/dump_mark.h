/* SPDX-License-Identifier: MIT */
/* dump_mark.h: what tells one dump from another, and a whole one from a part: its length, its hash and its last
 * line; and what it asks of a server that takes it back. */
#ifndef TASKS_TYPES_DUMP_MARK_H
#define TASKS_TYPES_DUMP_MARK_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

enum { DUMP_TAIL = 128 };

struct dump_mark {
    EVP_MD_CTX *hash; /* SHA-256; NULL once ended */
    uint64_t bytes;
    unsigned char digest[EVP_MAX_MD_SIZE]; /* once ended */
    unsigned digest_len;
    char tail[DUMP_TAIL]; /* the last bytes */
    size_t tail_len;
    uint64_t line, longest; /* bytes of the present line so far, and of the longest one: that of a large row */
};

/* M is zero, or freed. */
int dump_mark_begin(struct dump_mark *m, struct error *e) MUST_USE;
int dump_mark_add(struct dump_mark *m, const void *data, size_t len, struct error *e) MUST_USE;
int dump_mark_end(struct dump_mark *m, struct error *e) MUST_USE;
void dump_mark_free(struct dump_mark *m);

/* Whether the last line is the one that mariadb-dump and mysqldump write when they are through. */
bool dump_mark_complete(const struct dump_mark *m);

/* Both ended. */
bool dump_mark_equal(const struct dump_mark *a, const struct dump_mark *b);

#endif
