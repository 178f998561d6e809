/* SPDX-License-Identifier: MIT */
/* command.h: the site's own programs as task types, as far as they are data: what the catalogue, the
 * checks and the runner need to know before one is started. */
#ifndef TASK_COMMAND_H
#define TASK_COMMAND_H

#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/settings.h"
#include "task/catalogue.h"

/* DEF as a task type. OUT points into DEF. */
void command_type(const struct command_def *def, struct task_type *out);

/* How many files a task of DEF may leave; 0: none, and a persistent program has no directory for them. */
int64_t command_max_files(const struct command_def *def);

/* Warns of programs that the account of the runner cannot execute, or where this process is not root it: perhaps the
 * runner can. */
void commands_warn(const struct settings *s, struct settings_report *report);

/* Warns of accounts that this host does not have: those of a runner's host. */
void accounts_warn(const struct settings *s, struct settings_report *report);

/* Whether this process, once it is what it stays, can run each command as its user. ERR_DENIED or
 * ERR_INVALID with file and line. */
int commands_check_accounts(const struct settings *s, struct error *e) MUST_USE;

/* Puts what a program of TYPE gets as data behind OUT: the object DATA[0..LEN), which is taken from the
 * table and not yet validated, in one line, with the defaults of its parameters filled in. ERR_INVALID
 * with the first fault in E. */
int command_payload(const struct catalogue *c, const struct task_type *type, const char *data,
                    size_t len, struct arena *arena, struct buf *out, struct error *e) MUST_USE;

#endif
