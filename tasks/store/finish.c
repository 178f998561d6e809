/* SPDX-License-Identifier: MIT */
/* finish.c: writes how claims ended, and how far they are. */
#include <stdlib.h>
#include <string.h>

#include "impl.h"
#include "store/claim.h"

static const struct {
    enum task_event event;
    const char *outcome; /* of the attempt */
} kinds[] = {
    [FINISH_SUCCESS] = {EVENT_succeed, "success"},
    [FINISH_FAILURE] = {EVENT_fail, "failure"},
    [FINISH_CANCELLED] = {EVENT_stop, "cancelled"},
    [FINISH_DROPPED] = {EVENT_drop, "dropped"},
    [FINISH_RETRY] = {EVENT_retry_later, "failure"},
    [FINISH_HAND_BACK] = {EVENT_hand_back, "handed_back"},
};

const char *finish_outcome(const struct finish *f)
{
    return f->kind == FINISH_RETRY && f->died ? "dropped" : kinds[f->kind].outcome;
}

/* --- the move ------------------------------------------------------------------------------------- */

/* The last end fills the group up, since naming one twice changes nothing. */
static unsigned add_ids(struct db_value *p, unsigned n, const struct finish *const *ends, size_t count,
                        size_t group)
{
    for (size_t i = 0; i < group; i++)
        p[n++] = db_uint(ends[i < count ? i : count - 1]->id);
    return n;
}

/* Appends the ids and the values of all ends, as OF_EACH takes them. */
static unsigned add_of_each(struct db_value *p, unsigned n, const struct finish *const *ends, size_t count,
                            size_t group, struct db_value (*value)(const struct finish *))
{
    n = add_ids(p, n, ends, count, group);
    for (size_t i = 0; i < group; i++)
        p[n++] = value(ends[i < count ? i : count - 1]);
    return n;
}

static struct db_value progress_of(const struct finish *f)
{
    return db_text(f->progress);
}

static struct db_value result_of(const struct finish *f)
{
    return db_text(f->result);
}

static struct db_value fence_of(const struct finish *f)
{
    return db_uint(f->fence);
}

/* COUNT successes that share their retention by one statement. Returns how many moved. */
static int64_t move_successes(struct store *s, const struct finish *const *ends, size_t count, struct error *e)
{
    struct db_value p[7 * FINISH_GROUP_MAX + 1];
    size_t group = store_group_for(count);
    unsigned n = add_of_each(p, 0, ends, count, group, progress_of);
    n = add_of_each(p, n, ends, count, group, result_of);
    p[n++] = db_int(ends[0]->keep_usec);
    n = add_ids(p, n, ends, count, group);
    n = add_of_each(p, n, ends, count, group, fence_of);
    return store_move(s, EVENT_succeed, TASK_started, group, p, n, e);
}

/* Any other end. */
static int64_t move_one(struct store *s, const struct finish *f, struct error *e)
{
    struct db_value p[8];
    unsigned n = 0;
    switch (f->kind) {
    case FINISH_SUCCESS:
        return move_successes(s, &f, 1, e);
    case FINISH_FAILURE:
    case FINISH_CANCELLED:
    case FINISH_DROPPED:
        p[n++] = db_text(f->progress);
        p[n++] = db_text(f->error);
        p[n++] = db_text(f->result);
        p[n++] = db_int(f->keep_usec);
        break;
    case FINISH_RETRY:
        p[n++] = db_text(f->error);
        p[n++] = db_int(f->retry_usec);
        p[n++] = db_int(f->retry_usec);
        break;
    case FINISH_HAND_BACK: /* just before those that share its turn: a runner may be past its id in there */
        p[n++] = f->turn ? db_int(f->turn - 1) : db_null();
        break;
    }
    p[n++] = db_uint(f->id);
    p[n++] = db_uint(f->fence);
    return store_move(s, kinds[f->kind].event, TASK_started, 1, p, n, e);
}

/* --- one claim ------------------------------------------------------------------------------------ */

/* 1 or ERR_FENCED. The move matched nothing: either the claim is lost, or an earlier transaction whose COMMIT got no
 * answer has written this very end. That is in the task's row (a success is final) or in the attempt's, which only
 * the claim's holder writes with this outcome. */
static int already_written(struct store *s, const struct finish *f, struct error *e)
{
    struct db_stmt *r;
    int64_t rc = STORE_RUN(s, f->kind == FINISH_SUCCESS ? ST_SUCCESS_OUTCOME : ST_ATTEMPT_OUTCOME, &r, e,
                           db_uint(f->id), db_uint(f->fence));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc < 0)
        return (int)rc;
    const char *written = rc > 0 ? db_col_text(r, 0, NULL) : NULL;
    if (written && strcmp(written, finish_outcome(f)) == 0)
        return 1;
    return error_set(e, ERR_FENCED, "task %llu: claim %llu has been lost", (unsigned long long)f->id,
                     (unsigned long long)f->fence);
}

static const char *purpose_of(const struct finish_file *file)
{
    return file->is_result ? "result" : file->is_response ? "response" : "download";
}

static int add_files(struct store *s, const struct finish *f, struct error *e)
{
    for (size_t i = 0; i < f->file_count; i++) {
        const struct finish_file *file = &f->files[i];
        int64_t rc = STORE_RUN(s, ST_ADD_EXPORT, NULL, e, db_text(file->filename), db_int(f->owner),
                               db_uint(f->id), db_text(file->format), db_text(file->path),
                               db_uint(file->bytes), file->no_rows ? db_null() : db_uint(file->rows),
                               db_text(file->sha256), db_text(purpose_of(file)), db_text(file->role),
                               db_text(file->series));
        if (rc < 0)
            return (int)rc;
    }
    return 0;
}

/* A success without a log needs no row: all that there is to say of it stands in the task's own, which nothing
 * changes any more. */
static int add_attempt(struct store *s, const struct finish *f, struct error *e)
{
    if (f->kind == FINISH_SUCCESS && !f->log)
        return 0;
    /* handing back has just taken one off the task's attempt */
    int64_t rc = STORE_RUN(s, ST_ADD_ATTEMPT, NULL, e, db_int(f->kind == FINISH_HAND_BACK),
                           db_text(finish_outcome(f)), db_text(f->error), db_text(f->log), db_uint(f->id));
    return rc < 0 ? (int)rc : 0;
}

int store_finish(struct store *s, const struct finish *f, struct error *e)
{
    int64_t moved = move_one(s, f, e);
    if (moved < 0)
        return (int)moved;
    if (moved == 0)
        return already_written(s, f, e);
    int rc = add_attempt(s, f, e);
    if (!rc && (f->kind == FINISH_RETRY || f->kind == FINISH_HAND_BACK))
        rc = store_cancel_if_asked(s, f->id, f->kind == FINISH_RETRY ? TASK_scheduled : TASK_fresh,
                                   f->keep_usec, e);
    if (!rc && f->is_request && f->kind == FINISH_SUCCESS)
        rc = store_wipe_http_request(s, f->id, e);
    return rc ? rc : add_files(s, f, e);
}

/* --- many claims ---------------------------------------------------------------------------------- */

bool finish_is_plain(const struct finish *f)
{
    return f->kind == FINISH_SUCCESS && !f->file_count && !f->log && !f->is_request;
}

/* The shared move has passed some over: a success of our fence is one that it has moved, or one that an earlier
 * transaction has. */
static int settle_one(struct store *s, const struct finish *f, bool *lost, struct error *e)
{
    int rc = already_written(s, f, e);
    *lost = rc == ERR_FENCED;
    if (*lost)
        error_clear(e);
    return *lost || rc > 0 ? 0 : rc;
}

/* COUNT ends of as many tasks. */
static int finish_together(struct store *s, const struct finish *const *ends, size_t count, bool *lost,
                           struct error *e)
{
    int64_t moved = move_successes(s, ends, count, e);
    int rc = moved < 0 ? (int)moved : 0;
    bool all = (size_t)moved == count;
    for (size_t i = 0; i < count && !rc; i++)
        if (all)
            lost[i] = false;
        else
            rc = settle_one(s, ends[i], &lost[i], e);
    return rc;
}

int store_finish_plain(struct store *s, const struct finish *const *ends, size_t count, bool *lost,
                       struct error *e)
{
    int rc = 0;
    for (size_t i = 0, n; i < count && !rc; i += n) {
        n = 1;
        while (i + n < count && ends[i + n]->id != ends[i + n - 1]->id)
            n++; /* up to a second claim of one task: OF_EACH would find the values of the first, perhaps a lost one */
        rc = finish_together(s, ends + i, n, lost + i, e);
    }
    return rc;
}

/* --- locks ---------------------------------------------------------------------------------------- */

int store_lock_tasks(struct store *s, const uint64_t *ids, size_t count, bool *held, struct error *e)
{
    bool *mine = xcalloc(count + 1, sizeof *mine);
    int rc = store_mark_ids(s, ST_LOCK_FREE, ids, count, mine, e);
    memset(held, 0, count * sizeof *held);
    if (!rc && memchr(mine, false, count)) /* held by others, or gone */
        rc = store_mark_ids(s, ST_FIND_TASKS, ids, count, held, e);
    for (size_t i = 0; i < count; i++)
        held[i] = held[i] && !mine[i];
    free(mine);
    return rc;
}

/* --- progress and counters ------------------------------------------------------------------------ */

struct notes {
    const struct progress_note *notes;
    const uint64_t *ids; /* of notes */
    size_t count;
    bool *written;
};

static int note_all(struct store *s, void *ctx, struct error *e)
{
    const struct notes *n = ctx;
    int64_t rc = store_mark_ids(s, ST_LOCK_FREE, n->ids, n->count, n->written, e);
    for (size_t i = 0; i < n->count && rc >= 0; i++)
        if (n->written[i])
            rc = STORE_RUN(s, ST_NOTE_PROGRESS, NULL, e, db_text(n->notes[i].progress), db_uint(n->notes[i].id),
                           db_uint(n->notes[i].fence));
    return rc < 0 ? (int)rc : 0;
}

int store_note_progress(struct store *s, const struct progress_note *notes, size_t count, bool *written,
                        struct error *e)
{
    uint64_t *ids = xcalloc(count, sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = notes[i].id;
    struct notes n = {notes, ids, count, written};
    int rc = store_transaction(s, note_all, &n, NULL, e);
    free(ids);
    return rc;
}

int store_count_endings(struct store *s, unsigned slot, const char *type, const char *outcome, uint64_t count,
                        struct error *e)
{
    int64_t rc = STORE_RUN(s, ST_COUNT_ENDED, NULL, e, db_uint(slot), db_text(type), db_text(outcome),
                           db_uint(count));
    return rc < 0 ? (int)rc : 0;
}
