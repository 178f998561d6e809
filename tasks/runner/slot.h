/* SPDX-License-Identifier: MIT */
/* slot.h: the memory that the dispatcher shares with its workers: how far each task is, whether it
 * should stop, and until when the lease holds. Written and read without locks or system calls. */
#ifndef TASKS_RUNNER_SLOT_H
#define TASKS_RUNNER_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT_UNIT_SIZE = 16, SLOT_MESSAGE_SIZE = 121, SLOT_LOG_SIZE = 8192 };

/* What a worker says of its task. A plain copy; see slot_read. */
struct slot_progress {
    uint64_t done, total; /* total 0 = not known */
    char unit[SLOT_UNIT_SIZE];
    char message[SLOT_MESSAGE_SIZE];
};

/* One per place of a worker. progress and log are written by the worker only, under version: odd while it
 * writes. */
struct slot {
    atomic_uint version;
    struct slot_progress progress;
    atomic_bool stop;      /* written by the dispatcher: end the task */
    atomic_bool committed; /* written by the worker: another attempt would do harm (run_commit) */
    atomic_llong asked_ns; /* when the task last asked whether it is to stop */
    atomic_size_t log_end; /* bytes ever logged for this task; the last SLOT_LOG_SIZE are in log */
    char log[SLOT_LOG_SIZE];
};

struct slots {
    atomic_llong lease_until_ns; /* by clock_mono_ns: past it a worker kills itself */
    size_t count;
    struct slot slot[];
};

/* Memory for COUNT places, zero-filled, shared over fork. NULL with errno where there is none. */
struct slots *slots_create(size_t count);
void slots_destroy(struct slots **s);

/* For the next task: no progress, no log, not stopped, nothing committed. NOW by clock_mono_ns. Only while no
 * worker uses it. */
void slot_reset(struct slot *slot, int64_t now_ns);

void slot_write(struct slot *slot, const struct slot_progress *progress);

/* A consistent copy; returns its version, which changes with every write. Where the worker died in the
 * middle of a write, the last read stands: returns false. */
bool slot_read(const struct slot *slot, struct slot_progress *out, unsigned *version);

void slot_log(struct slot *slot, const char *line, size_t len);

/* The tail of the log, whole lines where there are any, NUL-terminated; the caller frees. NULL if empty. */
char *slot_log_tail(const struct slot *slot);

#endif
