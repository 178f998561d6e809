/* SPDX-License-Identifier: MIT */
/* store.h: the task table as a set of verbs. A store is one connection to the queue's database with
 * its prepared statements; one thread at a time may use it. Every function connects where there is no
 * connection, answers ERR_DB_GONE where that fails, and leaves the store usable for the next call.
 * A transaction that the server wants repeated (deadlock, lock wait) is repeated here. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/db_address.h"
#include "base/error.h"
#include "base/mem.h"

struct store;

/* Once per process, before threads start and after the last fork: the client library wants it so. */
void store_library_init(void);

/* Who asks: decides which statements are prepared, so that each account needs its own rights only. */
enum store_role { STORE_API = 1, STORE_RUNNER = 2 };

/* Never fails and does not connect. ADDRESS and its strings must outlive the store. TIMEOUT_S is the
 * longest that a round trip may take before the connection counts as lost. */
struct store *store_create(const struct db_address *address, enum store_role role, int timeout_s) MUST_USE;

/* Another TIMEOUT_S, from the next connection on; closes the present one. */
void store_set_timeout(struct store *s, int timeout_s);

/* The server ends statements that take longer than MSEC, also where they wait for a row: ERR_TIMEOUT, and the
 * connection is as good as before. From the next connection on. MySQL ends only those that read. */
void store_set_statement_limit(struct store *s, int64_t msec);

/* Whether the server of the present, or last, connection ends changes as well. */
bool store_ends_changes(const struct store *s);

/* NULL is accepted; *S becomes NULL. */
void store_destroy(struct store **s);

/* Whether the schema is the one that this build knows: ERR_CONFLICT with both versions and the remedy where it is
 * not, also where there are no tables at all. */
int store_check_schema(struct store *s, struct error *e) MUST_USE;

/* The same, and prepares every statement of the role: what a program does at start, so that a fault shows there
 * and then. */
int store_check(struct store *s, struct error *e) MUST_USE;

/* A round trip to the database. */
int store_ping(struct store *s, struct error *e) MUST_USE;

/* Closes the connection; the next call opens a new one. */
void store_disconnect(struct store *s);

/* The connection's descriptor, -1 without one: for a child that must close it after fork. */
int store_fd(const struct store *s);

/* Runs BODY in one transaction and commits; repeats the whole where the server asks for it (also at
 * COMMIT), at most a few times with short random pauses and within the time-out. BODY must be able to run
 * again: it sets its results anew each time. An error from BODY rolls back and is returned. Within BODY
 * further transactions join this one. *UNKNOWN (may be NULL) tells that the connection was lost at
 * COMMIT, or the server ended it for its time: nobody knows whether it happened. */
int store_transaction(struct store *s, int (*body)(struct store *s, void *ctx, struct error *e),
                      void *ctx, bool *unknown, struct error *e) MUST_USE;

/* The same, but the first lock that another session holds for longer than the server waits (two seconds) ends it:
 * ERR_DB_RETRY. UNKNOWN must not be NULL. */
int store_try_transaction(struct store *s, int (*body)(struct store *s, void *ctx, struct error *e), void *ctx,
                          bool *unknown, struct error *e) MUST_USE;

/* The same for what has time: it waits for no lock at all (for a second on MySQL). */
int store_transaction_nowait(struct store *s, int (*body)(struct store *s, void *ctx, struct error *e), void *ctx,
                             struct error *e) MUST_USE;

#endif
