/* SPDX-License-Identifier: MIT */
/* dump_process.h: a program whose output is read as it comes: started without a shell, with a clean environment
 * and no descriptor but its own, in a process group that can be ended as a whole. */
#ifndef TASKS_TYPES_DUMP_PROCESS_H
#define TASKS_TYPES_DUMP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

enum { DUMP_SECRET_FD = 3 }; /* where the program finds SECRET_FD of dump_process_start */

struct dump_process;

/* What the reader makes of it. Each returns 0, or an error that ends the program. */
struct dump_reader {
    int (*data)(void *ctx, const void *data, size_t len, struct error *e); /* of standard output */
    void (*line)(void *ctx, const char *line); /* of standard error, long ones cut */
    bool (*stop)(void *ctx);                   /* asked several times a second */
    void *ctx;
};

/* Starts the program at PATH. SECRET_FD, or -1, becomes the program's descriptor DUMP_SECRET_FD; the caller
 * keeps it. ERR_NOT_FOUND where there is no such program, ERR_SYSTEM. */
int dump_process_start(const char *path, const char *const *argv, int secret_fd, struct dump_process **out,
                       struct error *e) MUST_USE;

/* Reads until the program has ended by itself; *STATUS as from waitpid; what it has left running in its process group
 * is killed. Where READER stops or fails, the program's
 * process group is killed first: ERR_CANCELLED, or READER's error. */
int dump_process_read(struct dump_process *p, const struct dump_reader *reader, int *status,
                      struct error *e) MUST_USE;

/* Kills what is left and waits for it. NULL is accepted; *P becomes NULL. */
void dump_process_close(struct dump_process **p);

#endif
