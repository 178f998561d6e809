/* SPDX-License-Identifier: MIT */
/* pool_impl.h: what the pool's two files have of each other; included nowhere else. */
#ifndef TASKS_RUNNER_POOL_IMPL_H
#define TASKS_RUNNER_POOL_IMPL_H

#include "pool.h"

/* --- pool.c --------------------------------------------------------------------------------------- */

void worker_close(struct pool_worker *w);

/* Whether it may be given tasks, where it has a free place. */
bool worker_takes(const struct pool *p, const struct pool_worker *w);

/* A worker that carries many is not there before there is something to carry; those of an older configuration may
 * still carry theirs for hours, beside it. The one that would be started; NULL: it is there, or cannot be. */
struct pool_worker *worker_to_come(const struct pool *p);

/* --- pool_work.c ---------------------------------------------------------------------------------- */

/* The worker is dead, STATUS as from waitpid: so end the tasks that it had. */
void worker_bury_tasks(struct pool *p, struct pool_worker *w, int status);

#endif
