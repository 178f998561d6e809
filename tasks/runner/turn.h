/* SPDX-License-Identifier: MIT */
/* turn.h: one transaction of the runner: it writes how tasks ended and claims the next ones, so that one commit
 * serves many tasks. The dispatcher plans it and takes over what came of it; in between another thread
 * carries it out, and it reads nothing but the plan. */
#ifndef TASKS_RUNNER_TURN_H
#define TASKS_RUNNER_TURN_H

#include "endings.h"
#include "lanes.h"
#include "store/http_request.h"

/* What may be claimed of a lane. */
struct turn_lane {
    enum worker_kind kind;
    size_t room;           /* how many more tasks of its type this runner may have */
    int64_t running_total; /* how many of its type may run on all runners; 0 = any number */
};

struct turn {
    /* the plan */
    struct store *store;
    const char *worker;       /* the runner's name */
    unsigned counter_slot;    /* of task_counters */
    int64_t running_per_user; /* 0 = any number */
    struct endings endings;
    size_t want[WORKER_KINDS], want_all;
    struct lanes asked;       /* in this order */
    struct turn_lane *limits; /* of asked */
    struct arena *plan;

    /* what came of it */
    int rc;
    struct error error;
    bool unknown;       /* the commit may have been made */
    struct lanes lanes; /* those of asked, with the floors where they are now */
    struct claimed *tasks;
    const char **types; /* of tasks */
    size_t task_count;
    struct http_request *requests; /* of tasks; those of other types are empty */
    bool *has_request;
    size_t taken[WORKER_KINDS]; /* of tasks */
    struct arena *arena;
};

struct turn *turn_create(void) MUST_USE;

/* Not the claims of its endings, which the dispatcher has taken over. */
void turn_destroy(struct turn **t);

/* Carries a struct turn out. */
void turn_run(void *turn);

/* Whether TYPE is the one whose tasks have a row beside them. */
bool turn_is_request(const char *type) MUST_USE;

#endif
