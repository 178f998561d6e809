/* SPDX-License-Identifier: MIT */
/* impl.h: the dispatcher's state, shared by the files that make up its loop; included nowhere else. */
#ifndef TASKS_RUNNER_IMPL_H
#define TASKS_RUNNER_IMPL_H

#include "aside.h"
#include "base/clock.h"
#include "claim.h"
#include "lanes.h"
#include "pool.h"
#include "store/claim.h"
#include "store/store.h"

enum {
    RUNNER_TYPES_MAX = 600,
    WORKERS_MAX = 1024,
    MANY_WORKERS_MAX = 4, /* with those of older configurations that still have tasks */
    MANY_PLACES_MAX = 1024,
    COUNTER_SLOTS = 16, SWEEP_SHARDS = 256 * 256,
};

/* The types that this runner takes. */
struct runner_types {
    const char *names[RUNNER_TYPES_MAX]; /* of the catalogue */
    enum worker_kind kinds[RUNNER_TYPES_MAX];
    size_t count;
};

struct turn;

/* How a turn went, for what the next one does. */
enum turn_result {
    TURN_DONE,
    TURN_FAILED_ENDING, /* the next one looks first whose row is held */
    TURN_FAILED,        /* at no ending, perhaps at a claim: the next one only writes */
};

/* Instants are clock_mono_ns. Invariant: every claim that this runner has is in exactly one of waiting,
 * pool (running), ended, apart and the turn that writes its end. While there is a turn the store is its own, and the
 * process forks nobody. */
struct dispatcher {
    const char *config;
    struct settings *settings;
    struct settings *first_settings; /* those of the start: what only a restart changes points into them */
    struct catalogue *catalogue;
    struct runner_types types;
    char name[WORKER_NAME_SIZE]; /* "nickname:UUID" or "UUID" */
    char bell_name[64];
    struct store *store;
    struct db_address address;
    struct pool pool;
    struct lanes lanes;
    struct runner_watch watch;
    struct claim_list waiting[WORKER_KINDS]; /* claimed, no worker has a place yet */
    struct claim_list ended;                 /* to be written */
    struct claim_list apart;                 /* also, but it failed or was left out: when their time comes */
    struct aside *aside;                     /* carries out: */
    struct turn *turn;                       /* the transaction that is under way, or NULL */
    enum turn_result last_turn;              /* of the one before */
    bool last_apart;                         /* that one was for those set apart: the next one is for the others */
    bool reload_wanted;                      /* as soon as there is none */
    int epoll, signals, bell;
    const char *bell_directory;

    int64_t woken_ns;     /* when the round began */
    int64_t lease_usec;   /* as it stands in the runner's row */
    bool card_changed;    /* the row has to be written anew: the configuration was read again */
    bool entered;         /* the row is there, for all that we know */
    int64_t renewed_ns;   /* when the last renewal that succeeded was sent */
    int64_t renew_at_ns;
    int64_t look_at_ns;
    int64_t promote_at_ns; /* when the first scheduled task is due */
    int64_t note_at_ns;
    int64_t take_back_at_ns;
    int64_t sweep_at_ns;
    int64_t database_at_ns; /* not before this, after the database was away */
    int64_t database_pause_ns;
    int64_t expire_at_ns;
    int64_t forget_at_ns;
    int64_t pauses_at_ns;   /* when the paused types are read again */
    struct age_watch ages;  /* of files */
    unsigned sweep_shard;   /* where the search for orphaned files goes on ... */
    unsigned swept;         /* ... and in how many it has been */
    unsigned counter_slot;  /* of task_counters */

    char paused[RUNNER_TYPES_MAX][65]; /* those of its types that nobody may claim now */
    size_t paused_count;

    bool draining;
    int64_t drain_until_ns; /* then what still runs is stopped */
    int64_t end_by_ns;      /* then the runner ends, with what a last turn can write */
};

/* --- turnover.c: endings written and tasks claimed in one transaction --------------------------- */

/* True where this runner has room for more tasks. */
bool turnover_wants(const struct dispatcher *d);

/* True where there is something to write, or room for tasks and hope for some. */
bool turnover_due(const struct dispatcher *d, int64_t now_ns);

/* Begins one; there must be none. What was set apart is written again if that is due at NOW, INT64_MAX: in any case. */
void turnover_begin(struct dispatcher *d, int64_t now_ns);

/* Whether one is under way. */
bool turnover_runs(const struct dispatcher *d);

/* Takes over what came of it, if it is done. */
void turnover_take(struct dispatcher *d);

/* Waits for it, if there is one, and takes it over. */
void turnover_finish(struct dispatcher *d);

/* When what has ended must be written at the latest; INT64_MAX where nothing has ended. */
int64_t endings_due_at(const struct dispatcher *d);

/* Gives every waiting claim a worker that has a place; ends those that have waited too long, handed back. */
void assign_waiting(struct dispatcher *d, int64_t now_ns);

/* The loop has stood still until now: no claim has waited too long for a worker, whose answer may be there unread. */
void excuse_waiting(struct dispatcher *d, int64_t now_ns);

/* How many claims wait for one. */
size_t waiting_count(const struct dispatcher *d);

/* Takes a waiting claim of any kind; NULL where there is none. */
struct run_claim *waiting_pop(struct dispatcher *d);

/* Ends all that wait, handed back. */
void hand_back_waiting(struct dispatcher *d);

/* --- look.c: what the queue has, and what of it may be claimed -------------------------------------- */

/* Looks at the queue: corrects the lanes; where any wait, reads which types are paused. */
void look(struct dispatcher *d, int64_t now_ns);

/* Makes due tasks fresh. */
void promote(struct dispatcher *d, int64_t now_ns);

/* --- lease.c: the runner's own row, and what it says of our claims -------------------------------- */

/* Takes back what an earlier life of this name has left, then enters the runner. */
int lease_enter(struct dispatcher *d, struct error *e) MUST_USE;
void lease_renew(struct dispatcher *d, int64_t now_ns);

/* False once the lease could not be renewed for two thirds of its time: nothing may run or be claimed. */
bool lease_holds(const struct dispatcher *d, int64_t now_ns);

/* Ends what runs, and gives back what waits, where the lease does not hold. */
void lease_check(struct dispatcher *d, int64_t now_ns);
void lease_leave(struct dispatcher *d);

/* --- housekeeping.c: what any runner does for all -------------------------------------------------- */

void note_progress(struct dispatcher *d);
void take_back(struct dispatcher *d, int64_t now_ns);

/* Once, now. Returns how many tasks, or a negative enum err. */
int take_back_some(struct dispatcher *d, struct error *e) MUST_USE;
void sweep_files(struct dispatcher *d, int64_t now_ns);

/* Deletes tasks and files whose time is over. */
void expire(struct dispatcher *d);

/* Deletes idempotency keys and runners that nobody asks for any more. */
void forget(struct dispatcher *d);

/* Removes the files of an ended claim that no row will name, and what its worker left unfinished, but for
 * a checkpoint where the task may be tried AGAIN. */
void remove_files(struct dispatcher *d, struct run_claim *c, bool again);

/* --- dispatcher.c ------------------------------------------------------------------------------------ */

/* What kind of worker runs TYPE. */
enum worker_kind runner_kind(const struct dispatcher *d, const char *type);

/* Logs E; where the connection is lost, keeps from the database for a while. */
void database_failed(struct dispatcher *d, const char *what, const struct error *e);
bool database_ready(const struct dispatcher *d, int64_t now_ns);

#endif
