/* SPDX-License-Identifier: MIT */
/* program.h: one running program of the site with everything that it starts. Between it and the worker
 * stands a supervisor, a process of its own: whatever becomes of program, worker or runner, the
 * supervisor ends all descendants of the program before it runs another one or ends itself. */
#ifndef TASKS_TYPES_PROGRAM_H
#define TASKS_TYPES_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/settings.h"

/* The account that a program runs as. */
struct program_account {
    const char *name; /* NULL: the caller's own, nothing is changed */
    uid_t uid;
    gid_t gid;
    char *home; /* "/" where it is not known */
    size_t threads;     /* that it has in all its processes: counted now and then, for limits */
    int64_t counted_ns; /* 0: never */
};

struct supervisor_handle;

/* The descriptors are this side's ends; -1 once closed. All but control do not block. */
struct program {
    struct supervisor_handle *supervisor; /* NULL where it does not run, or the supervisor was killed */
    int control;      /* the supervisor's: readable when the program has ended */
    int in, out, err; /* of the program's standard input, output and error */
    int progress;     /* of its descriptor 3 */
    bool running;     /* it was started and has not been stopped */
    bool ended;
    int status; /* once ended: as of waitpid; -1 where the supervisor was killed */
};

#define PROGRAM_INIT {NULL, -1, -1, -1, -1, -1, false, false, 0}

/* Starts DEF's program with the environment ENVP and returns once it is executed. OUTPUT, if not NULL, is
 * a directory that it must be able to write to. P is PROGRAM_INIT, or stopped. DEF and ACCOUNT's name are
 * settings of this process. ERR_SYSTEM with what failed. */
int program_start(const struct command_def *def, struct program_account *account,
                  char *const *envp, const char *output, struct program *p,
                  struct error *e) MUST_USE;

/* SIGTERM to its process group. */
void program_terminate(struct program *p);

/* SIGKILL to it and all its descendants. */
void program_kill(struct program *p);

/* Looks, without waiting, whether it has ended with everything that it had started; then sets ended and
 * status. */
bool program_ended(struct program *p);

/* Closes its input, gives it GRACE_MS to end by itself, kills what is left and closes its descriptors. P may
 * be one that was never started; it can be started again. */
void program_stop(struct program *p, int grace_ms);

/* Closes *FD if it is open and sets it to -1. */
void program_close(int *fd);

#endif
