/* SPDX-License-Identifier: MIT */
/* pack.h: compresses a stream and expands it again, in pieces, within fixed memory. */
#ifndef TASKS_TYPES_PACK_H
#define TASKS_TYPES_PACK_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/settings.h"

/* Takes what comes out. Returns 0, or an error that ends the stream and is handed on. */
typedef int pack_sink(void *ctx, const void *data, size_t len, struct error *e);

/* One direction of one kind. Each call returns 0 or an error. */
struct pack;

/* LEVEL by the rules of the setting backup.level; SETTING_UNSET = the kind's usual one. What comes out goes
 * to SINK with CTX. */
int pack_open(enum backup_compression kind, int64_t level, pack_sink *sink, void *ctx, struct pack **out,
              struct error *e) MUST_USE;

/* The other way round. Damaged input is ERR_INVALID, here or in pack_end. */
int unpack_open(enum backup_compression kind, pack_sink *sink, void *ctx, struct pack **out,
                struct error *e) MUST_USE;

int pack_put(struct pack *p, const void *data, size_t len, struct error *e) MUST_USE;

/* There is no more: the rest comes out. An input to expand that ends too early is ERR_INVALID. */
int pack_end(struct pack *p, struct error *e) MUST_USE;

void pack_close(struct pack **p); /* NULL is accepted; *P becomes NULL */

/* Of a file of SQL: "sql.zst". */
const char *pack_extension(enum backup_compression kind);

#endif
