/* SPDX-License-Identifier: MIT */
/* run_impl.h: a running task as its worker sees it; included by the worker's files only. */
#ifndef TASKS_RUNNER_RUN_IMPL_H
#define TASKS_RUNNER_RUN_IMPL_H

#include <stdatomic.h>

#include "base/buf.h"
#include "slot.h"
#include "task/run.h"
#include "worker.h"

struct worker {
    const struct worker_setup *setup;
    struct buf in, out;
    void **states;      /* of the types, by their place in the catalogue */
    struct run **runs;  /* by place; of a worker that carries many */
    atomic_size_t busy; /* tasks; read by the thread that watches the lease */
    bool cut_off;       /* the dispatcher is gone */
};

struct run {
    struct worker *worker;
    size_t place;
    struct slot *slot;
    struct run_task task;
    struct arena *arena;
    struct slot_progress progress;
};

/* Sends how R has ended and lets go of what OUTCOME holds. Sets cut_off where the dispatcher is gone. */
void run_send(struct run *r, struct run_outcome *outcome);

/* The life of a worker that carries many tasks; returns at its end. */
void worker_serve_many(struct worker *w);

#endif
