/* SPDX-License-Identifier: MIT */
/* creator.h: from valid tasks to rows, for all threads of a process. Submissions that wait at the same
 * time become one transaction, and none of them fails by another's fault; one with a key has a
 * transaction of its own. The runners of this host are told once it is committed. Any thread. */
#ifndef FCGI_CREATOR_H
#define FCGI_CREATOR_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/settings.h"
#include "fcgi/combine.h"
#include "store/submit.h"

struct backend;
struct creator;

struct submission {
    struct combine_job job;
    void (*done)(struct submission *s);
    void *context; /* for done */
    const struct new_task *tasks;
    size_t count;
    const struct submit_key *key; /* NULL: none */
    /* With a key, and not NULL: what must hold for new tasks, asked only once the key has turned out to be new, since
     * a replay is answered whatever has become of what they stood on. 0, or an error that is the result. */
    int (*check)(struct store *s, void *ctx, struct error *e);
    void *check_ctx;
    struct arena *arena;          /* for the texts of made where replayed; else they are those of tasks */
    struct task *made;            /* room for count */
    size_t made_count;            /* out: less than count only where replayed */
    bool replayed;                /* out: made are the tasks of an earlier submission */
    bool queue_full;              /* out, with ERR_LIMIT: not the user's limit, that of all */
    bool held;                    /* creator.c's: it is not for this transaction */
    int result;                   /* out: 0, or an error; all tasks are there, or none */
    struct error error;
};

/* SETTINGS must outlive it. */
struct creator *creator_create(struct backend *b, const struct settings *settings) MUST_USE;
void creator_destroy(struct creator **c); /* NULL is accepted; nobody may be submitting */

/* S->done is called by whichever thread has created the tasks: with a key this one, before it returns; else one that
 * calls creator_flush, which must follow. S->result: ERR_CONFLICT where the key was used for something else; ERR_LIMIT
 * where too many tasks wait; else as backend_call. */
void creator_submit(struct creator *c, struct submission *s);
void creator_flush(struct creator *c);

/* At most so many bytes has the answer to S to tell. */
size_t submission_size(const struct submission *s);

#endif
