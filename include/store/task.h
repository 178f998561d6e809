/* SPDX-License-Identifier: MIT */
/* task.h: a task as it stands in the table, and the names of its states and moves. */
#ifndef STORE_TASK_H
#define STORE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"

enum task_status {
#define STATE(name, ended) TASK_##name,
#define MOVE(event, from, to, which, changes)
#include "store/states.def"
#undef STATE
#undef MOVE
    TASK_STATUS_COUNT
};

/* "fresh"; for every value of the enum. */
const char *task_status_name(enum task_status status);

/* The enum of a name, or -1. */
int task_status_parse(const char *name, size_t len);

/* True for success, failure, cancelled and dropped. */
bool task_status_ended(enum task_status status);

enum { PRIORITY_MIN = 0, PRIORITY_MAX = 9, PRIORITY_DEFAULT = 5, WORKER_NAME_SIZE = 129 };

/* Text of a column: NUL-terminated, with its length; p is NULL for SQL's NULL. */
struct text {
    const char *p;
    size_t len;
};

/* One of a task's files: a row of csv_export. */
struct task_file {
    uint64_t id;
    bool is_result;  /* the task's result, too long for its row; not a download */
    bool is_response; /* a stored HTTP response; likewise */
    bool admin_only; /* whoever owns it */
    bool expired;    /* its row stays for the answer 410 */
};

/* One row. Texts belong to the arena that the reader was given. Instants: microseconds since 1970,
 * UTC, INSTANT_NONE for NULL. */
struct task {
    uint64_t id;
    struct text type;
    struct text data;
    enum task_status status; /* fresh with a future run_at reads as scheduled */
    int priority;
    int64_t turn;
    struct text worker;
    int64_t created_at, updated_on, run_at, started_at, finished_at, expires_at;
    int64_t created_by;
    unsigned attempt;
    unsigned max_attempts; /* 0: as the type's setting says */
    uint64_t fence;
    bool cancel_requested;
    int64_t cancel_by; /* 0 = nobody */
    struct text cancel_reason;
    struct text progress, error, result; /* JSON texts or NULL */
    const struct task_file *files;       /* ids ascending, of the arena as well */
    size_t file_count;
};

#endif
