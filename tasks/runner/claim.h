/* SPDX-License-Identifier: MIT */
/* claim.h: a claimed task on its way through the runner: waiting for a worker, running, ended and
 * waiting to be written. */
#ifndef TASKS_RUNNER_CLAIM_H
#define TASKS_RUNNER_CLAIM_H

#include <stdbool.h>

#include "store/claim.h"
#include "store/http_request.h"
#include "task/catalogue.h"
#include "task/result_file.h"
#include "task/run.h"
#include "wire.h"

/* Why the runner wants a running task to stop. The first reason stands. */
enum stop_reason { STOP_NONE, STOP_CANCELLED, STOP_TIMEOUT, STOP_SHUTDOWN, STOP_LEASE };

/* What a task's worker is. */
enum worker_kind {
    WORKER_SINGLE, /* a process for each task at a time */
    WORKER_MANY,   /* one process carries many (struct many_code) */
    WORKER_KINDS,
};

/* Owned by the list it is in. arena holds everything it points to. */
struct run_claim {
    struct run_claim *next; /* in a claim_list */
    struct arena *arena;
    struct run_task task; /* task.type and task.data live in arena */
    enum worker_kind kind;
    struct task_limits limits;
    int64_t waits_since_ns; /* for a worker */
    int64_t assigned_ns;   /* when a worker got it */
    int64_t ended_ns;      /* when its worker was done with it; 0 where it never had one */
    int64_t timeout_at_ns; /* INT64_MAX = never */
    bool committed;        /* once ended: another attempt would do harm (run_commit) */
    enum stop_reason stop;
    const char *cancel_error; /* JSON that says who cancelled it and why, or NULL */
    int64_t kill_at_ns; /* once stop is set: when the worker is killed */
    unsigned noted;     /* version of the progress that was last written to the table */
    bool refused;       /* the database has refused its end once */
    bool unsure;        /* its end may be written: the answer to the COMMIT was lost */
    int64_t retry_at_ns;    /* its end could not be written: not again before this; 0 = this has not happened */
    int64_t retry_pause_ns; /* the last one, after its own failure */
    struct finish finish; /* once ended; its files are of the shared directory */
    struct finish_file files[RUN_FILES_MAX + 1];
};

/* First in, first out. */
struct claim_list {
    struct run_claim *head, **tail;
    size_t count;
};

void claim_list_init(struct claim_list *l);
void claim_list_push(struct claim_list *l, struct run_claim *c);
struct run_claim *claim_list_pop(struct claim_list *l); /* NULL where empty */

struct run_claim *claim_create(const struct settings *settings, const char *type,
                               const struct claimed *task);

/* It is a deferred request; R is the row beside its task, copied, or NULL where there is none. */
void claim_set_request(struct run_claim *c, const struct http_request *r);
void claim_free(struct run_claim **c);

/* --- how it ended: fill c->finish ----------------------------------------------------------------- */

/* By what the worker says. */
void claim_end_done(struct run_claim *c, const struct wire_done *done);

/* The worker died: STATUS as from waitpid. */
void claim_end_died(struct run_claim *c, int status);

/* Given back unrun or, at shutdown, unfinished, to where it stood in its lane; or a claim that this runner does not
 * know. */
void claim_end_hand_back(struct run_claim *c);

/* Asked to stop before it reached a worker. */
void claim_end_cancelled(struct run_claim *c);

/* Where T is what only plain SQL can write, and no POST, its end as a failure, unrun; else false. */
bool claim_end_invalid(struct run_claim *c, const struct claimed *t) MUST_USE;

/* The database refuses what the finish says (it is too long, say): say less. */
void claim_end_refused(struct run_claim *c, const char *reason);

/* Tells the log how one ended that is no success, once that is written; nothing of what comes back as if it had not
 * been claimed. */
void claim_log_end(const struct run_claim *c);

/* The last progress and the log's tail; after one of the above. */
void claim_end_notes(struct run_claim *c, const char *progress, const char *log);

/* Progress as JSON in ARENA, or NULL where nothing has been said yet. */
const char *claim_progress_json(struct arena *arena, uint64_t done, uint64_t total, const char *unit,
                                const char *message);

#endif
