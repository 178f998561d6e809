/* SPDX-License-Identifier: MIT */
/* history.h: what has been and who is at work: attempts, counters, runners, pauses. Reads only; the cost of
 * none of these grows with the number of ended tasks. */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "store/store.h"
#include "store/task.h"

/* An ended claim. Instants as in struct task; texts from the arena. */
struct attempt {
    uint64_t fence;
    unsigned attempt;
    struct text worker, outcome, error, log;
    int64_t started_at, finished_at;
};

/* The ended claims of a task, oldest first, the newest MAX of them; returns how many. The one that runs and a success
 * without a log are in the task's own row. */
int store_list_attempts(struct store *s, uint64_t task_id, size_t max, struct arena *arena,
                        struct attempt *out, struct error *e) MUST_USE;

struct runner_row {
    struct text worker, host, version, types; /* types: JSON array of names */
    unsigned pid, slots, busy;
    int64_t started_at, last_seen;
    bool alive; /* its lease holds */
};

/* Runners that have neither said good-bye nor been declared gone; at most MAX, returns how many. */
int store_list_runners(struct store *s, size_t max, struct arena *arena, struct runner_row *out,
                       struct error *e) MUST_USE;

/* So many tasks of a type are in a state (live ones) or have ended in a way (claims, ever). */
struct task_count {
    struct text type, name; /* name: "fresh", "scheduled", "started"; of ended claims: the outcome */
    uint64_t count;
};

/* How many wait and run, by an index scan of those. At most MAX, returns how many. */
int store_count_live(struct store *s, size_t max, struct arena *arena, struct task_count *out,
                     struct error *e) MUST_USE;

/* How many claims have ended, from counters. */
int store_count_ended(struct store *s, size_t max, struct arena *arena, struct task_count *out,
                      struct error *e) MUST_USE;

struct paused_type {
    struct text type;
    int64_t paused_at, paused_by;
};

int store_list_paused(struct store *s, size_t max, struct arena *arena, struct paused_type *out,
                      struct error *e) MUST_USE;

#endif
