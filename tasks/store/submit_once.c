/* SPDX-License-Identifier: MIT */
/* submit_once.c: keys that make a submission repeatable. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "impl.h"
#include "store/query.h"
#include "store/submit.h"

struct keyed {
    const struct submit_key *key;
    const struct new_task *tasks;
    size_t count;
    struct arena *arena;
    struct task *out;
    size_t out_count;
    bool replayed;
};

static const char *join_ids(const struct task *tasks, size_t count, struct arena *arena)
{
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < count; i++)
        buf_addf(&b, "%s%" PRIu64, i ? "," : "", tasks[i].id);
    const char *ids = arena_strndup(arena, buf_str(&b), b.len);
    buf_free(&b);
    return ids;
}

/* Reads the tasks that the first submission made, those that are left of them. */
static int replay(struct store *s, struct keyed *k, const char *ids, struct error *e)
{
    uint64_t *list = arena_alloc(k->arena, k->count * sizeof *list);
    struct task *found = arena_calloc(k->arena, k->count, sizeof *found);
    size_t n = 0;
    for (char *end; n < k->count && *ids; ids = *end ? end + 1 : end)
        list[n++] = strtoull(ids, &end, 10);
    int rc = store_get_tasks(s, list, n, k->arena, found, e);
    k->out_count = 0;
    for (size_t i = 0; i < n && !rc; i++)
        if (found[i].id)
            k->out[k->out_count++] = found[i];
    k->replayed = true;
    return rc;
}

/* 1 where the key has been used with this body, 0 where it is new. */
static int find_key(struct store *s, struct keyed *k, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, ST_KEY_GET, &r, e, db_int(k->key->user), db_text(k->key->key));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc <= 0)
        return (int)rc;
    if (strcmp(db_col_text(r, 0, NULL), k->key->body_hash) != 0)
        return error_set(e, ERR_CONFLICT, "the key has been used for another request");
    const char *ids = store_text(r, 1, k->arena).p;
    int failed = replay(s, k, ids, e);
    return failed ? failed : 1;
}

static int submit_keyed(struct store *s, void *ctx, struct error *e)
{
    struct keyed *k = ctx;
    k->replayed = false;
    int64_t rc = find_key(s, k, e);
    if (rc)
        return rc < 0 ? (int)rc : 0;
    if (k->key->admit && (rc = k->key->admit(s, k->key->admit_ctx, e)) < 0)
        return (int)rc;
    rc = STORE_RUN(s, ST_KEY_DROP_OLD, NULL, e, db_int(k->key->user), db_text(k->key->key));
    if (rc >= 0)
        rc = store_submit(s, k->tasks, k->count, k->arena, k->out, e);
    if (rc >= 0)
        rc = STORE_RUN(s, ST_KEY_ADD, NULL, e, db_int(k->key->user), db_text(k->key->key),
                       db_text(k->key->body_hash), db_text(join_ids(k->out, k->count, k->arena)),
                       db_int(k->key->keep_usec));
    /* Somebody with the same key was faster: forget our tasks, and find his at the next try. */
    if (rc == ERR_DB_REFUSED && e->db_errno == ERRNO_DUPLICATE)
        return error_set(e, ERR_DB_RETRY, "the key has just been used");
    k->out_count = k->count;
    return rc < 0 ? (int)rc : 0;
}

int store_submit_once(struct store *s, const struct submit_key *key, const struct new_task *tasks,
                      size_t count, struct arena *arena, struct task *out, size_t *out_count,
                      bool *replayed, struct error *e)
{
    struct keyed k = {.key = key, .tasks = tasks, .count = count, .arena = arena, .out = out};
    int rc = store_transaction(s, submit_keyed, &k, NULL, e);
    *out_count = k.out_count;
    *replayed = k.replayed;
    return rc;
}
