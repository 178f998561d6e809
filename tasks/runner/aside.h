/* SPDX-License-Identifier: MIT */
/* aside.h: a thread beside a loop that must go on: the loop gives it one piece of work at a time, watches a
 * descriptor, and takes the work back when it is done. What is given belongs to the thread until then. All
 * functions are for the loop's thread. A process that forks should do so while the thread rests, as it
 * does before aside_give and after aside_done: then no lock is held that the child would wait for. */
#ifndef TASKS_RUNNER_ASIDE_H
#define TASKS_RUNNER_ASIDE_H

#include <stdbool.h>

#include "base/error.h"

struct aside;

/* AT_END (may be NULL) is called in the thread, last. NULL with E set where there is no thread or descriptor to be
 * had. */
struct aside *aside_start(void (*at_end)(void), struct error *e) MUST_USE;

/* Readable once what was given is done. */
int aside_fd(const struct aside *a);

/* Starts WORK(CONTEXT). Only while it rests. */
void aside_give(struct aside *a, void (*work)(void *), void *context);

/* True, once, when what was given is done; all that it has written is to be seen then, and the thread rests. */
bool aside_done(struct aside *a) MUST_USE;

/* Waits until what was given is done; not to be asked where nothing was. aside_done is true then. */
void aside_wait(struct aside *a);

/* Ends the thread, after what was given. NULL is accepted; *A becomes NULL. */
void aside_stop(struct aside **a);

#endif
