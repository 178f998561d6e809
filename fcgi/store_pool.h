/* SPDX-License-Identifier: MIT */
/* store_pool.h: a few stores for many threads, first come, first served. */
#ifndef FCGI_STORE_POOL_H
#define FCGI_STORE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/db_address.h"
#include "store/store.h"

struct store_pool;

/* A store, lent out. */
struct lease {
    struct store *store;
    int64_t used_ns; /* when it was used last, set by the borrower; 0 = never */
};

struct store_pool *store_pool_create(const struct db_address *address, size_t count, int timeout_s,
                                     int64_t statement_msec) MUST_USE;
void store_pool_destroy(struct store_pool **p); /* NULL is accepted; nothing may be lent out */

/* Waits at most WAIT_NS; NULL = in vain. */
struct lease *store_pool_take(struct store_pool *p, int64_t wait_ns) MUST_USE;
void store_pool_give(struct store_pool *p, struct lease *lease);

#endif
