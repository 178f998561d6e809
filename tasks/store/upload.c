/* SPDX-License-Identifier: MIT */
/* upload.c: enters, finds and removes uploads. */
#include "store/upload.h"

#include <string.h>

#include "impl.h"

enum { EXPIRE_MAX = 50 };

int store_upload_room(struct store *s, int64_t owner, const struct upload_limits *limits, uint64_t bytes,
                      struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_UPLOAD_USAGE, &r, e, db_int(owner));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc < 0)
        return (int)rc;
    uint64_t count = db_col_uint(r, 0), used = db_col_uint(r, 1);
    if (count >= limits->count)
        return error_set(e, ERR_LIMIT, "%llu uploads are kept already", (unsigned long long)count);
    if (bytes > limits->bytes || used > limits->bytes - bytes)
        return error_set(e, ERR_LIMIT, "uploads of %llu bytes are kept already", (unsigned long long)used);
    return 0;
}

struct adding {
    const struct upload *upload;
    const struct upload_limits *limits;
    int64_t *expires_at;
};

static int add(struct store *s, void *ctx, struct error *e)
{
    const struct adding *a = ctx;
    const struct upload *u = a->upload;
    struct db_stmt *r;
    /* one of a user after the other, or all would see the same room */
    int64_t rc = STORE_RUN(s, ST_QUOTA_OPEN, NULL, e, db_int(u->owner));
    if (rc >= 0)
        rc = STORE_RUN(s, ST_QUOTA_LOCK, NULL, e, db_int(u->owner));
    if (rc >= 0)
        rc = store_upload_room(s, u->owner, a->limits, u->bytes, e);
    if (!rc)
        rc = STORE_RUN(s, ST_ADD_UPLOAD, NULL, e, db_text(u->id), db_int(u->owner), db_text(u->path),
                       db_uint(u->bytes), db_text(u->sha256), db_int(u->keep_usec));
    if (rc >= 0)
        rc = STORE_RUN(s, ST_UPLOAD_EXPIRY, &r, e, db_text(u->id));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc > 0)
        *a->expires_at = db_col_instant(r, 0);
    return rc < 0 ? (int)rc : 0;
}

int store_add_upload(struct store *s, const struct upload *u, const struct upload_limits *limits,
                     int64_t *expires_at, struct error *e)
{
    struct adding a = {u, limits, expires_at};
    return store_transaction(s, add, &a, NULL, e);
}

/* Marks those of a slice that the rows of R name. */
static int64_t mark(struct db_stmt *r, const char *const *ids, const int64_t *owners, size_t count, bool *there,
                    struct error *e)
{
    int rc;
    while ((rc = db_next(r, e)) > 0) {
        const char *id = db_col_text(r, 0, NULL);
        for (size_t i = 0; i < count; i++)
            there[i] |= id && strcmp(ids[i], id) == 0 && owners[i] == db_col_int(r, 1);
    }
    return rc;
}

int store_find_uploads(struct store *s, const char *const *ids, const int64_t *owners, size_t count, bool *there,
                       struct error *e)
{
    struct db_value params[GROUP_MAX];
    int64_t rc = 0;
    for (size_t at = 0, n; at < count && rc >= 0; at += n) {
        struct db_stmt *r;
        n = count - at < GROUP_MAX ? count - at : GROUP_MAX;
        size_t group = store_group_for(n);
        for (size_t i = 0; i < group; i++)
            params[i] = db_text(ids[at + (i < n ? i : n - 1)]);
        for (size_t i = at; i < at + n; i++)
            there[i] = false;
        rc = store_run(s, ST_FIND_UPLOADS, group, params, (unsigned)group, &r, e);
        if (rc >= 0)
            rc = mark(r, ids + at, owners + at, n, there + at, e);
    }
    return rc < 0 ? (int)rc : 0;
}

/* --- removal ------------------------------------------------------------------------------------ */

/* Removes one whose time is over, or gives it more of it. */
static int remove_one(struct store *s, void *ctx, struct error *e)
{
    const char *id = ctx;
    int64_t rc = STORE_RUN(s, ST_KEEP_UPLOAD, NULL, e, db_text(id));
    if (rc)
        return rc < 0 ? (int)rc : 0;
    rc = STORE_RUN(s, ST_TRASH_OF_UPLOAD, NULL, e, db_text(id));
    if (rc > 0)
        rc = STORE_RUN(s, ST_DROP_UPLOAD, NULL, e, db_text(id));
    return rc < 0 ? (int)rc : rc > 0;
}

int store_expire_uploads(struct store *s, size_t max, struct error *e)
{
    char ids[EXPIRE_MAX][33];
    size_t count = 0;
    int removed = 0;
    struct db_stmt *r;
    if (max > EXPIRE_MAX)
        max = EXPIRE_MAX;
    int64_t rc = STORE_RUN(s, ST_EXPIRED_UPLOADS, &r, e, db_uint(max));
    while (rc >= 0 && count < max && (rc = db_next(r, e)) > 0) {
        size_t len;
        const char *id = db_col_text(r, 0, &len);
        if (id && len == sizeof ids[0] - 1)
            memcpy(ids[count++], id, len + 1);
    }
    int held = 0;
    for (size_t i = 0; i < count && rc >= 0; i++) {
        rc = store_transaction_nowait(s, remove_one, ids[i], e);
        removed += rc > 0;
        if (rc == ERR_DB_RETRY) { /* the others go all the same */
            held = ERR_DB_RETRY;
            rc = 0;
        }
    }
    return rc < 0 ? (int)rc : held ? held : removed;
}
