/* SPDX-License-Identifier: MIT */
/* export_resume.c: checkpoints of an export: when they are made, what they depend on, how they are used. */
#include "export_resume.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"

/* --- all that the content depends on ------------------------------------------------------------ */

static void add_number(struct buf *b, uint64_t n)
{
    buf_add_u64(b, n);
    buf_addc(b, ';');
}

/* With its length, so that no two lists of texts look the same. */
static void add_text(struct buf *b, const char *s, size_t len)
{
    buf_adds(b, s ? "=" : "-");
    add_number(b, s ? len : 0);
    buf_add(b, s ? s : "", s ? len : 0);
}

static void add_string(struct buf *b, const char *s)
{
    add_text(b, s, s ? strlen(s) : 0);
}

static void add_list(struct buf *b, const struct str_list *list)
{
    add_number(b, list->count);
    for (size_t i = 0; i < list->count; i++)
        add_string(b, list->items[i]);
}

static void add_task(struct buf *b, const struct run_task *t)
{
    add_number(b, t->id);
    add_number(b, (uint64_t)t->created_at);
    add_number(b, (uint64_t)t->created_by);
    add_string(b, t->type);
    add_text(b, t->data, t->data_len);
}

static void add_source(struct buf *b, const struct source_def *s)
{
    add_string(b, s->socket);
    add_string(b, s->host);
    add_number(b, (uint64_t)s->port);
    add_string(b, s->database);
    add_string(b, s->user); /* a view may show each of them something else */
    add_string(b, s->time_zone);
}

static void add_export(struct buf *b, const struct export_def *d)
{
    add_string(b, d->name);
    add_string(b, d->title);
    add_string(b, d->description);
    add_string(b, d->query);
    add_list(b, &d->key);
    add_number(b, d->formula_guard);
    add_number(b, d->bom);
    add_string(b, d->null_text);
    add_number(b, (uint64_t)d->binary);
    add_list(b, &d->booleans);
}

static void add_columns(struct buf *b, const struct export_writer *w)
{
    add_number(b, w->column_count);
    for (unsigned i = 0; i < w->column_count; i++) {
        const struct db_column *c = &w->columns[i];
        add_string(b, c->name);
        add_number(b, c->type);
        add_number(b, c->is_unsigned);
        add_number(b, c->is_enum);
        add_number(b, c->is_json);
        add_number(b, c->decimals);
        add_number(b, c->max_bytes);
    }
}

static bool take_fingerprint(struct export_resume *x, const struct export_writer *w,
                             const struct export_call *call)
{
    struct buf b = BUF_INIT;
    add_string(&b, PACKAGE_VERSION);
    add_string(&b, x->format->name);
    add_string(&b, x->format->ext);
    add_task(&b, run_task(w->run));
    add_source(&b, w->export->source);
    add_export(&b, w->export->def);
    add_number(&b, call->bind_count);
    for (size_t i = 0; i < call->bind_count; i++) /* a default may have changed */
        add_text(&b, call->binds[i].text, call->binds[i].text_len);
    add_columns(&b, w);
    unsigned len = 0;
    bool good = EVP_Digest(b.data, b.len, x->fingerprint, &len, EVP_sha256(), NULL) == 1;
    buf_free(&b);
    return good && len == CHECKPOINT_DIGEST;
}

/* --- noting -------------------------------------------------------------------------------------- */

void export_resume_init(struct export_resume *x, struct export_writer *w,
                        const struct export_format *format, const struct export_call *call)
{
    *x = (struct export_resume){.format = format, .next_ns = INT64_MAX};
    int64_t interval = run_settings(w->run)->files.checkpoint_usec * 1000;
    if (!interval || !format->save || !row_source_can_resume(w->source) ||
        !take_fingerprint(x, w, call))
        return;
    x->interval_ns = interval;
    x->next_ns = clock_mono_ns() + interval;
}

void export_resume_note(struct export_resume *x, struct export_writer *w, bool wait)
{
    struct checkpoint c = {0};
    row_source_save(w->source, &c);
    buf_clear(&x->state);
    if (!c.key_count || !x->format->save(w, &x->state))
        return;
    memcpy(c.fingerprint, x->fingerprint, sizeof c.fingerprint);
    c.state = (struct checkpoint_bytes){x->state.data, x->state.len};
    result_file_checkpoint(w->file, &c, wait);
    x->next_ns = clock_mono_ns() + x->interval_ns;
    x->noted = true;
}

void export_resume_last(struct export_resume *x, struct export_writer *w)
{
    if ((x->noted || clock_mono_ns() >= x->next_ns) && output_resumable(w->out))
        export_resume_note(x, w, true);
}

/* --- going on ------------------------------------------------------------------------------------- */

struct search {
    struct export_resume *resume;
    struct export_writer *writer;
};

static bool stop(void *ctx)
{
    const struct search *s = ctx;
    return run_stopping(s->writer->run);
}

static void tell(void *ctx, const char *line)
{
    const struct search *s = ctx;
    run_log(s->writer->run, "%s", line);
}

/* The source comes last: it stays where it is unless everything fits. */
static bool accept(void *ctx, const struct checkpoint *c)
{
    const struct search *s = ctx;
    return s->resume->format->restore(s->writer, c->state.p, c->state.len) &&
           row_source_resume(s->writer->source, c);
}

int export_resume_begin(struct export_resume *x, struct export_writer *w, struct run_outcome *o)
{
    struct search ctx = {x, w};
    struct result_search search = {
        .fingerprint = x->fingerprint,
        .arena = run_arena(w->run),
        .stop = stop,
        .accept = accept,
        .tell = tell,
        .ctx = &ctx,
    };
    struct checkpoint c;
    if (!x->interval_ns)
        return 0;
    int rc = result_file_resume(w->file, &search, &c, &w->error);
    if (rc == ERR_CANCELLED) {
        error_clear(&w->error);
        return run_fail(o, RUN_STOPPED, "stopped", "the export was asked to stop");
    }
    if (rc != 1)
        return rc;
    output_resume(w->out);
    run_log(w->run, "going on behind row %llu, where an earlier attempt has come to",
            (unsigned long long)c.rows);
    run_progress(w->run, c.rows, 0, "rows");
    export_resume_note(x, w, false); /* the copy counts from now on, and the original goes */
    return 1;
}

void export_resume_free(struct export_resume *x)
{
    buf_free(&x->state);
}
