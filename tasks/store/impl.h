/* SPDX-License-Identifier: MIT */
/* impl.h: what the files of this folder share; included nowhere else. */
#ifndef TASKS_STORE_IMPL_H
#define TASKS_STORE_IMPL_H

#include "base/buf.h"
#include "db/db.h"
#include "statements.h"
#include "store/store.h"

/* How often a group is repeated: 1, 2, 3, ... 32, 64, ... 512 times, each size prepared when it is first needed. */
enum { GROUP_ANY = 32, GROUP_SIZES = GROUP_ANY + 4, GROUP_MAX = 512 };

/* Invariant: stmts are of db; both are gone after a lost connection. depth is 1 within a transaction, or a
 * change that is one by itself. */
struct store {
    struct db *db;
    const struct db_address *address;
    enum store_role role;
    int timeout_s;
    int64_t statement_msec; /* 0: as long as they take */
    bool ends_changes;
    int depth;
    struct lanes_seen *seen; /* of look.c, or NULL: where the next look asks from */
    struct db_stmt *stmts[ST_COUNT][GROUP_SIZES];
};

/* Connects where there is no usable connection. */
int store_connect(struct store *s, struct error *e) MUST_USE;

/* Runs statement ID, whose group (if it has one) is repeated for COUNT values or rows; COUNT must be one of
 * the sizes above (1 where there is no group). Connects first where need be. *OUT is for
 * db_next and db_col_*. Returns what db_run returns. */
int64_t store_run(struct store *s, enum statement_id id, size_t count, const struct db_value *params,
                  unsigned param_count, struct db_stmt **out, struct error *e) MUST_USE;

/* The text of statement ID as it is sent, its group repeated COUNT times. */
void store_statement_text(struct buf *out, enum statement_id id, size_t count);

/* The common case: no group, the parameters as a list. */
#define STORE_RUN(s, id, out, e, ...)                                                        \
    store_run((s), (id), 1, (const struct db_value[]){__VA_ARGS__},                          \
              sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value), (out), (e))

/* Runs statement ID, which has nothing but its group, for COUNT ids, 1 to GROUP_MAX. What the group has more
 * repeats the last one: naming an id twice changes nothing in a list of IN. */
int64_t store_run_group(struct store *s, enum statement_id id, const uint64_t *ids, size_t count,
                        struct db_stmt **out, struct error *e) MUST_USE;

/* Runs ID for every one of COUNT ids (any number), as many at a time as a group may have, filled up as by
 * store_run_group; PREFIX are the parameters before the group, SUFFIX-less statements only. Returns the sum of
 * db_run's or an error. */
int64_t store_run_ids(struct store *s, enum statement_id id, const struct db_value *prefix,
                      unsigned prefix_count, const uint64_t *ids, size_t count,
                      struct error *e) MUST_USE;

/* Runs ID, which gives some of COUNT ids (at most GROUP_MAX), into OUT, which has room for all. Returns how many. */
int store_choose_ids(struct store *s, enum statement_id id, const uint64_t *ids, size_t count, uint64_t *out,
                     struct error *e) MUST_USE;

/* The same for any number: MARKED[i] says whether it gave IDS[i]. */
int store_mark_ids(struct store *s, enum statement_id id, const uint64_t *ids, size_t count, bool *marked,
                   struct error *e) MUST_USE;

/* As store_transaction for a BODY whose one and only statement that changes something comes last: it commits
 * itself, which saves two round trips. Joins an open transaction. */
int store_change_once(struct store *s, int (*body)(struct store *, void *, struct error *), void *ctx,
                      struct error *e) MUST_USE;

/* The smallest power of two with room for N, 1 to GROUP_MAX: few statements for any number. */
size_t store_group_for(size_t n);

/* The largest group that N > 0 values fill: for rows to be inserted, which cannot be named twice. */
size_t store_group_filled(size_t n);

/* The only function that changes a status. The statement of EVENT from FROM runs with PARAMS (the
 * changes' parameters, then ids or id and fence). Returns how many tasks moved: 0 where the task is
 * not in FROM, or the claim is lost. */
int64_t store_move(struct store *s, enum task_event event, enum task_status from, size_t count,
                   const struct db_value *params, unsigned param_count, struct error *e) MUST_USE;

/* As store_move for BY_IDS moves of any number of tasks. */
int64_t store_move_ids(struct store *s, enum task_event event, enum task_status from,
                       const struct db_value *prefix, unsigned prefix_count, const uint64_t *ids,
                       size_t count, struct error *e) MUST_USE;

/* Within a transaction that has just moved task ID back to STATUS (scheduled, fresh): cancels it if somebody has
 * asked for that while it ran, so that it neither waits for nor begins another attempt. */
int store_cancel_if_asked(struct store *s, uint64_t id, enum task_status status, int64_t keep_usec,
                          struct error *e) MUST_USE;

/* Locks the row of task ID and reads its status; ERR_NOT_FOUND. */
int store_lock_status(struct store *s, uint64_t id, enum task_status *status, struct error *e) MUST_USE;

/* Deletes tasks with all that belongs to them; their rows are locked and ended. */
int store_delete_rows(struct store *s, const uint64_t *ids, size_t count, struct error *e) MUST_USE;

/* Inside a transaction: enters the deferred requests of those of TASKS that have one, which have been MADE; takes
 * the secrets and the body of task ID's away. */
struct new_task;
int store_add_http_requests(struct store *s, const struct new_task *tasks, const struct task *made, size_t count,
                            struct error *e) MUST_USE;
int store_wipe_http_request(struct store *s, uint64_t id, struct error *e) MUST_USE;

/* Copies column COL of the present row into ARENA; p is NULL for SQL's NULL. */
struct text store_text(struct db_stmt *stmt, unsigned col, struct arena *arena);

/* Reads a row of TASK_COLUMNS. Id 0: the row's status is none, which the log says; a row that plain SQL has spoilt
 * must not take the others with it. */
void store_read_task(struct db_stmt *stmt, struct arena *arena, struct task *out);

/* The servers' error numbers for a duplicate key, and for a lock that did not become free in time. */
enum { ERRNO_DUPLICATE = 1062, ERRNO_NO_TABLE = 1146, ERRNO_LOCK_WAIT = 1205 };

#endif
