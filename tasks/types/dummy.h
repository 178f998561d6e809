/* SPDX-License-Identifier: MIT */
/* dummy.h: the task type for tests and demos. */
#ifndef TASKS_TYPES_DUMMY_H
#define TASKS_TYPES_DUMMY_H

#include "task/run.h"

void dummy_run(struct run *r, struct run_outcome *outcome, void **state);

#endif
