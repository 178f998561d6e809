/* SPDX-License-Identifier: MIT */
/* result_path.h: where result files are below the shared directory, and what unfinished ones are called:
 *
 *   tmp/<id>-<fence>-<random>.<ext>.part      what has been written so far
 *   tmp/<id>-<fence>-<random>.<ext>.ckpt      its checkpoint, once there is one
 *   tmp/<id>-<fence>-<random>.<ext>.ckpt.new  the next checkpoint, while it is written
 *   tmp/<id>-<fence>-<random>.dir             where a program leaves its files (work_dir.h) */
#ifndef TASKS_TASK_RESULT_PATH_H
#define TASKS_TASK_RESULT_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESULT_RANDOM_DIGITS = 32, RESULT_SHARD_SIZE = sizeof "xx/yy" };

#define RESULT_TMP "tmp" /* unfinished files */
#define RESULT_PART ".part"
#define RESULT_CKPT ".ckpt"
#define RESULT_CKPT_NEW ".ckpt.new"
#define RESULT_DIR ".dir"

/* The directory of all files of task ID: its two low bytes, so that neighbours are spread and those
 * of one task are found again. */
void result_path_shard(uint64_t id, char out[RESULT_SHARD_SIZE]);

/* The name of an unfinished file. */
struct result_tmp {
    uint64_t id, fence;
    size_t stem;      /* length of the name without its ending */
    const char *kind; /* one of the endings above */
};

/* False where NAME is none. */
bool result_tmp_parse(const char *name, struct result_tmp *out);

/* Whether it is of one of task ID's claims before FENCE. With fence 0 it is of no task: an upload, and its id
 * a user's. */
bool result_tmp_is_before(const struct result_tmp *file, uint64_t id, uint64_t fence);

/* Calls SEE for every unfinished file, with the descriptor of its directory; FILE is NAME's. Nothing
 * where there is no such directory. */
typedef void result_tmp_see(void *ctx, int dir, const char *name, const struct result_tmp *file);
void result_tmp_each(int dir, result_tmp_see *see, void *ctx);

#endif
