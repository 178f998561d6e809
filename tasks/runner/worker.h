/* SPDX-License-Identifier: MIT */
/* worker.h: a worker process: runs one task at a time, as the dispatcher hands them over. */
#ifndef TASKS_RUNNER_WORKER_H
#define TASKS_RUNNER_WORKER_H

#include "base/compiler.h"
#include "slot.h"
#include "task/catalogue.h"

/* The descriptor of the dispatcher's socket in a worker. */
enum { WORKER_SOCKET = 3 };

/* What a worker has of its own; all of it was made before the fork. */
struct worker_setup {
    const struct catalogue *catalogue;
    struct slots *slots;
    struct slot *slot;
    int socket; /* the worker's end */
};

/* The life of a worker, in the child of a fork. Ends when the dispatcher closes the socket. */
void worker_main(const struct worker_setup *setup) NO_RETURN;

#endif
