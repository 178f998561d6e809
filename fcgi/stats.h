/* SPDX-License-Identifier: MIT */
/* stats.h: the body of GET /v1/tasks/stats, made at most once a second for all requests of a process, so
 * that asking for it can never load the database. Any thread. */
#ifndef FCGI_STATS_H
#define FCGI_STATS_H

#include "base/buf.h"
#include "base/error.h"

struct backend;
struct stats;

struct stats *stats_create(struct backend *b) MUST_USE;
void stats_destroy(struct stats **s); /* NULL is accepted; nobody may be asking */

/* Appends the JSON to OUT. Errors as backend_call. */
int stats_get(struct stats *s, struct buf *out, struct error *e) MUST_USE;

#endif
