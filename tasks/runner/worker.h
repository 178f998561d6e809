/* SPDX-License-Identifier: MIT */
/* worker.h: a worker process: runs the tasks that the dispatcher hands over, one at a time or many at once. */
#ifndef TASKS_RUNNER_WORKER_H
#define TASKS_RUNNER_WORKER_H

#include "base/compiler.h"
#include "claim.h"
#include "slot.h"
#include "task/catalogue.h"

/* The descriptor of the dispatcher's socket in a worker. */
enum { WORKER_SOCKET = 3 };

/* What a worker has of its own; all of it was made before the fork. */
struct worker_setup {
    const struct catalogue *catalogue;
    enum worker_kind kind;
    struct slots *slots;
    struct slot *slot;  /* of its first place; the others follow */
    size_t place_count; /* 1 but for WORKER_MANY */
    int socket;         /* the worker's end */
};

/* The life of a worker, in the child of a fork. Ends when the dispatcher closes the socket. */
void worker_main(const struct worker_setup *setup) NO_RETURN;

#endif
