/* SPDX-License-Identifier: MIT */
/* http_request.c: enters, reads and wipes what belongs to deferred requests. */
#include "store/http_request.h"

#include "impl.h"
#include "store/submit.h"

enum { COLUMNS = 5, ROWS_MAX = GROUP_ANY }; /* of one ST_ADD_REQUESTS */

static void set_row(struct db_value *p, uint64_t id, int64_t user, const struct http_request *r)
{
    p[0] = db_uint(id);
    p[1] = db_bytes(r->sealed, r->sealed_len);
    p[2] = r->body_path ? db_text(r->body_path) : db_null();
    p[3] = db_uint(r->body_bytes);
    p[4] = r->is_job ? db_int(user) : db_null();
}

int store_add_http_requests(struct store *s, const struct new_task *tasks, const struct task *made, size_t count,
                            struct error *e)
{
    struct db_value params[ROWS_MAX * COLUMNS];
    int64_t rc = 0;
    for (size_t i = 0, rows = 0; i < count && rc >= 0; i++) {
        if (tasks[i].request)
            set_row(params + rows++ * COLUMNS, made[i].id, tasks[i].created_by, tasks[i].request);
        if (rows == ROWS_MAX || (rows && i + 1 == count)) {
            rc = store_run(s, ST_ADD_REQUESTS, rows, params, (unsigned)(rows * COLUMNS), NULL, e);
            rows = 0;
        }
    }
    return rc < 0 ? (int)rc : 0;
}

int store_wipe_http_request(struct store *s, uint64_t id, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_TRASH_OF_REQUESTS, NULL, e, db_uint(id));
    if (rc >= 0)
        rc = STORE_RUN(s, ST_WIPE_REQUEST, NULL, e, db_uint(id));
    return rc < 0 ? (int)rc : 0;
}

static void read_row(struct db_stmt *r, struct arena *arena, struct http_request *out)
{
    struct text sealed = store_text(r, 1, arena);
    *out = (struct http_request){
        .sealed = sealed.p,
        .sealed_len = sealed.len,
        .body_path = store_text(r, 2, arena).p,
        .body_bytes = db_col_uint(r, 3),
        .is_job = !db_col_null(r, 4),
    };
}

int store_get_http_requests(struct store *s, const uint64_t *ids, size_t count, struct arena *arena,
                            struct http_request *out, bool *found, struct error *e)
{
    int64_t rc = 0;
    for (size_t at = 0, n; at < count && rc >= 0; at += n) {
        struct db_stmt *r;
        n = count - at < GROUP_MAX ? count - at : GROUP_MAX;
        for (size_t i = at; i < at + n; i++) {
            out[i] = (struct http_request){0};
            found[i] = false;
        }
        rc = store_run_group(s, ST_GET_REQUESTS, ids + at, n, &r, e);
        while (rc >= 0 && (rc = db_next(r, e)) > 0)
            for (size_t i = at; i < at + n; i++)
                if (ids[i] == db_col_uint(r, 0)) {
                    read_row(r, arena, &out[i]);
                    found[i] = true;
                }
    }
    return rc < 0 ? (int)rc : 0;
}

int store_http_request_kept(struct store *s, uint64_t id, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_REQUEST_KEPT, &r, e, db_uint(id));
    return rc < 0 ? (int)rc : db_next(r, e);
}

/* --- jobs --------------------------------------------------------------------------------------- */

int store_job_status(struct store *s, uint64_t id, int64_t user, enum task_status *status, struct error *e)
{
    struct db_stmt *r;
    size_t len;
    int64_t rc = STORE_RUN(s, ST_JOB_STATUS, &r, e, db_uint(id), db_int(user));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc < 0)
        return (int)rc;
    const char *name = rc ? db_col_text(r, 0, &len) : NULL;
    int found = name ? task_status_parse(name, len) : -1;
    if (found < 0)
        return error_set(e, ERR_NOT_FOUND, "there is no job %llu", (unsigned long long)id);
    *status = (enum task_status)found;
    return 0;
}

int store_list_jobs(struct store *s, int64_t user, bool ended, int64_t before, uint64_t after, uint64_t *out,
                    size_t max, struct error *e)
{
    struct db_stmt *r;
    size_t n = 0;
    int64_t rc = STORE_RUN(s, ST_LIST_JOBS, &r, e, db_int(user), db_uint(after), db_int(ended), db_instant(before),
                           db_instant(before), db_uint(max));
    while (rc >= 0 && n < max && (rc = db_next(r, e)) > 0)
        out[n++] = db_col_uint(r, 0);
    return rc < 0 ? (int)rc : (int)n;
}

int store_forget_jobs(struct store *s, uint64_t id, int64_t user, struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_FORGET_JOBS, NULL, e, db_int(user), db_uint(id), db_uint(id));
    return (int)rc;
}
