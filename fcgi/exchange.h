/* SPDX-License-Identifier: MIT */
/* exchange.h: one request and its answer, from the first byte to the last. Owned by whoever carries the
 * connection, not by a thread: any thread that holds it may go on with it. */
#ifndef FCGI_EXCHANGE_H
#define FCGI_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fcgi/backend.h"
#include "fcgi/outcome.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "fcgi/transport.h"
#include "fcgi/url.h"
#include "fcgi/waiters.h"
#include "store/query.h"
#include "store/task.h"
#include "task/catalogue.h"
#include "task/seal.h"

struct creator;
struct stats;
struct tokens;

/* What takes longer is done in parts, by as many requests: nginx waits for an answer, and so does the client. */
enum { LONG_WORK_SECONDS = 20 };

/* What all requests of a process share; read-only but for backend, creator, stats,
 * tokens and waiters, which guard themselves. */
struct app {
    const struct settings *settings;
    const struct catalogue *catalogue;
    struct backend *backend;
    struct creator *creator;
    struct stats *stats;
    struct tokens *tokens;
    struct waiters *waiters; /* NULL: no answer can be held */
    /* Of the request at PLACE, by any thread: what has become of it; that a thread shall go on with it. */
    void (*settle)(void *place, enum outcome outcome);
    void (*call_again)(void *place);
    struct buf types_json[2]; /* the body of GET /v1/tasks/types, [1] for admins */
    struct seal_key seal_key; /* of deferred requests; where a site is configured */
};

/* Who asks. */
struct identity {
    int64_t user; /* 0 = nobody */
    bool admin;
    bool by_token; /* and not by what a browser sends of its own accord */
};

struct request {
    bool head; /* HEAD: the handler does as for GET */
    const struct route *route;
    const char *path; /* decoded, as the route was found by it */
    uint64_t id; /* the number in the path */
    struct url_query query;
    struct identity identity;
    struct buf body;
    struct task task;        /* RIGHT_TASK_OWNER: the task, already looked up */
    struct export_file file; /* RIGHT_EXPORT_OWNER: likewise */
    enum task_status job;    /* RIGHT_JOB_OWNER: likewise the job's */
};

struct exchange {
    struct exchange *next; /* for whoever keeps a list of them */
    const struct app *app;
    struct transport *transport;
    struct arena *arena; /* everything that lives as long as the request */
    struct request request;
    struct response response;
    void *place; /* NULL: nobody else goes on with the request */
    struct lookup lookup; /* of the task that the request is about */
    struct submission *submission; /* of the tasks that it makes */
    handler_fn *start; /* what is to be waited for; NULL: nothing */
    handler_fn *then;  /* what comes after it */
    struct wait wait;
    int hold_seconds;
    bool held;
    bool over; /* the wait */
    bool waited; /* the answer is written anew */
    handler_fn *resume; /* NULL: the answer need not be held */
    void *context;      /* the handler's, for then and resume */
};

struct exchange *exchange_create(const struct app *app) MUST_USE;
void exchange_destroy(struct exchange **x); /* NULL is accepted */

/* Makes it as new, but for memory that is worth keeping. */
void exchange_clear(struct exchange *x);

/* Reads the request from T, does what it asks for and sends the answer, as far as this can be done now; where it
 * cannot, app->settle and app->call_again are told at PLACE. PLACE NULL: the answer
 * is sent when creator_flush and backend_flush have been called. X is new or cleared. */
enum outcome exchange_run(struct exchange *x, struct transport *t, void *place);

/* Goes on with a request that was held, or that app->call_again was called for. */
enum outcome exchange_go_on(struct exchange *x);

/* For handlers: has S submitted once the handler has returned; then THEN goes on with the request, by any thread.
 * Others may wait for that one: THEN must wait for nothing. S is of the request's arena. */
struct submission;
void exchange_submit(struct exchange *x, struct submission *s, handler_fn *then);

/* For handlers: has the answer held until task ID has ended, as long as the client prefers (Prefer: wait, RFC
 * 7240), and RESUME write it anew then, with the task in x->lookup. What stands in the response is sent where
 * there is no such wish, too many wait already or it is a 412. */
void exchange_hold(struct exchange *x, uint64_t id, bool ended, handler_fn *resume);

/* Answers for an error of layer store: 503 where the database is away, 404, 409, 412, else 500 with a line
 * in the log. Returns false. */
bool exchange_fail(struct exchange *x, int error, const struct error *e);

/* Answers for tasks that could not be submitted: 422, 429, 503, or as exchange_fail. Returns false. */
bool exchange_refuse(struct exchange *x, const struct submission *s);

/* For handlers: has CALL done again and again, each time with a connection that others may have in between, until it
 * sets *MORE to false, fails, or LONG_WORK_SECONDS are over. */
int exchange_work(struct exchange *x, int (*call)(struct store *s, void *context, struct error *e), void *context,
                  const bool *more, struct error *e) MUST_USE;

/* Whose rows a list shows: the user's own, 0 = everybody's for an admin. */
int64_t exchange_scope(const struct exchange *x);

#endif
