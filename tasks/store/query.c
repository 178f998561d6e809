/* SPDX-License-Identifier: MIT */
/* query.c: looks tasks and files up by id; lists files. */
#include "store/query.h"

#include <string.h>

#include "base/log.h"
#include "impl.h"

enum { FILES_COLUMN = 22 }; /* of TASK_COLUMNS */

/* Reads the files of TEXT, words of FILE_WORD, to those that OUT has already; ids ascending. What has no letter was
 * cut off by the server. */
static void read_files(struct text text, struct arena *arena, struct task *out)
{
    size_t most = out->file_count + 1;
    for (size_t i = 0; i < text.len; i++)
        most += text.p[i] == ',';
    if (!text.len)
        return;
    struct task_file *files = arena_alloc(arena, most * sizeof *files);
    size_t n = out->file_count;
    if (n)
        memcpy(files, out->files, n * sizeof *files);
    for (const char *p = text.p; *p; p += *p == ',') {
        uint64_t id = 0;
        while (*p >= '0' && *p <= '9')
            id = id * 10 + (uint64_t)(*p++ - '0');
        if (!*p)
            break;
        size_t at = n++;
        for (; at && files[at - 1].id > id; at--)
            files[at] = files[at - 1];
        files[at] = (struct task_file){id, *p == 'r', *p == 'h', *p == 'a', p[1] == 'x'};
        p += p[1] == 'x' ? 2 : 1;
    }
    out->files = files;
    out->file_count = n;
}

void store_read_task(struct db_stmt *r, struct arena *arena, struct task *t)
{
    size_t len;
    const char *name = db_col_text(r, 2, &len);
    int status = name ? task_status_parse(name, len) : -1;
    *t = (struct task){0};
    if (status < 0) {
        log_error("task %llu has the status \"%s\", which is none: it is not run and not shown until corrected",
                  (unsigned long long)db_col_uint(r, 0), name ? name : "NULL");
        return;
    }
    *t = (struct task){
        .id = db_col_uint(r, 0),
        .type = store_text(r, 1, arena),
        .status = (enum task_status)status,
        .priority = (int)db_col_int(r, 3),
        .turn = db_col_int(r, 4),
        .worker = store_text(r, 5, arena),
        .created_at = db_col_instant(r, 6),
        .updated_on = db_col_instant(r, 7),
        .created_by = db_col_int(r, 8),
        .run_at = db_col_instant(r, 9),
        .started_at = db_col_instant(r, 10),
        .finished_at = db_col_instant(r, 11),
        .expires_at = db_col_instant(r, 12),
        .attempt = (unsigned)db_col_uint(r, 13),
        .max_attempts = (unsigned)db_col_uint(r, 14),
        .fence = db_col_uint(r, 15),
        .cancel_requested = db_col_int(r, 16) != 0,
        .cancel_by = db_col_int(r, 17),
        .cancel_reason = store_text(r, 18, arena),
        .progress = store_text(r, 19, arena),
        .error = store_text(r, 20, arena),
        .result = store_text(r, 21, arena),
        .data = store_text(r, 23, arena),
    };
    read_files(store_text(r, FILES_COLUMN, arena), arena, t);
}

static int get_slice(struct store *s, const uint64_t *ids, size_t count, struct arena *arena, struct task *out,
                     struct error *e)
{
    struct db_stmt *r;
    int64_t rc = store_run_group(s, ST_GET_TASKS, ids, count, &r, e);
    if (rc < 0)
        return (int)rc;
    int more;
    while ((more = db_next(r, e)) > 0) {
        uint64_t id = db_col_uint(r, 0);
        size_t at = 0;
        while (at < count && ids[at] != id)
            at++;
        if (at == count)
            return error_set(e, ERR_DB, "the database gives a task that was not asked for");
        if (out[at].id) /* another file of it */
            read_files(store_text(r, FILES_COLUMN, arena), arena, &out[at]);
        else
            store_read_task(r, arena, &out[at]);
    }
    for (size_t i = 1; i < count; i++) /* asked for twice */
        for (size_t at = 0; at < i && !out[i].id; at++)
            if (ids[at] == ids[i])
                out[i] = out[at];
    return more;
}

int store_get_tasks(struct store *s, const uint64_t *ids, size_t count, struct arena *arena,
                    struct task *out, struct error *e)
{
    memset(out, 0, count * sizeof *out);
    for (size_t at = 0; at < count; at += STORE_GET_MAX) {
        size_t n = count - at < STORE_GET_MAX ? count - at : STORE_GET_MAX;
        int rc = get_slice(s, ids + at, n, arena, out + at, e);
        if (rc)
            return rc;
    }
    return 0;
}

int store_find_ended(struct store *s, const uint64_t *ids, size_t count, bool *ended, struct error *e)
{
    int rc = store_mark_ids(s, ST_FIND_UNFINISHED, ids, count, ended, e);
    for (size_t i = 0; i < count; i++)
        ended[i] = !ended[i];
    return rc;
}

static void read_export(struct db_stmt *r, struct arena *arena, struct export_file *x)
{
    *x = (struct export_file){
        .id = db_col_uint(r, 0),
        .task_id = db_col_uint(r, 1),
        .filename = store_text(r, 2, arena),
        .format = store_text(r, 3, arena),
        .path = store_text(r, 4, arena),
        .sha256 = store_text(r, 5, arena),
        .owner_id = db_col_int(r, 6),
        .created_at = db_col_instant(r, 7),
        .expires_at = db_col_instant(r, 8),
        .bytes = db_col_uint(r, 9),
        .rows = db_col_uint(r, 10),
        .has_rows = !db_col_null(r, 10),
        .expired = db_col_int(r, 11) != 0,
        .is_result = db_col_int(r, 12) != 0,
        .is_response = db_col_int(r, 14) != 0,
        .admin_only = db_col_int(r, 13) != 0,
    };
}

/* Reads the rows of R into OUT, at most MAX; returns how many. */
static int read_exports(struct db_stmt *r, size_t max, struct arena *arena,
                        struct export_file *out, struct error *e)
{
    size_t n = 0;
    int more = 0;
    while (n < max && (more = db_next(r, e)) > 0)
        read_export(r, arena, &out[n++]);
    return more < 0 ? more : (int)n;
}

int store_list_exports(struct store *s, int64_t owner, uint64_t before_id, size_t limit,
                       struct arena *arena, struct export_file *out, uint64_t *next,
                       struct error *e)
{
    struct db_value before = db_uint(before_id ? before_id : UINT64_MAX);
    struct db_value rows = db_uint(limit + 1); /* one more tells whether there is more */
    struct db_stmt *r;
    int64_t found = owner ? STORE_RUN(s, ST_LIST_EXPORTS, &r, e, db_int(owner), before, rows)
                          : STORE_RUN(s, ST_LIST_ALL_EXPORTS, &r, e, before, rows);
    if (found < 0)
        return (int)found;
    int n = read_exports(r, limit, arena, out, e);
    *next = n > 0 && (uint64_t)found > limit ? out[n - 1].id : 0;
    return n;
}

int store_get_export(struct store *s, uint64_t id, struct arena *arena, struct export_file *out,
                     struct error *e)
{
    struct db_stmt *r;
    int64_t found = STORE_RUN(s, ST_GET_EXPORT, &r, e, db_uint(id));
    if (found < 0)
        return (int)found;
    int n = read_exports(r, 1, arena, out, e);
    return n < 0 ? n : n == 1 ? 0 : error_set(e, ERR_NOT_FOUND, "there is no such file");
}
