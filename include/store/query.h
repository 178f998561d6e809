/* SPDX-License-Identifier: MIT */
/* query.h: reading tasks, files and attempts. Nothing here locks or changes a row. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "store/store.h"
#include "store/task.h"

/* Looks COUNT ids up in one statement. OUT[i] is the task of IDS[i]; OUT[i].id is 0 where there is
 * none. Ids may repeat. Texts from ARENA. COUNT is at most STORE_GET_MAX. */
enum { STORE_GET_MAX = 512 };
int store_get_tasks(struct store *s, const uint64_t *ids, size_t count, struct arena *arena,
                    struct task *out, struct error *e) MUST_USE;

/* ENDED[i] tells whether the task IDS[i] has ended or is not there, for COUNT ids in one or few statements
 * that read no more than the ids. */
int store_find_ended(struct store *s, const uint64_t *ids, size_t count, bool *ended,
                     struct error *e) MUST_USE;

enum { FILTER_VALUES_MAX = 32 };

/* What a list shows. Zero-initialise; then set what is wanted. Instants: before is exclusive, after
 * inclusive; INSTANT_NONE (set by task_filter_init) = no bound. */
struct task_filter {
    int64_t owner;      /* only this user's; 0 = everybody's */
    bool status[TASK_STATUS_COUNT];
    bool has_status;
    const char *type[FILTER_VALUES_MAX]; /* '*' stands for any characters */
    size_t types;
    const char *worker[FILTER_VALUES_MAX]; /* likewise */
    size_t workers;
    int64_t created_by[FILTER_VALUES_MAX];
    size_t creators;
    int64_t created_before, created_after, started_before, started_after, finished_before, finished_after;
    int cancel_requested; /* -1 = either, 0, 1 */
};
void task_filter_init(struct task_filter *f);

/* Newest first (highest id), at most LIMIT tasks with an id below BEFORE_ID (0 = from the top). Looks at
 * a bounded number of rows, so OUT may be short while *NEXT goes on. Returns how many; *NEXT is the id to
 * pass as BEFORE_ID for more, or 0 at the end. OUT has room for LIMIT. */
int store_list_tasks(struct store *s, const struct task_filter *f, uint64_t before_id, size_t limit,
                     struct arena *arena, struct task *out, uint64_t *next, struct error *e) MUST_USE;

/* The same, but their ids alone. */
int store_list_ids(struct store *s, const struct task_filter *f, uint64_t before_id, size_t limit,
                   struct arena *arena, uint64_t *out, uint64_t *next, struct error *e) MUST_USE;

/* A row of csv_export. */
struct export_file {
    uint64_t id, task_id;
    struct text filename, format, path, sha256;
    int64_t owner_id, created_at, expires_at;
    uint64_t bytes, rows;
    bool has_rows;
    bool expired;
    bool is_result;  /* a task's long result: no download */
    bool is_response; /* a stored HTTP response: likewise */
    bool admin_only; /* whoever owns it */
};

/* Downloads, newest first, as store_list_tasks: those that OWNER may have, or all (0). */
int store_list_exports(struct store *s, int64_t owner, uint64_t before_id, size_t limit,
                       struct arena *arena, struct export_file *out, uint64_t *next,
                       struct error *e) MUST_USE;

/* One file by its own id, whatever it is for: 0 or ERR_NOT_FOUND. */
int store_get_export(struct store *s, uint64_t id, struct arena *arena, struct export_file *out,
                     struct error *e) MUST_USE;

#endif
