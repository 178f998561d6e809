/* SPDX-License-Identifier: MIT */
/* supervisor.h: the process between a worker and a program of the site. */
#ifndef TASKS_TYPES_SUPERVISOR_H
#define TASKS_TYPES_SUPERVISOR_H

#include "base/compiler.h"
#include "program.h"

/* What the supervisor tells its worker, one packet each. */
enum supervisor_news {
    NEWS_STARTED, /* the program has been executed */
    NEWS_FAILED,  /* it could not be: value is errno, step says at what */
    NEWS_ENDED,   /* it and all its descendants are gone: value is its status as of waitpid */
};

enum supervisor_step {
    STEP_FORK,
    STEP_ACCOUNT,
    STEP_LIMITS,
    STEP_DIRECTORY,
    STEP_OUTPUT,
    STEP_EXECUTE,
};

struct supervisor_message {
    enum supervisor_news news;
    enum supervisor_step step;
    int value;
};

/* What the worker tells its supervisor, one byte each. The end of the socket means ORDER_KILL. */
enum supervisor_order { ORDER_TERMINATE = 't', ORDER_KILL = 'k' };

/* Descriptors of the program, in their order there. */
enum { SUPERVISOR_ENDS = 4 };

/* What to run; see program_start. */
struct supervisor_task {
    const struct command_def *def;
    const struct program_account *account;
    char *const *envp;
    const char *output;
    int control;
    int ends[SUPERVISOR_ENDS];
};

/* The supervisor's life, in the child of a fork. */
void supervisor_main(const struct supervisor_task *t) NO_RETURN;

#endif
