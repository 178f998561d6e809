/* SPDX-License-Identifier: MIT */
/* change.h: what a person may do to a task or a file: retry, delete. Rights are the caller's matter. */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/store.h"
#include "store/task.h"

/* Within store_transaction: nobody else changes the task until that ends. ERR_NOT_FOUND. */
int store_lock_task(struct store *s, uint64_t id, struct error *e) MUST_USE;

/* Puts an ended, unsuccessful task back to fresh and fills OUT with it. ERR_NOT_FOUND, or ERR_CONFLICT
 * where it is not failure, cancelled or dropped. */
int store_retry_task(struct store *s, uint64_t id, struct arena *arena, struct task *out,
                     struct error *e) MUST_USE;

enum cancel_result {
    CANCEL_DONE,    /* it had not started: it is cancelled now */
    CANCEL_ASKED,   /* it runs: its runner is told with the next heartbeat */
    CANCEL_ALREADY, /* it runs and somebody has asked before */
};

/* Stops a task: BY is the user who asks, REASON (may be NULL) at most 500 characters. A task that has
 * not started never will; KEEP_USEC is then its retention (0 = for ever). Returns an enum cancel_result
 * and fills OUT; ERR_NOT_FOUND, or ERR_CONFLICT where the task has ended. */
int store_cancel_task(struct store *s, uint64_t id, int64_t by, const char *reason, int64_t keep_usec,
                      struct arena *arena, struct task *out, struct error *e) MUST_USE;

/* Nobody claims tasks of TYPE until it is resumed; those that run go on. Pausing twice is no error. */
int store_pause_type(struct store *s, const char *type, int64_t by, struct error *e) MUST_USE;
int store_resume_type(struct store *s, const char *type, struct error *e) MUST_USE;

/* Deletes an ended task with its attempts and files (a runner removes the bytes within seconds).
 * ERR_NOT_FOUND, ERR_CONFLICT unless it has ended, or ERR_DENIED where it has files of admins only and GUARDED
 * is false. */
int store_delete_task(struct store *s, uint64_t id, bool guarded, struct error *e) MUST_USE;

enum { STORE_DELETE_MAX = 200 }; /* by one transaction, which others may have to wait for */

/* Deletes those of COUNT tasks that have ended and have no files of admins only. Returns how many. */
int store_delete_ended(struct store *s, const uint64_t *ids, size_t count, struct error *e) MUST_USE;

/* Deletes some of OWNER's ended tasks that finished before BEFORE (status: NULL or TASK_STATUS_COUNT flags), the
 * newest first; owner 0 = everybody's. Those with files of admins only stay. *NEXT, 0 at first, is where the next call
 * goes on, 0 where all is done. Returns how many. */
int store_clear_tasks(struct store *s, int64_t owner, int64_t before, const bool *status, uint64_t *next,
                      struct error *e) MUST_USE;

/* Deletes a file's row and has the file removed; the task stays. ERR_NOT_FOUND. */
int store_delete_export(struct store *s, uint64_t id, struct error *e) MUST_USE;

#endif
