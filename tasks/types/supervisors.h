/* SPDX-License-Identifier: MIT */
/* supervisors.h: a worker's supervisors: one for each program that runs, and those that wait for the next one. They
 * belong to the process; for one thread of it. */
#ifndef TASKS_TYPES_SUPERVISORS_H
#define TASKS_TYPES_SUPERVISORS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

struct supervisor_handle {
    struct supervisor_handle *next;
    pid_t pid;   /* 0 once it has been waited for */
    int control; /* this side's end of its socket */
    bool busy;
};

/* One for the caller alone. *FRESH: it has just been made; an older one may have died meanwhile. NULL with E. */
struct supervisor_handle *supervisors_take(bool *fresh, struct error *e) MUST_USE;

/* It waits for the next program. */
void supervisors_give_back(struct supervisor_handle *s);

/* Ends it, at once where it runs nothing, and waits for that. */
void supervisors_drop(struct supervisor_handle *s);

/* After the death of one that had a program: what that has left has come to this process, and is ended. */
void supervisors_end_orphans(void);

/* Drops those that wait. */
void supervisors_end_idle(void);

#endif
