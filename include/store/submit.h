/* SPDX-License-Identifier: MIT */
/* submit.h: new tasks: their place in the queue, the limits on how many may wait, and POSTs that may be
 * repeated. */
#ifndef STORE_SUBMIT_H
#define STORE_SUBMIT_H

#include "store/http_request.h"
#include "store/store.h"
#include "store/task.h"

struct new_task {
    const char *type;
    const char *data; /* JSON */
    size_t data_len;
    int priority;
    int64_t run_at; /* INSTANT_NONE = at once */
    unsigned max_attempts; /* 0 = as the type's setting says */
    int64_t created_by;
    const struct http_request *request; /* of type http_request: entered with the task; else NULL */
};

/* Inserts COUNT tasks, all or none, and returns after the commit. OUT[0..COUNT) are filled in the same
 * order, with the texts of TASKS. Returns 0; ERR_DB_REFUSED where a value does not fit its column.
 *
 * Fair shares: in each lane a user's tasks stand a fixed distance apart and his first one stands beside
 * whoever is first, so that users take turns however many tasks each of them has (start-time fair
 * queueing; Goyal, Vin, Cheng 1997, with the lane's first turn as virtual time). */
int store_submit(struct store *s, const struct new_task *tasks, size_t count, struct arena *arena,
                 struct task *out, struct error *e) MUST_USE;

/* What makes a submission repeatable. */
struct submit_key {
    int64_t user;
    const char *key;       /* the Idempotency-Key */
    const char *body_hash; /* SHA-256 of the request's body, 64 hex digits */
    int64_t keep_usec;
    /* Called in the transaction before anything is submitted, not for a replay; its error ends the
     * submission. NULL: nobody is asked. */
    int (*admit)(struct store *s, void *ctx, struct error *e);
    void *admit_ctx;
};

/* As store_submit, once for each key: where the user has used KEY before with the same body, *REPLAYED
 * is true and OUT holds the first submission's tasks as they are now, *OUT_COUNT of them (those that still
 * exist; at most COUNT). ERR_CONFLICT where the body was another. However many ask at once, one submits. */
int store_submit_once(struct store *s, const struct submit_key *key, const struct new_task *tasks,
                      size_t count, struct arena *arena, struct task *out, size_t *out_count,
                      bool *replayed, struct error *e) MUST_USE;

/* Room for tasks that are going to wait. What is reserved and not used is found free again, and what waits without
 * a reservation is found, when the waiting tasks are counted: where the limit is reached, or by store_recount. */
struct reservation {
    int64_t user, limit; /* user 0: everybody; so many tasks may wait */
    int64_t wanted;      /* for so many tasks */
    int64_t ahead;       /* and for so many more, if there is room */
    int64_t spare;       /* out: AHEAD, or 0 */
};

/* Makes COUNT reservations, all or none, each of another user, by user, with that of everybody last. Joins the
 * transaction that inserts the tasks (else it has one of its own): a count then sees what it reserves. ERR_LIMIT where
 * there is no room for what is wanted, ERR_TIMEOUT where somebody else holds the row, or a count took too long: *FAILED
 * is the reservation that failed, if it is known, else NULL. */
int store_reserve(struct store *s, struct reservation *all, size_t count, const struct reservation **failed,
                  struct error *e) MUST_USE;

/* Counts what waits for USER (0: for everybody), where LIMIT may: a look at all tasks that wait. Room for SPARE more
 * has been reserved and stays so if it is within the limit, else *KEPT is false. Does nothing where another session
 * holds the user's row. */
int store_recount(struct store *s, int64_t user, int64_t limit, int64_t spare, bool *kept, struct error *e) MUST_USE;

#endif
