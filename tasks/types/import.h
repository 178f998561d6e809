/* SPDX-License-Identifier: MIT */
/* import.h: the task type csv_import. */
#ifndef TASKS_TYPES_IMPORT_H
#define TASKS_TYPES_IMPORT_H

#include "task/run.h"

void import_run(struct run *r, struct run_outcome *outcome, void **state);

#endif
