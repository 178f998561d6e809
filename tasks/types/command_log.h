/* SPDX-License-Identifier: MIT */
/* command_log.h: what a program writes to its standard error, as lines of the attempt's log. */
#ifndef TASKS_TYPES_COMMAND_LOG_H
#define TASKS_TYPES_COMMAND_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "task/run.h"

enum { COMMAND_LINE_SIZE = 800, COMMAND_TAIL_SIZE = 4096 };

/* Memory stays the same, whatever comes. */
struct command_log {
    struct run *run;
    int64_t max;       /* bytes that go to the log at once; later ones only at the end */
    int64_t used;
    uint64_t left_out; /* lines that are neither in the log nor in tail */
    char line[COMMAND_LINE_SIZE]; /* not complete yet */
    size_t len;
    char last[COMMAND_LINE_SIZE]; /* the last line that says something; "" if there is none */
    char tail[COMMAND_TAIL_SIZE]; /* whole lines that wait for the end */
    size_t tail_len;
};

void command_log_begin(struct command_log *l, struct run *r, int64_t max);
void command_log_add(struct command_log *l, const char *data, size_t len);

/* What has been held back goes to the log. */
void command_log_end(struct command_log *l);

#endif
