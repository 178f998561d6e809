/* SPDX-License-Identifier: MIT */
/* result_path.h: where result files are below the shared directory. */
#ifndef TASKS_TASK_RESULT_PATH_H
#define TASKS_TASK_RESULT_PATH_H

#include <stdint.h>

enum { RESULT_RANDOM_DIGITS = 32, RESULT_SHARD_SIZE = sizeof "xx/yy" };

#define RESULT_TMP "tmp" /* unfinished files */

/* The directory of all files of task ID: its two low bytes, so that neighbours are spread and those
 * of one task are found again. */
void result_path_shard(uint64_t id, char out[RESULT_SHARD_SIZE]);

#endif
