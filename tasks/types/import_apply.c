/* SPDX-License-Identifier: MIT */
/* import_apply.c: a batch and its line in the ledger in one transaction, repeated where the server asks for it; where
 * nobody knows whether a COMMIT has happened, the ledger does. */
#include <time.h>

#include "base/log.h"
#include "base/random.h"
#include "import_impl.h"

enum { RETRIES_MAX = 30, LOSSES_MAX = 5 };

/* What the batch adds to STATE. */
static void add_result(struct import_state *s, const struct import_batch *b)
{
    s->position = b->behind.position;
    s->line = b->behind.line;
    s->counts.read = b->behind.counts.read;
    s->counts.inserted += b->result.inserted;
    s->counts.replaced += b->result.replaced;
    s->counts.skipped += b->result.skipped;
    s->counts.rejected += b->result.rejected;
}

static int write_batch(struct import_job *j, bool last, struct import_state *next, struct error *e)
{
    import_batch_rewind(&j->batch);
    int rc = import_write(j->writer, &j->batch, e);
    *next = j->state;
    add_result(next, &j->batch);
    next->done = last;
    return rc;
}

/* Whether NOW is the state behind the batch: an earlier try's COMMIT has happened, though its answer was lost. */
static bool is_behind(const struct import_job *j, const struct import_state *now, bool last)
{
    return now->position == j->batch.behind.position && now->done == last &&
           (now->position != j->state.position || now->done != j->state.done);
}

static int try_batch(struct import_job *j, bool last, struct error *e)
{
    struct import_state now, next;
    int rc = db_begin(j->db, e);
    if (!rc)
        rc = import_ledger_lock(j->ledger, &now, e);
    if (!rc && is_behind(j, &now, last)) {
        db_rollback(j->db);
        j->state = now;
        return 0;
    }
    if (!rc && now.position != j->state.position)
        rc = error_set(e, ERR_FENCED, "another worker has gone on with this import");
    if (!rc)
        rc = write_batch(j, last, &next, e);
    if (!rc)
        rc = import_ledger_add_rejects(j->ledger, j->batch.rejects, j->batch.reject_count, e);
    if (!rc)
        rc = import_ledger_save(j->ledger, &next, e);
    if (!rc)
        rc = db_commit(j->db, e);
    if (!rc)
        j->state = next;
    return rc;
}

static void pause_a_little(int64_t most_usec)
{
    int64_t usec = random_half(most_usec);
    nanosleep(&(struct timespec){usec / 1000000, usec % 1000000 * 1000}, NULL);
}

/* Until it is committed. */
static int apply_alone(struct import_job *j, bool last)
{
    for (int retries = 0, losses = 0;;) {
        struct error e = {0};
        if (run_stopping(j->run))
            return import_stopped(j);
        int rc = import_connect(j, &e);
        if (!rc)
            rc = try_batch(j, last, &e);
        if (!rc)
            return 0;
        if (j->db)
            db_rollback(j->db);
        if (rc == ERR_DB_GONE && losses++ < LOSSES_MAX) {
            import_disconnect(j);
            pause_a_little(200000 * losses);
        } else if (rc == ERR_DB_RETRY && retries++ < RETRIES_MAX) {
            pause_a_little(retries < 10 ? 20000 * retries : 200000);
        } else {
            return import_target_failed(j, &e);
        }
    }
}

/* As a part of the one transaction, with its rejects: whoever comes after the COMMIT tells the same. */
static int apply_within(struct import_job *j, bool last)
{
    struct import_state next;
    struct error e = {0};
    if (run_stopping(j->run))
        return import_stopped(j);
    int rc = write_batch(j, last, &next, &e);
    if (!rc && j->mode == MODE_ATOMIC)
        rc = import_ledger_add_rejects(j->ledger, j->batch.rejects, j->batch.reject_count, &e);
    if (rc)
        return import_target_failed(j, &e);
    j->state = next;
    return 0;
}

/* --- what was rejected ------------------------------------------------------------------------------------- */

int import_tell_reject(void *job, const struct import_reject *r, struct error *e)
{
    struct import_job *j = job;
    if (!j->first_reject)
        j->first_reject = arena_printf(run_arena(j->run), "row %llu%s%s: %s", (unsigned long long)r->row.number,
                                       r->column ? ", " : "", r->column ? r->column : "", r->reason);
    return import_report_add(j->report, r, e);
}

int import_check_rejected(struct import_job *j)
{
    if (j->reject_limit < 0 || j->state.counts.rejected <= (uint64_t)j->reject_limit)
        return 0;
    return run_fail(j->outcome, RUN_FAILED_FINAL, "too_many_rejected", "%s; the first: %s; dry_run gives them all",
                    j->mode == MODE_ATOMIC ? "rows were rejected, so nothing was imported"
                                           : "too many rows were rejected",
                    j->first_reject ? j->first_reject : "in an earlier attempt");
}

static int report_rejects(struct import_job *j)
{
    struct import_batch *b = &j->batch;
    struct error e = {0};
    int rc = 0;
    import_batch_sort(b);
    for (size_t i = 0; i < b->reject_count && !rc; i++)
        rc = import_tell_reject(j, &b->rejects[i], &e);
    return rc ? import_storage_failed(j, &e) : 0;
}

int import_apply(struct import_job *j, bool last)
{
    int rc = j->mode == MODE_BATCHES ? apply_alone(j, last) : apply_within(j, last);
    if (!rc)
        rc = report_rejects(j);
    return rc ? rc : import_check_rejected(j);
}
