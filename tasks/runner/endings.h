/* SPDX-License-Identifier: MIT */
/* endings.h: how tasks ended, on its way into the database: within a transaction of the caller's, which may run
 * twice or fail. Nothing is let go of before that is settled. */
#ifndef TASKS_RUNNER_ENDINGS_H
#define TASKS_RUNNER_ENDINGS_H

#include "impl.h"

enum { ENDINGS_MAX = 512 };

struct endings {
    struct run_claim *claims[ENDINGS_MAX];
    bool lost[ENDINGS_MAX];  /* the claim was, as was found when it was written this time */
    bool known[ENDINGS_MAX]; /* it had been written, and counted, before: found out of one that is unsure */
    size_t count;
    size_t plain_count;   /* the first of them, which are written many at a time */
    bool careful;         /* something went wrong lately: looks first which rows other sessions hold */
    size_t written_count; /* the first of them; the rows of the others were held, so they were left out */
    size_t failing, failing_count; /* those that were being written when the transaction failed */
};

/* Takes as many of ENDED as fit. What is unsure is written by a statement of its own, which tells. */
void endings_take(struct endings *n, struct claim_list *ended);

/* Takes those of APART whose time has come, each to be written by a statement of its own. Nothing should be claimed
 * with them. */
void endings_take_apart(struct endings *n, struct claim_list *apart, int64_t now_ns);

/* Within the transaction: writes them all, but for those that have to be left out. */
int endings_write(struct endings *n, struct store *s, struct error *e) MUST_USE;

/* Within the transaction: adds them to the counters in SLOT. */
int endings_count(const struct endings *n, struct store *s, unsigned slot, struct arena *arena,
                  struct error *e) MUST_USE;

/* After the commit: removes files that no row names, and lets go of the claims; those that were left out go to
 * d->apart. */
void endings_settle(struct endings *n, struct dispatcher *d);

/* Nobody knows whether the transaction was committed. */
void endings_unsure(struct endings *n);

/* The transaction has failed with RC: all go back, to be written another time, what failed to d->apart or with less
 * to say. */
void endings_failed(struct endings *n, struct dispatcher *d, int rc, const struct error *e);

#endif
