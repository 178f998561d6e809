/* SPDX-License-Identifier: MIT */
/* combine.h: many threads that want the same kind of thing at the same time get it in one go. One of them leads:
 * it takes all jobs that are queued, does them together and goes on with what they were wanted for; the others go
 * their ways. Knows neither databases nor requests. */
#ifndef FCGI_COMBINE_H
#define FCGI_COMBINE_H

#include <stddef.h>

#include "base/compiler.h"

/* First member of what a caller wants done. Lives at least until it is finished. */
struct combine_job {
    struct combine_job *next;
    void (*finish)(struct combine_job *job);
};

/* Does COUNT jobs, a list from FIRST on, in the leader's thread. While it runs no other batch of this
 * combiner does. It must leave every job with its result. */
typedef void combine_run_fn(void *context, struct combine_job *first, size_t count);

/* What is left to do once the jobs of a batch have been finished, in the same thread; the next batch waits for it. */
typedef void combine_rest_fn(void *context);

struct combiner;

/* At most MAX jobs are done together. REST may be NULL. */
struct combiner *combiner_create(size_t max, combine_run_fn *run, combine_rest_fn *rest, void *context) MUST_USE;
void combiner_destroy(struct combiner **c); /* NULL is accepted; nobody may be waiting */

/* Queues JOB, to be done and then FINISHed by whoever leads. combine_flush must follow, by any thread. FINISH
 * should be quick, as others wait for the leader; of JOB it may do what it likes. */
void combine_later(struct combiner *c, struct combine_job *job, void (*finish)(struct combine_job *job));

/* Does what is queued, and what comes meanwhile, unless another thread is at it. */
void combine_flush(struct combiner *c);

#endif
