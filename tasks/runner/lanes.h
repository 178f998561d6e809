/* SPDX-License-Identifier: MIT */
/* lanes.h: what a runner remembers of the queue: which lanes (type, priority) have tasks and from where
 * on each is worth reading. Only a hint: a look at the table corrects it, a floor that is too low costs
 * time, and one that is too high is lowered by the next look or by the doorbell. */
#ifndef TASKS_RUNNER_LANES_H
#define TASKS_RUNNER_LANES_H

#include <stdbool.h>

#include "base/mem.h"
#include "store/claim.h"

struct lane {
    char type[65];
    int priority;
    struct lane_floor floor; /* everything up to here has been consumed */
    bool waiting;            /* it may have tasks behind the floor */
    int64_t noted;           /* the first turn noted since lanes_copy; INT64_MAX: none was */
};

/* Lanes in the order in which they are asked: higher priority first, then by floor. */
struct lanes {
    struct lane *items;
    size_t count, cap;
};

void lanes_free(struct lanes *l);

/* Tasks wait in the lane from TURN on: lowers its floor if that is higher. */
void lanes_note(struct lanes *l, const char *type, int priority, int64_t turn);

/* Takes over a full look: lanes that it did not find are empty. */
void lanes_look(struct lanes *l, const struct lane_head *heads, size_t count);

/* Sorts into the order in which they are to be asked. */
void lanes_sort(struct lanes *l);

/* A copy whose floors may move while L is noted of more; from ARENA, not to be freed. */
struct lanes lanes_copy(struct lanes *l, struct arena *arena);

/* Takes over the floors of a copy, but for what has been noted since it was made. L may have got lanes meanwhile, and
 * has not been sorted. */
void lanes_take_over(struct lanes *l, const struct lanes *copy);

#endif
