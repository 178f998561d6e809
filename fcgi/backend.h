/* SPDX-License-Identifier: MIT */
/* backend.h: how the threads of one process share its few database connections. Lookups of a task by id
 * that come at the same time become one statement on a connection of their own, and hold no thread but
 * one; all else takes turns on a small pool. Every function may be called by any thread, and answers
 * ERR_DB_GONE or ERR_TIMEOUT within two seconds where the database does not. */
#ifndef FCGI_BACKEND_H
#define FCGI_BACKEND_H

#include "base/error.h"
#include "base/mem.h"
#include "base/settings.h"
#include "fcgi/combine.h"
#include "store/change.h"
#include "store/query.h"

struct backend;

/* Does not connect. S must outlive it. Fails where the configuration has no account for the API. */
int backend_create(const struct settings *s, struct backend **out, struct error *e) MUST_USE;
void backend_destroy(struct backend **b); /* NULL is accepted; nobody may be waiting */

/* A task to be looked up. */
struct lookup {
    struct combine_job job;
    uint64_t id;
    struct arena *arena; /* for the texts of task */
    void (*done)(struct lookup *l); /* combine_later's finish */
    void *context;       /* for done */
    int result;          /* out: 0, ERR_NOT_FOUND, or what backend_call returns */
    struct task task;    /* out, where result is 0 */
    struct error error;  /* out, where it is not */
};

/* Combined. L->done is called by whichever thread asks the database: one that calls backend_flush, which must
 * follow. */
void backend_look_up(struct backend *b, struct lookup *l);
void backend_flush(struct backend *b);

/* One by itself. Texts from ARENA. ERR_NOT_FOUND where there is none. */
int backend_get_task(struct backend *b, uint64_t id, struct arena *arena, struct task *out,
                     struct error *e) MUST_USE;

int backend_get_export(struct backend *b, uint64_t id, struct arena *arena, struct export_file *out,
                       struct error *e) MUST_USE;

enum backend_kind {
    BACKEND_READ,   /* is done again where the connection turns out to be lost */
    BACKEND_CHANGE, /* is not; and where the server does not end it, as MySQL, it may wait for a row that others
                     * hold: that it takes too long does not mean that the database is away */
};

/* Runs CALL with a store of the pool, first come, first served. */
int backend_call(struct backend *b, enum backend_kind kind,
                 int (*call)(struct store *s, void *context, struct error *e), void *context,
                 struct error *e) MUST_USE;

#endif
