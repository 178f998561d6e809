/* SPDX-License-Identifier: MIT */
/* creator.c: combined creates, and those with a key. */
#include "fcgi/creator.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi/admission.h"
#include "fcgi/backend.h"
#include "fcgi/ring.h"

enum {
    TASKS_MAX = 1000, /* of a transaction for several submissions */
    JOBS_MAX = 64,
    BYTES_MAX = 2 * 1024 * 1024, /* well below any max_allowed_packet */
    ANSWER_BYTES = 512, /* of a task, beside its data */
};

struct creator {
    struct backend *backend;
    const struct settings *settings;
    struct quota *quota;
    struct combiner *jobs;
    struct arena *arena;        /* of the leader */
    struct recount_due recount; /* the leader's, too */
};

static struct submission *submission_of(struct combine_job *j)
{
    return (struct submission *)j;
}

/* --- together ------------------------------------------------------------------------------------ */

struct batch {
    const struct new_task *tasks;
    size_t count;
    struct arena *arena;
    struct task *made;
    struct admission admission;
};

static int create(struct store *s, void *context, struct error *e)
{
    struct batch *batch = context;
    int rc = admission_reserve(&batch->admission, s, e);
    return rc ? rc : store_submit(s, batch->tasks, batch->count, batch->arena, batch->made, e);
}

static int create_call(struct store *s, void *context, struct error *e)
{
    struct batch *batch = context;
    return admission_is_complete(&batch->admission) ? create(s, batch, e)
                                                    : store_transaction(s, create, batch, NULL, e);
}

/* Whether it has tasks of a user whose row somebody else holds. */
static bool is_held(const struct submission *s, struct quota *q, int64_t now)
{
    for (size_t i = 0; i < s->count; i++)
        if ((i == 0 || s->tasks[i].created_by != s->tasks[i - 1].created_by) &&
            quota_held(q, s->tasks[i].created_by, now))
            return true;
    return false;
}

/* Whether a job turns out to be held that was not left out for it. */
static bool are_more_held(struct combine_job *first, const struct combine_job *end, struct quota *q)
{
    int64_t now = clock_mono_ns();
    for (struct combine_job *j = first; j != end; j = j->next)
        if (!submission_of(j)->held && is_held(submission_of(j), q, now))
            return true;
    return false;
}

static void fail(struct submission *s, int result, const struct error *e)
{
    s->result = result;
    s->error = *e;
    s->made_count = 0;
    s->queue_full = false;
}

/* Leaves out, as failed, the jobs that others would have to wait with for a row. */
static void leave_out_held(struct combine_job *first, const struct combine_job *end, struct quota *q)
{
    int64_t now = clock_mono_ns();
    struct error e = {0};
    error_set(&e, ERR_TIMEOUT, "somebody else holds the row of a user");
    for (struct combine_job *j = first; j != end; j = j->next) {
        struct submission *s = submission_of(j);
        s->held = is_held(s, q, now);
        if (s->held)
            fail(s, ERR_TIMEOUT, &e);
    }
}

/* Makes the tasks of the jobs from FIRST up to END (not included) one batch. */
static void gather(struct combine_job *first, const struct combine_job *end, struct batch *batch)
{
    for (struct combine_job *j = first; j != end; j = j->next)
        batch->count += submission_of(j)->held ? 0 : submission_of(j)->count;
    struct new_task *tasks = arena_calloc(batch->arena, batch->count, sizeof *tasks);
    batch->tasks = tasks;
    batch->made = arena_calloc(batch->arena, batch->count, sizeof *batch->made);
    for (struct combine_job *j = first; j != end; j = j->next) {
        const struct submission *s = submission_of(j);
        if (s->held)
            continue;
        memcpy(tasks, s->tasks, s->count * sizeof *tasks);
        tasks += s->count;
    }
}

/* Creates the tasks of the jobs from FIRST up to END (not included) in one transaction, but for those held. */
static int create_together(struct creator *c, struct combine_job *first,
                           const struct combine_job *end, struct error *e)
{
    struct batch batch = {.arena = c->arena};
    leave_out_held(first, end, c->quota);
    gather(first, end, &batch);
    if (!batch.count)
        return 0;
    int result = admission_begin(&batch.admission, c->quota, &c->settings->queue, batch.tasks,
                                 batch.count, c->arena, e);
    if (batch.admission.recount.limit)
        c->recount = batch.admission.recount;
    if (result == 0)
        result = backend_call(c->backend, BACKEND_CHANGE, create_call, &batch, e);
    admission_end(&batch.admission, result == 0);
    if (result == 0)
        ring_for_tasks(c->settings, batch.made, batch.count); /* once for all of them, and before the answers */
    const struct task *made = batch.made; /* with the submissions' own texts */
    for (struct combine_job *j = first; j != end; j = j->next) {
        struct submission *s = submission_of(j);
        if (s->held)
            continue;
        if (result != 0) {
            fail(s, result, e);
            s->queue_full = admission_queue_full(&batch.admission);
            continue;
        }
        memcpy(s->made, made, s->count * sizeof *made);
        made += s->count;
        s->result = 0;
        s->made_count = s->count;
    }
    return result;
}

/* Where the row of a user was waited for in vain, the others' are created without his. Only once: to wait again,
 * for another user's, must not take everybody's time. */
static int create_group(struct creator *c, struct combine_job *first, const struct combine_job *end, struct error *e)
{
    int result = create_together(c, first, end, e);
    if (result != ERR_TIMEOUT || !are_more_held(first, end, c->quota))
        return result;
    error_clear(e);
    return create_together(c, first, end, e);
}

/* What one job adds to a transaction. */
static size_t job_bytes(const struct submission *s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->count; i++)
        bytes += s->tasks[i].data_len + (s->tasks[i].request ? s->tasks[i].request->sealed_len : 0);
    return bytes;
}

/* The first job behind FIRST that does not fit into the same transaction; NULL: all fit. */
static struct combine_job *group_end(struct combine_job *first)
{
    size_t tasks = 0, bytes = 0;
    for (struct combine_job *j = first; j; j = j->next) {
        tasks += submission_of(j)->count;
        bytes += job_bytes(submission_of(j));
        if (j != first && (tasks > TASKS_MAX || bytes > BYTES_MAX))
            return j;
    }
    return NULL;
}

size_t submission_size(const struct submission *s)
{
    return s->count * ANSWER_BYTES + job_bytes(s);
}

static void run_jobs(void *context, struct combine_job *first, size_t count)
{
    struct creator *c = context;
    (void)count;
    arena_reset(c->arena);
    for (struct combine_job *end; first; first = end) {
        struct error e = {0};
        end = group_end(first);
        int result = create_group(c, first, end, &e);
        if (result == 0 || result == ERR_DB_GONE || result == ERR_TIMEOUT || first->next == end)
            continue;
        /* one of them is to blame: it fails alone */
        for (struct combine_job *j = first; j != end; j = j->next) {
            error_clear(&e);
            result = create_together(c, j, j->next, &e);
        }
    }
}

static void recount(void *context)
{
    struct creator *c = context;
    struct recount_due due = c->recount;
    c->recount = (struct recount_due){0};
    admission_recount(due, c->quota, c->backend);
}

/* --- alone --------------------------------------------------------------------------------------- */

static int keyed_call(struct store *store, void *context, struct error *e)
{
    struct submission *s = context;
    return store_submit_once(store, s->key, s->tasks, s->count, s->arena, s->made, &s->made_count,
                             &s->replayed, e);
}

struct newcomer {
    const struct submission *submission;
    struct admission *admission;
};

static int admit(struct store *s, void *ctx, struct error *e)
{
    const struct newcomer *n = ctx;
    int rc = n->submission->check ? n->submission->check(s, n->submission->check_ctx, e) : 0;
    return rc ? rc : admission_reserve(n->admission, s, e);
}

/* A replay is answered however full the queue is: so a refusal, also a remembered one, comes only when the
 * key has turned out to be new. */
static struct recount_due submit_keyed(struct creator *c, struct submission *s)
{
    struct admission admission;
    struct newcomer newcomer = {s, &admission};
    struct submit_key key = *s->key;
    struct submission keyed = *s;
    if (admission_begin(&admission, c->quota, &c->settings->queue, s->tasks, s->count, s->arena, &s->error) != 0)
        error_clear(&s->error);
    key.admit = admit;
    key.admit_ctx = &newcomer;
    keyed.key = &key;
    s->result = backend_call(c->backend, BACKEND_CHANGE, keyed_call, &keyed, &s->error);
    admission_end(&admission, s->result == 0 && !keyed.replayed);
    s->made_count = keyed.made_count;
    s->replayed = keyed.replayed;
    s->queue_full = admission_queue_full(&admission);
    if (s->result == 0 && !s->replayed)
        ring_for_tasks(c->settings, s->made, s->made_count);
    return admission.recount;
}

static void finish(struct combine_job *j)
{
    struct submission *s = submission_of(j);
    s->done(s);
}

void creator_submit(struct creator *c, struct submission *s)
{
    s->replayed = false;
    error_clear(&s->error);
    if (!s->key)
        return combine_later(c->jobs, &s->job, finish);
    struct recount_due due = submit_keyed(c, s);
    s->done(s);
    admission_recount(due, c->quota, c->backend);
}

void creator_flush(struct creator *c)
{
    combine_flush(c->jobs);
}

struct creator *creator_create(struct backend *b, const struct settings *settings)
{
    struct creator *c = xcalloc(1, sizeof *c);
    c->backend = b;
    c->settings = settings;
    c->quota = quota_create();
    c->arena = arena_create();
    c->jobs = combiner_create(JOBS_MAX, run_jobs, recount, c);
    return c;
}

void creator_destroy(struct creator **c)
{
    if (!*c)
        return;
    combiner_destroy(&(*c)->jobs);
    quota_destroy(&(*c)->quota);
    arena_destroy(&(*c)->arena);
    free(*c);
    *c = NULL;
}
