/* SPDX-License-Identifier: MIT */
/* command.h: runs the site's own programs. */
#ifndef TASKS_TYPES_COMMAND_H
#define TASKS_TYPES_COMMAND_H

#include "task/run.h"

/* The task's type must be a command of the run's catalogue. *STATE keeps a persistent program. */
void command_run(struct run *r, struct run_outcome *o, void **state);
void command_close(void **state);

#endif
