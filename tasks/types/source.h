/* SPDX-License-Identifier: MIT */
/* source.h: connections to the databases that tasks read and fill. Those of exports are kept open between tasks. */
#ifndef TASKS_TYPES_SOURCE_H
#define TASKS_TYPES_SOURCE_H

#include "base/settings.h"
#include "db/db.h"
#include "task/run.h"

struct source_pool;

struct source_pool *source_pool_create(void) MUST_USE;

/* Closes every connection. NULL is accepted, *P becomes NULL. */
void source_pool_destroy(struct source_pool **p);

/* Takes a connection to SOURCE: a kept one that still answers, or a new one. The caller owns it
 * until source_put. */
int source_get(struct source_pool *p, const struct source_def *source, struct db **out,
               struct error *e) MUST_USE;

/* Gives *D back, to be kept for the next task, and sets it to NULL. One that is lost or inside a
 * transaction is closed. NULL is accepted. */
void source_put(struct source_pool *p, const struct source_def *source, struct db **d);

/* A connection that is not kept. */
int source_open(const struct source_def *source, struct db **out, struct error *e) MUST_USE;

/* For the outcome of R, which the database being away has failed: it may be back in a while, as after a restart, so
 * that the attempts that are left do not come as soon as after other failures. */
void source_wait(const struct run *r, struct run_outcome *o);

/* Ends what connection THREAD_ID to SOURCE is doing. */
int source_kill(const struct source_def *source, unsigned long thread_id, struct error *e) MUST_USE;

#endif
