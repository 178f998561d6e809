/* SPDX-License-Identifier: MIT */
/* command_impl.h: what the files that run the site's own programs share. */
#ifndef TASKS_TYPES_COMMAND_IMPL_H
#define TASKS_TYPES_COMMAND_IMPL_H

#include "base/buf.h"
#include "program.h"
#include "task/run.h"
#include "task/work_dir.h"

/* What a worker keeps of one command between its tasks. */
struct command_state {
    struct work_place place;
    struct program_account account;
    struct program program; /* of a persistent command it stays */
    int64_t tasks;          /* that it has done */
};

/* One task of a command. */
struct command_task {
    struct run *run;
    struct run_outcome *outcome;
    const struct command_def *def;
    struct command_state *state;
    const char *key; /* the idempotency key: the same for all attempts of the task */
    struct buf data; /* its payload: a JSON object in one line */
};

/* --- command_exec.c and command_persistent.c: fill the outcome --------------------------------------- */

void command_exec(struct command_task *t);
void command_persistent(struct command_task *t);

/* --- command.c ------------------------------------------------------------------------------------------ */

/* The outcome of a program that has ended by itself before it had succeeded. LAST is the last line of its
 * standard error: left out where the log is not for the task's owner. */
void command_ended_badly(struct command_task *t, int status, const char *last);

/* Takes TEXT[0..LEN) as the task's result; only white space is none. False where it is no JSON, which the
 * outcome then says. */
bool command_take_result(struct command_task *t, const char *text, size_t len);

/* --- command_environment.c --------------------------------------------------------------------------- */

/* The account that DEF's program runs as. ERR_INVALID where there is none of that name. Strings are static
 * or DEF's, but for home, which is the caller's to free. */
int command_account(const struct command_def *def, struct program_account *out,
                    struct error *e) MUST_USE;

/* The program's environment, NULL-terminated, in the run's arena. OUTPUT and SCRATCH, if not NULL, are
 * directories of its own. WITH_TASK: also what belongs to this one task. */
char *const *command_environment(const struct command_task *t, bool with_task, const char *output,
                                 const char *scratch);

/* --- command_files.c ------------------------------------------------------------------------------------ */

/* Makes the attempt's directory the program's own. 0, or a failure that is in the outcome. */
int command_make_directory(struct command_task *t, struct work_dir *dir);

/* Makes the files in the directory FD the task's, in the order of their names. SEALED: nobody can write to
 * them any more. Closes FD. False where one cannot be taken, which the outcome then says. */
bool command_take_files(struct command_task *t, int fd, bool sealed);

#endif
