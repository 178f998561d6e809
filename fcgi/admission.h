/* SPDX-License-Identifier: MIT */
/* admission.h: whether new tasks may wait, by the limits of each user and of the whole queue. Most are
 * admitted from memory (quota.h); the others reserve room in the transaction that creates them, so that
 * nobody counts before they are there: small limits hold to the task. */
#ifndef FCGI_ADMISSION_H
#define FCGI_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/settings.h"
#include "fcgi/quota.h"
#include "store/submit.h"

struct backend;

/* Whose waiting tasks shall be counted anew, if anybody's; limit 0: nobody's. */
struct recount_due {
    int64_t user, limit;
};

/* The tasks of one transaction: what is asked of each limit. */
struct admission {
    struct quota *quota;
    struct admission_part {
        int64_t user, limit; /* user 0: the whole queue */
        int64_t wanted, taken; /* of wanted so many from memory */
        int64_t spare;         /* reserved beyond what is wanted */
    } *parts;                  /* by user, the whole queue last: everybody takes rows in this order */
    size_t count;
    struct reservation *missing; /* room for one of each part */
    int64_t begun_ns;
    const struct admission_part *refused; /* the limit that has no room */
    bool remembered;                      /* it had none a moment ago */
    bool reserved;
    struct recount_due recount;
};

/* Takes from memory what TASKS need. ERR_LIMIT where a refusal is remembered; admission_end must follow
 * either way. Memory is ARENA's. */
int admission_begin(struct admission *a, struct quota *q, const struct queue_settings *limits,
                    const struct new_task *tasks, size_t count, struct arena *arena,
                    struct error *e) MUST_USE;

/* Whether nothing need be reserved: all was taken from memory. */
bool admission_is_complete(const struct admission *a);

/* Reserves the rest; inside the transaction that creates the tasks, and again when it is repeated.
 * ERR_LIMIT; ERR_TIMEOUT also where somebody else holds the row of a user, or his count took too long, which is then
 * remembered (quota_held). Where nothing is missing no statement is run. */
int admission_reserve(struct admission *a, struct store *s, struct error *e) MUST_USE;

/* CREATED tells whether the tasks are there now. */
void admission_end(struct admission *a, bool created);

/* After ERR_LIMIT: it was the limit of the whole queue. */
bool admission_queue_full(const struct admission *a);

/* Counts for D, which an admission has left, once its submissions have been answered. */
void admission_recount(struct recount_due d, struct quota *q, struct backend *b);

#endif
