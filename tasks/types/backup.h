/* SPDX-License-Identifier: MIT */
/* backup.h: the code of the type backup. */
#ifndef TASKS_TYPES_BACKUP_H
#define TASKS_TYPES_BACKUP_H

#include "task/run.h"

void backup_run(struct run *r, struct run_outcome *outcome, void **state);

#endif
