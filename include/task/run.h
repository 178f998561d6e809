/* SPDX-License-Identifier: MIT */
/* run.h: the contract between the runner and the code of a task type. The runner calls a type's
 * function in a worker process, one task at a time; the function does the work, tells of its progress
 * and says how it ended. It never touches the task table and never decides on retries. */
#ifndef TASK_RUN_H
#define TASK_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/settings.h"
#include "task/catalogue.h"
#include "task/result_file.h"

/* The claimed task. Strings and data live as long as the run. */
struct run_task {
    uint64_t id;
    uint64_t fence;
    unsigned attempt;    /* 1 for the first */
    int64_t created_by;  /* the owner: the value of :owner */
    int64_t created_at;  /* microseconds since 1970, UTC */
    const char *type;
    const char *data; /* JSON text as it stands in the table: not validated yet; NUL-terminated */
    size_t data_len;
};

/* How a run ended. */
enum run_end {
    RUN_SUCCESS,
    RUN_FAILED,       /* its own error; tried again while attempts are left */
    RUN_FAILED_FINAL, /* its own error, and another attempt would end the same (bad data) */
    RUN_STOPPED,      /* it noticed run_stopping() and cleaned up */
};

enum { RUN_CODE_SIZE = 64, RUN_MESSAGE_SIZE = 1000, RUN_FILES_MAX = 16 };

/* Filled by the type's function. The runner initialises it to RUN_FAILED, code "internal". */
struct run_outcome {
    enum run_end end;
    char code[RUN_CODE_SIZE];       /* stable, lower case with underscores: "invalid_data" */
    char message[RUN_MESSAGE_SIZE]; /* one line for the task's owner: no secrets, no SQL */
    struct buf result;              /* JSON text or empty */
    struct result_file *files[RUN_FILES_MAX]; /* finished files (result_file_finish), in order; the
                                                 runner publishes them or discards them */
    unsigned file_count;
};

/* Fails the outcome; returns ERR_INVALID so that it can stand in a return. */
int run_fail(struct run_outcome *o, enum run_end end, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* What the runner offers to a running task; defined by layer runner (and by the tests' harness). */
struct run;

const struct run_task *run_task(const struct run *r);
const struct settings *run_settings(const struct run *r);
const struct catalogue *run_catalogue(const struct run *r); /* made from run_settings */
struct arena *run_arena(struct run *r); /* lives as long as the run */

/* Tells how far the task is: a few stores into shared memory, so it may be called per thousand rows.
 * TOTAL 0 = not known. UNIT such as "rows" (static storage, under 16 bytes). */
void run_progress(struct run *r, uint64_t done, uint64_t total, const char *unit);

/* One line of progress for a person, cut at 120 bytes; NULL takes it away. */
void run_progress_message(struct run *r, const char *message);

/* True once the task has been asked to stop (cancelled, timed out, claim lost, shutdown): look at it
 * at least once a second and end with RUN_STOPPED. */
bool run_stopping(const struct run *r);

/* A line for the attempt's log (kept with the attempt, tail only); also on the runner's log. */
void run_log(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The code of one type. Must set OUTCOME; returns nothing else. It may keep connections open between
 * calls in *STATE (NULL at first, one per type and worker process). */
struct type_code {
    const char *type; /* the name in the parameter tables; of commands NULL */
    void (*run)(struct run *r, struct run_outcome *outcome, void **state);
    void (*close)(void **state); /* at the worker's end; may be NULL */
};

/* The code of TYPE, which is shared by all commands; NULL where this build has none. Defined by layer
 * types. */
const struct type_code *type_code_find(const struct task_type *type);

#endif
