/* SPDX-License-Identifier: MIT */
/* claim.h: a runner's view of the queue: look, claim, report, renew. Every write after the claim
 * carries id, fence and status, so a runner that lost its claim changes nothing. */
#ifndef STORE_CLAIM_H
#define STORE_CLAIM_H

#include "store/store.h"
#include "store/task.h"

/* A lane that has tasks: the first turn in it. */
struct lane_head {
    char type[65];
    int priority;
    int64_t turn;
};

/* Finds the lanes of the COUNT TYPES with fresh tasks. Its cost is the number of lanes (up to 256, of whatever type),
 * not of tasks; one statement for fifteen that S saw at its last look, and one for each that is new. Fills at most MAX
 * of OUT, in no order; returns how many. *DUE_USEC says in how many microseconds the first scheduled task is due (0: it
 * is), INT64_MAX if there is none. */
int store_look(struct store *s, const char *const *types, size_t count, struct lane_head *out,
               size_t max, int64_t *due_usec, struct error *e) MUST_USE;

/* Makes at most MAX scheduled tasks whose time has come fresh. Returns how many. */
int store_promote(struct store *s, size_t max, struct error *e) MUST_USE;

/* Where a claim starts in a lane: behind (TURN, ID). */
struct lane_floor {
    int64_t turn;
    uint64_t id;
};

struct claimed {
    uint64_t id, fence;
    unsigned attempt, max_attempts; /* max_attempts 0: as the type's setting says */
    int64_t created_by, created_at;
    int priority;
    int64_t turn; /* its place in the lane, which it has left */
    struct text data; /* from the arena */
    bool cancel_requested;
};

/* How many tasks of each user run, where a user may have LIMIT at a time over all runners. */
struct running_users;

/* Within a transaction: counts, and holds a lock until the transaction's end so that no two runners count
 * at once. *OUT is of ARENA. */
int store_count_users(struct store *s, int64_t limit, struct arena *arena, struct running_users **out,
                      struct error *e) MUST_USE;

/* Takes up to MAX tasks of one lane from FLOOR on, in order, for WORKER; must run inside
 * store_transaction. Rows that others have locked are passed over, and with USERS (else NULL) those of users
 * who have as many as they may. OUT has room for MAX. Returns how many and moves *FLOOR behind the last row
 * seen; *MORE tells whether the lane may hold more. */
int store_claim_lane(struct store *s, const char *worker, const char *type, int priority,
                     struct lane_floor *floor, size_t max, struct running_users *users,
                     struct arena *arena, struct claimed *out, bool *more, struct error *e) MUST_USE;

/* Those of the COUNT TYPES that nobody may claim now, into OUT, which has room for them all; returns how many. */
int store_paused_types(struct store *s, const char *const *types, size_t count, char (*out)[65],
                       struct error *e) MUST_USE;

/* Within a transaction: how many more tasks of TYPE may start where LIMIT may run over all runners. Holds
 * a lock on the type until the transaction's end, so that no two runners count at once. */
int store_type_room(struct store *s, const char *type, int64_t limit, struct error *e) MUST_USE;

enum finish_kind {
    FINISH_SUCCESS,
    FINISH_FAILURE,
    FINISH_CANCELLED,
    FINISH_DROPPED,
    FINISH_RETRY,     /* another attempt after retry_usec */
    FINISH_HAND_BACK, /* unburned, to fresh */
};

struct finish_file {
    const char *filename, *format, *path, *sha256;
    uint64_t bytes, rows;
    bool no_rows;      /* a file without a count of rows */
    bool is_result;    /* the task's result instead of a download */
    bool is_response;  /* a stored HTTP response: no download either */
    const char *role;  /* who alone may have it: "admin"; or NULL */
    const char *series; /* of which the newest are kept (store_keep_newest), or NULL */
};

/* How a claim ended. Strings belong to the caller. */
struct finish {
    uint64_t id, fence;
    int64_t owner;
    enum finish_kind kind;
    bool died;            /* FINISH_RETRY after the worker died: the attempt counts as dropped */
    bool is_request;      /* of type http_request: a success takes its secrets and body away */
    const char *error;    /* JSON or NULL */
    const char *result;   /* JSON or NULL */
    const char *progress; /* JSON or NULL: the last state of it */
    const char *log;      /* or NULL */
    int64_t retry_usec;
    int64_t turn;      /* FINISH_HAND_BACK: where it stood when it was claimed; 0 = not known: it goes to the present */
    int64_t keep_usec; /* retention of the task; 0 = for ever */
    const struct finish_file *files;
    size_t file_count;
};

/* Writes one claim's end, its attempt (a success without a log needs none) and its files; must run inside
 * store_transaction. 0, or ERR_FENCED: the claim was lost (remove its files), or ERR_DB_REFUSED: a value does not
 * fit (finish it otherwise). 1 where there was nothing to do: an earlier transaction of unknown outcome has written
 * this very end, and counted it. */
int store_finish(struct store *s, const struct finish *f, struct error *e) MUST_USE;

/* A success of which there is no more to say than its result and progress: no file, no log, no request. */
bool finish_is_plain(const struct finish *f);

enum { FINISH_GROUP_MAX = 256 };

/* As store_finish for COUNT plain ends (1 to FINISH_GROUP_MAX, ids ascending) that share their keep_usec, by
 * one statement for all of them where each is another task's. LOST[i] says that the claim of ENDS[i] was lost. A
 * value that the database refuses fails them all: write them one by one then. */
int store_finish_plain(struct store *s, const struct finish *const *ends, size_t count, bool *lost,
                       struct error *e) MUST_USE;

/* Locks the rows of COUNT tasks until the transaction's end, without waiting for anybody: HELD[i] says that another
 * session holds that of IDS[i]. A task that is gone is held by nobody. */
int store_lock_tasks(struct store *s, const uint64_t *ids, size_t count, bool *held, struct error *e) MUST_USE;

struct progress_note {
    uint64_t id, fence;
    const char *progress; /* JSON */
};

/* Writes the progress of COUNT claims in one transaction; lost claims are passed over. Waits for nobody: where
 * another session holds a row, WRITTEN[i] is false. */
int store_note_progress(struct store *s, const struct progress_note *notes, size_t count, bool *written,
                        struct error *e) MUST_USE;

/* --- the runner itself ----------------------------------------------------------------------- */

struct runner_card {
    const char *worker; /* "nickname:UUID" or "UUID" */
    const char *host, *version, *types; /* types: JSON array */
    unsigned pid, slots;
    int64_t lease_usec;
};

/* Before a runner enters: declares an earlier one of this name gone whose lease has run out by the database's clock,
 * so that its tasks are taken back instead of being found in this one's name. */
int store_expire_name(struct store *s, const char *worker, struct error *e) MUST_USE;

/* Enters the runner. ERR_CONFLICT where one of the same name is not gone. */
int store_register_runner(struct store *s, const struct runner_card *card, struct error *e) MUST_USE;

/* Writes CARD's lease, types and slots, and renews. ERR_FENCED as below. */
int store_change_runner(struct store *s, const struct runner_card *card, struct error *e) MUST_USE;

/* Renews the lease. ERR_FENCED where the runner has been declared gone (its tasks are others' now). */
int store_renew_runner(struct store *s, const char *worker, unsigned busy, struct error *e) MUST_USE;

/* Says good-bye: tasks that it still had are taken back at once by whoever sweeps. */
int store_leave_runner(struct store *s, const char *worker, struct error *e) MUST_USE;

struct held_task {
    uint64_t id, fence;
    bool cancel_requested;
    const char *cancel_error; /* JSON for the task's error, from the arena; NULL unless requested */
};

/* What the table says that WORKER has claimed. At most MAX; returns how many. */
int store_held_tasks(struct store *s, const char *worker, struct arena *arena, struct held_task *out,
                     size_t max, struct error *e) MUST_USE;

/* {"code": "cancelled", "message": ...} that says who asked and why, from ARENA. */
const char *store_cancel_error(struct arena *arena, int64_t by, const char *reason);

/* --- sweeping, by any runner -------------------------------------------------------------------- */

/* A task whose runner is gone. */
struct lost_task {
    const char *type;
    unsigned attempt, max_attempts; /* max_attempts 0: as the type says */
    struct text request; /* the data of a deferred request; of others NULL */
};

/* What becomes of it. */
struct lost_verdict {
    bool again;        /* another attempt */
    const char *why;   /* where there is none: a reason for the task's error, "; ...", or NULL */
    int64_t keep_usec; /* how long it stays then, or once it turns out to have been cancelled; 0 = for ever */
};

typedef struct lost_verdict judge_lost(void *ctx, const struct lost_task *task);

struct lost_claim {
    uint64_t id, fence;
    bool again; /* it waits for another attempt */
};

/* What a sweeper remembers of all runners from one store_take_back to the next; {0} at first. */
struct runner_watch {
    struct seen_runner *runners;
    size_t count;
};

void runner_watch_free(struct runner_watch *w);

/* Declares runners gone whose rows W has known unchanged for their lease, by this process's clock whatever the
 * database's says, or for a third of it where that said at the first look that they had long been silent; then takes
 * back or drops at most MAX of the tasks that no live runner holds. Returns how many; OUT, with room for MAX, says
 * which claims they were: no row will ever name files of theirs. */
int store_take_back(struct store *s, struct runner_watch *w, size_t max, judge_lost *judge, void *ctx,
                    struct lost_claim *out, struct error *e) MUST_USE;

struct trash_entry {
    uint64_t id;
    char path[128];
};

/* The oldest files to be removed; and the entries gone once they are (ERR_DB_RETRY where another session holds one). */
int store_list_trash(struct store *s, struct trash_entry *out, size_t max, struct error *e) MUST_USE;
int store_drop_trash(struct store *s, const struct trash_entry *entries, size_t count,
                     struct error *e) MUST_USE;

/* 1 where a row of csv_export, uploads, http_requests or file_trash names PATH, or the claim runs whose
 * <id>-<fence>- its name begins with (however long it has written nothing), else 0. */
int store_file_known(struct store *s, const char *path, struct error *e) MUST_USE;

/* Deletes at most MAX ended tasks whose time is over, with their files, and removes the files of downloads
 * that have expired before their task (the row stays, for the answer 410), and uploads that have expired. Returns how
 * many tasks and files went. Waits for nobody: ERR_DB_RETRY where another session holds a row, so that some stay. */
int store_expire(struct store *s, size_t max, struct error *e) MUST_USE;

/* Deletes at most MAX idempotency keys that have expired, and runners that have been gone for a day. Returns how many
 * keys went; ERR_DB_RETRY as above. */
int store_forget(struct store *s, size_t max, struct error *e) MUST_USE;

/* Deletes the tasks, with their files, that made all but the newest KEEP files of SERIES, at most MAX tasks.
 * The files that stay are locked meanwhile, so that neither two runners nor a runner and somebody who
 * deletes a newer one leave less than KEEP. Returns how many went; ERR_DB_RETRY as above, and nothing went. */
int store_keep_newest(struct store *s, const char *series, size_t keep, size_t max, struct error *e) MUST_USE;

/* Adds to the counters that /stats reads; inside a transaction or not. SLOT: any small number of the
 * runner's own. */
int store_count_endings(struct store *s, unsigned slot, const char *type, const char *outcome, uint64_t count,
                        struct error *e) MUST_USE;

/* The outcome by which a finish counts: "success", "failure", "dropped", ... */
const char *finish_outcome(const struct finish *f);

#endif
