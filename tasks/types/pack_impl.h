/* SPDX-License-Identifier: MIT */
/* pack_impl.h: what the kinds of compression share. */
#ifndef TASKS_TYPES_PACK_IMPL_H
#define TASKS_TYPES_PACK_IMPL_H

#include "pack.h"

enum { PACK_PIECE = 128 * 1024 }; /* bytes of output at a time */

/* The code of one direction. STATE is its own; open sets it only on success. */
struct pack_code {
    int (*open)(int64_t level, void **state, struct error *e);
    int (*put)(struct pack *p, const void *data, size_t len, struct error *e);
    int (*end)(struct pack *p, struct error *e);
    void (*close)(void *state);
};

struct pack {
    const struct pack_code *code;
    void *state;
    pack_sink *sink;
    void *ctx;
    char piece[PACK_PIECE];
};

extern const struct pack_code pack_zstd, unpack_zstd, pack_gzip, unpack_gzip;

#endif
