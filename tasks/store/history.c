/* SPDX-License-Identifier: MIT */
/* history.c: reads attempts, runners, counters and pauses. */
#include "store/history.h"

#include "impl.h"

int store_list_attempts(struct store *s, uint64_t task_id, size_t max, struct arena *arena,
                        struct attempt *out, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_ATTEMPTS, &r, e, db_uint(task_id), db_uint(max));
    size_t n = 0;
    while (rc >= 0 && n < max && (rc = db_next(r, e)) > 0)
        out[n++] = (struct attempt){
            .fence = db_col_uint(r, 0),
            .attempt = (unsigned)db_col_uint(r, 1),
            .worker = store_text(r, 2, arena),
            .started_at = db_col_instant(r, 3),
            .finished_at = db_col_instant(r, 4),
            .outcome = store_text(r, 5, arena),
            .error = store_text(r, 6, arena),
            .log = store_text(r, 7, arena),
        };
    return rc < 0 ? (int)rc : (int)n;
}

int store_list_runners(struct store *s, size_t max, struct arena *arena, struct runner_row *out,
                       struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_RUNNERS, &r, e, db_uint(max));
    size_t n = 0;
    while (rc >= 0 && n < max && (rc = db_next(r, e)) > 0)
        out[n++] = (struct runner_row){
            .worker = store_text(r, 0, arena),
            .host = store_text(r, 1, arena),
            .pid = (unsigned)db_col_uint(r, 2),
            .version = store_text(r, 3, arena),
            .types = store_text(r, 4, arena),
            .slots = (unsigned)db_col_uint(r, 5),
            .busy = (unsigned)db_col_uint(r, 6),
            .started_at = db_col_instant(r, 7),
            .last_seen = db_col_instant(r, 8),
            .alive = db_col_int(r, 9) != 0,
        };
    return rc < 0 ? (int)rc : (int)n;
}

/* Reads rows of type, name and count, in the columns given. */
static int read_counts(struct db_stmt *r, int64_t rc, unsigned type, unsigned name, size_t max,
                       struct arena *arena, struct task_count *out, struct error *e)
{
    size_t n = 0;
    while (rc >= 0 && n < max && (rc = db_next(r, e)) > 0)
        out[n++] = (struct task_count){store_text(r, type, arena), store_text(r, name, arena),
                                       db_col_uint(r, 2)};
    return rc < 0 ? (int)rc : (int)n;
}

int store_count_live(struct store *s, size_t max, struct arena *arena, struct task_count *out,
                     struct error *e)
{
    struct db_stmt *r;
    int64_t rc = store_run(s, ST_COUNT_LIVE, 1, NULL, 0, &r, e);
    return read_counts(r, rc, 1, 0, max, arena, out, e);
}

int store_count_ended(struct store *s, size_t max, struct arena *arena, struct task_count *out,
                      struct error *e)
{
    struct db_stmt *r;
    int64_t rc = store_run(s, ST_COUNTERS, 1, NULL, 0, &r, e);
    return read_counts(r, rc, 0, 1, max, arena, out, e);
}

int store_list_paused(struct store *s, size_t max, struct arena *arena, struct paused_type *out,
                      struct error *e)
{
    struct db_stmt *r;
    int64_t rc = store_run(s, ST_PAUSED, 1, NULL, 0, &r, e);
    size_t n = 0;
    while (rc >= 0 && n < max && (rc = db_next(r, e)) > 0)
        out[n++] = (struct paused_type){store_text(r, 0, arena), db_col_instant(r, 1), db_col_int(r, 2)};
    return rc < 0 ? (int)rc : (int)n;
}
