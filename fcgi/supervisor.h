/* SPDX-License-Identifier: MIT */
/* supervisor.h: the parent. Keeps the children alive, replaces them on SIGHUP without a gap, ends them
 * on SIGTERM. Single-threaded; serves no request itself. */
#ifndef FCGI_SUPERVISOR_H
#define FCGI_SUPERVISOR_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/* One reading of the configuration, and the children that live by it. */
struct plan {
    void *config;
    unsigned processes;
    int64_t drain_usec;
};

/* What a child gets from its parent besides the plan. All else is closed. */
struct child_descriptors {
    int listener;
    int handover_in, handover_out; /* see pool.h */
    int ready;                     /* one byte, when the child serves */
};

struct supervisor_calls {
    /* Reads the configuration into *OUT. On failure the running children go on. */
    int (*load)(void *context, struct plan *out, struct error *e);
    void (*release)(void *context, struct plan *plan);

    /* Runs in the child, with SIGTERM and SIGUSR2 blocked; returns its exit status. */
    int (*serve)(void *context, const struct plan *plan, const struct child_descriptors *descriptors);
};

/* Runs until SIGTERM or SIGINT and all children are gone. Returns 0, or an error where the first
 * configuration is bad or the system refuses. LISTENER stays open. */
int supervisor_run(int listener, const struct supervisor_calls *calls, void *context,
                   struct error *e) MUST_USE;

#endif
