/* SPDX-License-Identifier: MIT */
/* import.c: runs an import: its file, its table, batch by batch, and how it ended. */
#include "import.h"

#include <string.h>

#include "base/log.h"
#include "csv_cell.h"
#include "import_impl.h"
#include "source.h"
#include "task/upload.h"

/* --- ends ------------------------------------------------------------------------------------------------- */

int import_stopped(struct import_job *j)
{
    return run_fail(j->outcome, RUN_STOPPED, "stopped", "the import was asked to stop");
}

int import_storage_failed(struct import_job *j, const struct error *e)
{
    return run_fail(j->outcome, RUN_FAILED, "storage_failed", "%s", e->text);
}

int import_input_failed(struct import_job *j, const struct error *e)
{
    switch (e->code) {
    case ERR_CANCELLED:
        return import_stopped(j);
    case ERR_NOT_FOUND:
        return run_fail(j->outcome, RUN_FAILED_FINAL, "upload_gone",
                        "the upload is not there: it has expired, or it is somebody else's");
    case ERR_INVALID:
    case ERR_LIMIT:
        return run_fail(j->outcome, RUN_FAILED_FINAL, "invalid_file", "%s", e->text);
    default:
        return import_storage_failed(j, e);
    }
}

/* What the server says is for the operator; the owner learns what he can do. */
int import_target_failed(struct import_job *j, const struct error *e)
{
    const char *name = j->import->def->name;
    if (e->code == ERR_CANCELLED)
        return import_stopped(j);
    log_warning("task %llu: import %s: %s", (unsigned long long)run_task(j->run)->id, name, e->text);
    switch (e->code) {
    case ERR_INVALID:
        return run_fail(j->outcome, RUN_FAILED_FINAL, "invalid_import", "import \"%s\" cannot work: %s", name, e->text);
    case ERR_FENCED:
        return run_fail(j->outcome, RUN_FAILED, "superseded", "another worker has this import");
    case ERR_DB_GONE:
        source_wait(j->run, j->outcome);
        return run_fail(j->outcome, RUN_FAILED, "target_unavailable", "the database of import \"%s\" cannot be reached",
                        name);
    case ERR_DENIED:
        return run_fail(j->outcome, RUN_FAILED, "target_denied", "the database of import \"%s\" refuses access", name);
    case ERR_DB_RETRY:
    case ERR_TIMEOUT:
        return run_fail(j->outcome, RUN_FAILED, "target_busy", "rows of import \"%s\" are locked by others too long",
                        name);
    default:
        return run_fail(j->outcome, RUN_FAILED, "write_failed", "the table of import \"%s\" cannot be written", name);
    }
}

/* --- beginning ----------------------------------------------------------------------------------------------- */

static enum import_policy policy_of(const char *word)
{
    return strcmp(word, "skip") == 0 ? IMPORT_SKIP : strcmp(word, "replace") == 0 ? IMPORT_REPLACE : IMPORT_ERROR;
}

static int bind(struct import_job *j)
{
    const struct run_task *t = run_task(j->run);
    const struct task_type *type = catalogue_type(run_catalogue(j->run), t->type);
    struct import_call call;
    struct error e = {0};
    if (!type)
        return run_fail(j->outcome, RUN_FAILED_FINAL, "unknown_type", "the type %s is not enabled", t->type);
    if (import_bind(run_catalogue(j->run), type, t->data, t->data_len, run_arena(j->run), &call, &e))
        return run_fail(j->outcome, RUN_FAILED_FINAL, "invalid_data", "%s", e.text);
    const struct import_def *def = call.import->def;
    const char *policy = bound_param(&call.options, "duplicates")->text;
    const char *upload = bound_param(&call.options, "upload")->text;
    j->import = call.import;
    j->policy = policy_of(policy);
    j->delimiter = bound_param(&call.options, "delimiter")->text[0];
    j->mode = bound_param(&call.options, "dry_run")->boolean ? MODE_DRY : def->atomic ? MODE_ATOMIC : MODE_BATCHES;
    j->reject_limit = def->rejected_max != SETTING_UNSET ? def->rejected_max : def->atomic ? 0 : -1;
    if (j->mode == MODE_DRY)
        j->reject_limit = -1;
    j->key = (struct import_ledger_key){
        .upload = upload,
        .task = t->id,
        .fence = t->fence,
        .options = arena_printf(run_arena(j->run), "%s %02x %s", def->name, (unsigned char)j->delimiter, policy),
    };
    j->style.guard = def->formula_guard;
    j->style.hex = def->binary == BINARY_HEX;
    j->style.null_text = csv_null(run_arena(j->run), def->null_text, &j->style.null_len);
    if (upload_path(t->created_by, upload, j->path))
        return import_input_failed(j, &(struct error){.code = ERR_NOT_FOUND});
    return 0;
}

/* How long the ledger knows an import: a month, and while its upload is kept, since it may be retried with that. */
static int64_t ledger_keep_usec(const struct import_job *j)
{
    const int64_t day = INT64_C(86400000000), month = 31 * day;
    int64_t upload = run_settings(j->run)->api.upload_keep_usec + day;
    return upload > month ? upload : month;
}

/* Takes the import over where an earlier attempt, or nobody, has left it. */
static int take_over(struct import_job *j)
{
    struct error e = {0};
    j->state = (struct import_state){.line = 1};
    if (j->mode == MODE_DRY)
        return 0;
    int rc = import_ledger_take(j->ledger, &j->state, &e);
    for (int tries = 0; rc == ERR_DB_RETRY && tries < 10 && !run_stopping(j->run); tries++) {
        error_clear(&e);
        rc = import_ledger_take(j->ledger, &j->state, &e);
    }
    if (!rc)
        rc = import_ledger_replay(j->ledger, import_tell_reject, j, &e);
    if (rc == ERR_IO)
        return import_storage_failed(j, &e);
    if (rc)
        return import_target_failed(j, &e);
    struct error ignored = {0};
    (void)!import_ledger_clean(j->ledger, ledger_keep_usec(j), &ignored);
    /* what one transaction has committed was within its limit */
    return j->mode == MODE_BATCHES ? import_check_rejected(j) : 0;
}

/* --- the one transaction of MODE_ATOMIC and MODE_DRY ----------------------------------------------------------- */

static int begin_whole(struct import_job *j)
{
    struct import_state now;
    struct error e = {0};
    if (j->mode == MODE_BATCHES)
        return 0;
    int rc = db_begin(j->db, &e);
    if (!rc && j->mode == MODE_ATOMIC)
        rc = import_ledger_lock(j->ledger, &now, &e);
    return rc ? import_target_failed(j, &e) : 0;
}

/* Whether a COMMIT without an answer has happened. */
static bool has_happened(struct import_job *j)
{
    struct import_state now = {0};
    struct error e = {0};
    import_disconnect(j);
    int rc = import_connect(j, &e);
    if (!rc)
        rc = import_ledger_take(j->ledger, &now, &e);
    return !rc && now.done;
}

static int end_whole(struct import_job *j)
{
    struct error e = {0};
    if (j->mode == MODE_BATCHES)
        return 0;
    if (j->mode == MODE_DRY) {
        db_rollback(j->db);
        return 0;
    }
    int rc = import_ledger_save(j->ledger, &j->state, &e);
    if (!rc) {
        rc = db_commit(j->db, &e);
        if (rc == ERR_DB_GONE && has_happened(j))
            rc = 0;
    }
    return rc ? import_target_failed(j, &e) : 0;
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

static void tell_progress(struct import_job *j)
{
    run_progress(j->run, import_input_done(j->input), import_input_size(j->input), "bytes");
    run_progress_message(j->run, arena_printf(j->batch.arena, "%llu rows read",
                                              (unsigned long long)j->state.counts.read));
}

/* Such a row is all the rest of the file: to reject it would lose many as one. What stands before it is imported, so
 * that whoever mends the file knows from which line on it is still needed. */
static int end_unclosed(struct import_job *j)
{
    unsigned long long quote = j->unclosed, line = j->batch.behind.line, rejected = j->state.counts.rejected;
    if (j->mode != MODE_BATCHES)
        return run_fail(j->outcome, RUN_FAILED_FINAL, "invalid_file",
                        "the quote that is opened in line %llu is never closed, so nothing was imported", quote);
    return run_fail(j->outcome, RUN_FAILED_FINAL, "invalid_file",
                    "the quote that is opened in line %llu is never closed; the rows before line %llu are imported "
                    "(%llu of them were rejected)", quote, line, rejected);
}

static int import_all(struct import_job *j)
{
    int more = 1;
    while (more) {
        more = import_read_batch(j);
        if (more < 0)
            return more;
        int rc = import_apply(j, !more && !j->unclosed);
        if (rc)
            return rc;
        tell_progress(j);
    }
    return j->unclosed ? end_unclosed(j) : 0;
}

static const char *report_name(struct import_job *j)
{
    struct civil day = civil_from_instant(run_task(j->run)->created_at);
    return arena_printf(run_arena(j->run), "%s-rejected-%04d-%02d-%02d.csv", j->import->def->name, day.year, day.month,
                        day.day);
}

static int finish(struct import_job *j)
{
    struct run_outcome *o = j->outcome;
    const struct import_counts *c = &j->state.counts;
    struct result_file *file;
    struct error e = {0};
    if (import_report_finish(j->report, report_name(j), &file, &e))
        return import_storage_failed(j, &e);
    buf_clear(&o->result);
    buf_addf(&o->result, "{\"read\":%llu,\"inserted\":%llu,\"replaced\":%llu,\"skipped\":%llu,\"rejected\":%llu}",
             (unsigned long long)c->read, (unsigned long long)c->inserted, (unsigned long long)c->replaced,
             (unsigned long long)c->skipped, (unsigned long long)c->rejected);
    if (file)
        o->files[o->file_count++] = file;
    run_succeed(o);
    return 0;
}

static int run_job(struct import_job *j)
{
    struct error e = {0};
    int rc = bind(j);
    if (rc)
        return rc;
    if (import_connect(j, &e))
        return import_target_failed(j, &e);
    rc = take_over(j);
    if (!rc && !j->state.done) {
        rc = import_open_file(j);
        if (!rc && import_connect(j, &e)) /* now the header says what is written */
            rc = import_target_failed(j, &e);
        if (!rc)
            rc = begin_whole(j);
        if (!rc)
            rc = import_all(j);
        if (!rc)
            rc = end_whole(j);
    }
    return rc ? rc : finish(j);
}

void import_run(struct run *r, struct run_outcome *o, void **state)
{
    (void)state;
    struct import_job j = {
        .run = r,
        .outcome = o,
        .batch = {.arena = arena_create()},
        .report = import_report_create(r),
    };
    (void)!run_job(&j);
    if (j.db)
        db_rollback(j.db);
    csv_reader_destroy(&j.reader);
    import_input_close(&j.input);
    import_disconnect(&j);
    import_report_destroy(&j.report);
    arena_destroy(&j.batch.arena);
}
