/* SPDX-License-Identifier: MIT */
/* work_dir.h: a private directory for one attempt, below the shared directory. It is found again by the
 * claim that it belongs to, so that whoever ends a lost claim removes it too (result_file_remove_claim). */
#ifndef TASK_WORK_DIR_H
#define TASK_WORK_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

enum { WORK_DIR_NAME_SIZE = 96 };

/* The directory of unfinished files, kept open over many attempts. */
struct work_place {
    const char *directory; /* the shared one, absolute */
    mode_t directory_mode; /* of the directory of unfinished files, where it has to be made */
    int tmp;               /* private; -1 at first */
};

struct work_dir {
    struct work_place *place;      /* NULL: there is no directory */
    char name[WORK_DIR_NAME_SIZE]; /* below place->tmp: "<id>-<fence>-<random>.dir" */
    int64_t touched_ns;
};

#define WORK_DIR_INIT {NULL, "", 0}

void work_place_close(struct work_place *p);

/* Makes it with mode 0700, for task ID's claim FENCE. */
int work_dir_create(struct work_place *p, uint64_t id, uint64_t fence, struct work_dir *out,
                    struct error *e) MUST_USE;

/* A descriptor of it, or of the directory SUB in it where that is not NULL; never of what a symbolic link in
 * its place leads to. -1 with errno. */
int work_dir_open(const struct work_dir *d, const char *sub);

/* Call it now and then while the directory is in use: the search for orphans asks about what is old. */
void work_dir_touch(struct work_dir *d);

/* Removes it where nothing is in it, which is true as well where it is gone already. False: it is there. */
bool work_dir_remove_empty(struct work_dir *d);

/* Removes it with all that is in it. One that was never made is no error. */
void work_dir_remove(struct work_dir *d);

/* Removes NAME below the directory DIR, whatever it is, with all that is in it: follows no symbolic link,
 * and neither depth nor permissions of what its owner left stop it. Returns 0, or -1 with errno. */
int tree_remove(int dir, const char *name);

#endif
