/* SPDX-License-Identifier: MIT */
/* dispatcher.h: the one process of a runner that talks to the queue: claims for all workers, renews the
 * lease, writes progress and endings. One loop and one connection, which a thread beside the loop has while it carries
 * out a transaction. */
#ifndef TASKS_RUNNER_DISPATCHER_H
#define TASKS_RUNNER_DISPATCHER_H

#include "base/compiler.h"
#include "base/error.h"

/* Runs until it is told to end (SIGTERM or SIGINT: finish and hand back; twice: at once). SIGHUP reads
 * CONFIG again. Returns 0, or an error that kept it from starting. */
int dispatcher_run(const char *config, struct error *e) MUST_USE;

#endif
