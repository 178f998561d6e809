/* SPDX-License-Identifier: MIT */
/* long_result.h: results that are too long for the task's row. */
#ifndef TASKS_RUNNER_LONG_RESULT_H
#define TASKS_RUNNER_LONG_RESULT_H

#include "base/settings.h"
#include "task/run.h"

/* Moves the result of a successful outcome into a file, its last one, where the result is longer than
 * files.result_inline. Where it is longer than files.result_max, or the file cannot be written, the outcome
 * becomes a failure. */
void long_result(const struct settings *s, const struct run_task *task, struct run_outcome *o);

#endif
