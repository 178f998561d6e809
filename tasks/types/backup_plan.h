/* SPDX-License-Identifier: MIT */
/* backup_plan.h: what the database says before it is dumped: which tables there are, whether they can be read
 * consistently, and whether the account may see all that belongs into the backup. A dump program leaves out
 * silently what it may not see. */
#ifndef TASKS_TYPES_BACKUP_PLAN_H
#define TASKS_TYPES_BACKUP_PLAN_H

#include <stdint.h>

#include "task/run.h"

struct backup_plan {
    uint64_t tables;
    uint64_t views;
    uint64_t bytes; /* of table data, by the server's estimate */
    uint64_t packet_bytes; /* the longest statement that the server takes */
};

/* Asks the database of SOURCE for what B backs up. Fills the outcome where the backup cannot or must not go
 * on. */
int backup_plan_make(struct run *r, const struct backup_def *b, const struct source_def *source,
                     struct backup_plan *out, struct run_outcome *o) MUST_USE;

#endif
