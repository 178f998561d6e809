/* SPDX-License-Identifier: MIT */
/* checkpoint.h: how far an unfinished result file is, so that another attempt can go on from there;
 * and its form on the disk, which is read back as what it is: input. No function here touches a file. */
#ifndef TASK_CHECKPOINT_H
#define TASK_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"

enum {
    CHECKPOINT_DIGEST = 32, /* bytes of a SHA-256 */
    CHECKPOINT_KEYS_MAX = 8,
    CHECKPOINT_SIZE_MAX = 128 * 1024, /* bytes of one on the disk */
};

struct checkpoint_bytes {
    const void *p;
    size_t len;
};

/* The strings are the caller's on the way out, and lie in what was read on the way in. */
struct checkpoint {
    unsigned char fingerprint[CHECKPOINT_DIGEST]; /* of all that the content depends on */
    unsigned char sha256[CHECKPOINT_DIGEST];      /* of the file's first BYTES bytes */
    uint64_t bytes;
    uint64_t rows;
    struct checkpoint_bytes keys[CHECKPOINT_KEYS_MAX]; /* of the last row: the server's own text */
    unsigned key_count;
    struct checkpoint_bytes state; /* the writer's own */
};

/* Appends to OUT; sets OUT's error to ERR_LIMIT where it would be longer than CHECKPOINT_SIZE_MAX. */
void checkpoint_encode(const struct checkpoint *c, struct buf *out);

/* Reads DATA, which OUT then points into. ERR_INVALID for whatever checkpoint_encode has not written:
 * cut short, of another version, with a byte changed. */
int checkpoint_decode(const void *data, size_t len, struct checkpoint *out, struct error *e) MUST_USE;

#endif
