/* SPDX-License-Identifier: MIT */
/* endings.h: how tasks ended, on its way into the database: within a transaction of the caller's, which may run
 * twice or fail. Nothing is let go of before that is settled. */
#ifndef TASKS_RUNNER_ENDINGS_H
#define TASKS_RUNNER_ENDINGS_H

#include "impl.h"

enum { ENDINGS_MAX = 512 };

struct endings {
    struct run_claim *claims[ENDINGS_MAX];
    bool lost[ENDINGS_MAX]; /* the claim was, as was found when it was written this time */
    size_t count;
    size_t plain_count; /* the first of them, which are written many at a time */
    size_t failing, failing_count; /* those that were being written when the transaction failed */
};

/* Takes as many of ENDED as fit. Returns false where it is a single one that has made a transaction fail: it
 * goes alone, and nothing should be claimed with it. */
bool endings_take(struct endings *n, struct claim_list *ended);

/* Within the transaction: writes them all. */
int endings_write(struct endings *n, struct store *s, struct error *e) MUST_USE;

/* Within the transaction: adds them to the counters in SLOT. */
int endings_count(const struct endings *n, struct store *s, unsigned slot, struct arena *arena,
                  struct error *e) MUST_USE;

/* After the commit: removes files that no row names, and lets go of the claims. */
void endings_settle(struct endings *n, struct dispatcher *d);

/* The transaction has failed with RC: all go back to d->ended, to be written another time, the one that failed
 * perhaps with less to say. */
void endings_failed(struct endings *n, struct dispatcher *d, int rc, const struct error *e);

#endif
