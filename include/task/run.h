/* SPDX-License-Identifier: MIT */
/* run.h: the contract between the runner and the code of a task type. The runner calls a type's
 * function in a worker process, one task at a time; the function does the work, tells of its progress
 * and says how it ended. A type whose tasks mostly wait for others may carry many in one process instead
 * (struct many_code). Neither touches the task table nor decides on retries. */
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

/* What a deferred request has beside its data. */
struct run_request {
    const void *sealed; /* its secret headers, see seal.h; NULL: wiped, there is nothing to replay any more */
    size_t sealed_len;
    const char *body_path; /* below the shared directory; NULL: no body */
    uint64_t body_bytes;
};

/* The claimed task. Strings and data live as long as the run. */
struct run_task {
    uint64_t id;
    uint64_t fence;
    unsigned attempt;    /* 1 for the first */
    unsigned max_attempts; /* after this one there is no other */
    int64_t created_by;  /* the owner: the value of :owner */
    int64_t created_at;  /* microseconds since 1970, UTC */
    const char *type;
    const char *data; /* JSON text as it stands in the table: not validated yet; NUL-terminated */
    size_t data_len;
    const struct run_request *request; /* of type http_request; NULL: nothing was deferred */
};

/* How a run ended. */
enum run_end {
    RUN_SUCCESS,
    RUN_FAILED,       /* its own error; tried again while attempts are left */
    RUN_FAILED_FINAL, /* its own error, and another attempt would end the same (bad data) */
    RUN_STOPPED,      /* it noticed run_stopping() and cleaned up */
    RUN_DROPPED,      /* nobody can say how far it came, and another attempt might do it twice */
};

enum { RUN_CODE_SIZE = 64, RUN_MESSAGE_SIZE = 1000, RUN_FILES_MAX = 16 };

/* Filled by the type's function. The runner initialises it to RUN_FAILED, code "internal". */
struct run_outcome {
    enum run_end end;
    char code[RUN_CODE_SIZE];       /* stable, lower case with underscores: "invalid_data" */
    char message[RUN_MESSAGE_SIZE]; /* one line for the task's owner: no secrets, no SQL */
    int64_t retry_usec;             /* RUN_FAILED: no other attempt before this time has passed */
    struct buf result;              /* JSON text or empty; a long one becomes a file */
    struct result_file *files[RUN_FILES_MAX + 1]; /* finished files (result_file_finish), in order; the
                                                     runner publishes them or discards them; the place
                                                     beyond RUN_FILES_MAX is for a long result */
    unsigned file_count;
};

/* Makes the outcome a success; its result and files are the caller's to add. */
void run_succeed(struct run_outcome *o);

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

/* From now on another attempt might do something twice: however this one ends without an answer of its own, be
 * it that its worker dies, it is the last. */
void run_commit(struct run *r);

/* True once the task has been asked to stop (cancelled, timed out, claim lost, shutdown): look at it
 * at least once a second and end with RUN_STOPPED. */
bool run_stopping(const struct run *r);

/* A line for the attempt's log (kept with the attempt, tail only); also on the runner's log. */
void run_log(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The code of a type that carries many tasks at once in one process, by one thread. */
struct many_code {
    /* Once in the process; the state is handed to the others. */
    void *(*open)(const struct settings *s, const struct catalogue *c);

    /* Takes on R, which lives until run_end(R): may be called right here. */
    void (*begin)(void *state, struct run *r);

    /* Serves them for at most TIMEOUT_MS, or until FD can be read: run_end for each that has ended, also for
     * one that is to stop. */
    void (*serve)(void *state, int fd, int timeout_ms);

    void (*close)(void **state); /* at the worker's end; what still runs is given up */
};

/* For many_code: R has ended like this; R and its arena are gone then. As after type_code.run the runner
 * publishes the files of OUTCOME or discards them. */
void run_end(struct run *r, struct run_outcome *outcome);

/* The code of one type. Must set OUTCOME; returns nothing else. It may keep connections open between
 * calls in *STATE (NULL at first, one per type and worker process). */
struct type_code {
    const char *type; /* the name in the parameter tables; of commands NULL */
    void (*run)(struct run *r, struct run_outcome *outcome, void **state); /* NULL where many is not */
    void (*close)(void **state); /* at the worker's end; may be NULL */
    const struct many_code *many; /* or NULL */
};

/* The code of TYPE, which is shared by all commands; NULL where this build has none. Defined by layer
 * types. */
const struct type_code *type_code_find(const struct task_type *type);

#endif
