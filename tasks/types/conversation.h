/* SPDX-License-Identifier: MIT */
/* conversation.h: talks with a program about one task: gives it its input, takes what it writes, all at
 * the same time, so that neither side waits for the other, and with bounded memory. */
#ifndef TASKS_TYPES_CONVERSATION_H
#define TASKS_TYPES_CONVERSATION_H

#include "base/buf.h"
#include "command_log.h"
#include "command_progress.h"
#include "program.h"
#include "task/work_dir.h"

enum conversation_end {
    TALK_ANSWERED, /* a whole line of output is there (of a persistent program) */
    TALK_ENDED,    /* the program has ended */
    TALK_TOO_LONG, /* it has written more than it may */
    TALK_STOPPED,  /* the task was asked to stop, and the program has ended */
};

struct conversation {
    struct run *run;
    struct program *program;
    struct work_dir *dir; /* kept young; may be NULL */
    const char *input;
    size_t input_len;
    bool by_line;      /* of a persistent program: its input stays open, one line is the answer */
    struct buf output; /* its standard output, at most max + 1 bytes */
    int64_t max;
    struct command_log log;
    struct command_progress progress;
};

/* Everything above but log and progress must be set; the caller frees output. Where the end is not
 * TALK_ANSWERED, the program and all that it had started are gone. */
enum conversation_end conversation_run(struct conversation *c, int64_t max_log);

/* Throws away what a persistent program has written outside of a task, into the runner's log where it is
 * its standard error. False where the program cannot be used any more: it has ended, or has answered
 * unasked. */
bool conversation_settle(struct program *p, const char *name);

#endif
