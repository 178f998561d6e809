/* SPDX-License-Identifier: MIT */
/* command.h: what a command of taskctl is given, and what it answers. */
#ifndef TASKS_CTL_COMMAND_H
#define TASKS_CTL_COMMAND_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "task/catalogue.h"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One call of taskctl. SETTINGS and CATALOGUE are NULL for commands that need nothing. */
struct call {
    const char *path; /* of the configuration */
    const struct settings *settings;
    const struct catalogue *catalogue;
    int argc; /* what stands behind the command's name */
    char **argv;
};

/* A command writes its result to standard output and answers an exit code. */
typedef int command_run(const struct call *call);

#define COMMAND(name, arguments, needs, function, text) command_run function;
#include "commands.def"
#undef COMMAND

/* "taskctl: TEXT" on standard error; returns EXIT_FAILED. */
int command_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The same for wrong arguments, with a hint at --help; returns EXIT_USAGE. */
int command_usage(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Prints OUT and frees it; returns EXIT_DONE. Whether standard output takes what a command has printed is
 * looked at behind it, once for all. */
int command_print(struct buf *out);

#endif
