/* SPDX-License-Identifier: MIT */
/* export.c: runs an export task: binds its parameters, reads its rows, has a format write them to a
 * result file, and says how it went. */
#include "export.h"
#include "export_resume.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const struct export_format *const formats[] = {
    &export_csv,
    &export_html,
    &export_json,
    &export_json_lines,
    &export_xlsx,
};

/* Whether data says so. */
static bool option(const struct export_call *call, const char *name)
{
    const struct param_value *v = bound_param(&call->options, name);
    return v && !v->is_null && v->boolean;
}

static const struct export_format *find_format(const char *type, const struct export_call *call)
{
    const struct export_format *found = NULL;
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        const struct export_format *f = formats[i];
        if (strcmp(f->type, type) == 0 && (f->option ? option(call, f->option) : !found))
            found = f;
    }
    return found;
}

const char *export_title(const struct export *x)
{
    return x->def->title ? x->def->title : x->def->name;
}

int export_unfit(struct export_writer *w, const char *code, const char *fmt, ...)
{
    char text[RUN_MESSAGE_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return run_fail(w->outcome, RUN_FAILED_FINAL, code, "export \"%s\" %s", w->export->def->name,
                    text);
}

static int bind(struct run *r, struct run_outcome *o, struct export_call *call)
{
    const struct run_task *t = run_task(r);
    const struct task_type *type = catalogue_type(run_catalogue(r), t->type);
    if (!type)
        return run_fail(o, RUN_FAILED_FINAL, "unknown_type", "the type %s is not enabled", t->type);
    struct error e = {0};
    if (export_bind(run_catalogue(r), type, t->data, t->data_len, t->created_by, run_arena(r), call,
                    &e))
        return run_fail(o, RUN_FAILED_FINAL, "invalid_data", "%s", e.text);
    return 0;
}

static int storage_failed(struct run_outcome *o, const struct error *e)
{
    return run_fail(o, RUN_FAILED, "storage_failed", "%s", e->text);
}

static int create_file(struct run *r, struct run_outcome *o, const char *ext,
                       struct result_file **out)
{
    const struct result_place place = result_place_of(&run_settings(r)->files);
    struct error e = {0};
    const struct run_task *t = run_task(r);
    if (result_file_create(&place, t->id, t->fence, ext, out, &e))
        return storage_failed(o, &e);
    return 0;
}

/* Finds the columns that the export declares to be booleans. */
static int find_booleans(struct export_writer *w)
{
    const struct str_list *names = &w->export->def->booleans;
    bool *booleans = arena_calloc(run_arena(w->run), w->column_count, sizeof *booleans);
    for (size_t i = 0; i < names->count; i++) {
        unsigned k = 0;
        while (k < w->column_count && strcmp(w->columns[k].name, names->items[i]) != 0)
            k++;
        if (k == w->column_count)
            return export_unfit(w, "invalid_booleans",
                                "has no column \"%s\", which its booleans name", names->items[i]);
        enum db_type type = w->columns[k].type;
        if (type != DB_TYPE_INTEGER && type != DB_TYPE_BIT)
            return export_unfit(w, "invalid_booleans",
                                "cannot give column \"%s\" as a boolean: it is neither an "
                                "integer nor BIT",
                                names->items[i]);
        booleans[k] = true;
    }
    w->booleans = booleans;
    return 0;
}

/* Writes everything. A failure is in writer.error or in the outcome. */
static int write_rows(struct export_writer *w, const struct export_format *format,
                      struct export_resume *resume, struct run_outcome *o)
{
    struct row row;
    int rc = export_resume_begin(resume, w, o);
    if (!rc)
        rc = format->begin(w);
    else if (rc > 0)
        rc = 0;
    while (!rc) {
        rc = row_source_next(w->source, &row);
        if (rc < 0)
            export_resume_last(resume, w);
        if (rc <= 0)
            break;
        rc = format->row(w, &row);
        if (!rc)
            rc = output_row(w->out, &w->error);
        if (!rc && export_resume_due(resume, w))
            export_resume_note(resume, w, false);
    }
    if (rc)
        return rc;
    /* what is left to do may take minutes: no read view should be held for it */
    w->rows = row_source_rows(w->source);
    row_source_close(&w->source);
    rc = format->end(w);
    return rc ? rc : output_end(w->out, &w->error);
}

/* "books-2026-11-21.csv": the day on which the task was created, so that another attempt makes the
 * same file. */
static const char *file_name(struct run *r, const struct export *x, const char *ext)
{
    const char *base = x->def->filename ? x->def->filename : x->def->name;
    struct civil day = civil_from_instant(run_task(r)->created_at);
    return arena_printf(run_arena(r), "%s-%04d-%02d-%02d.%s", base, day.year, day.month, day.day,
                        ext);
}

static void put_result(const struct export_writer *w, const struct export_format *format,
                       const struct result_info *info)
{
    struct buf *b = &w->outcome->result;
    buf_clear(b);
    buf_adds(b, "{\"rows\":");
    buf_add_u64(b, info->rows);
    buf_adds(b, ",\"bytes\":");
    buf_add_u64(b, info->bytes);
    buf_adds(b, ",\"filename\":");
    buf_json_s(b, info->filename);
    buf_adds(b, ",\"format\":");
    buf_json_s(b, info->format);
    if (format->add_result)
        format->add_result(w, b);
    buf_addc(b, '}');
}

/* The file gets its final name and goes to the runner. */
static int finish(struct export_writer *w, const struct export_format *format, const char *ext)
{
    struct run_outcome *o = w->outcome;
    run_progress(w->run, w->rows, w->rows, "rows");
    result_file_name(w->file, file_name(w->run, w->export, ext), format->name);
    if (result_file_finish(w->file, w->rows, &w->error))
        return storage_failed(o, &w->error);
    put_result(w, format, result_file_info(w->file));
    o->files[0] = w->file;
    o->file_count = 1;
    run_succeed(o);
    w->file = NULL;
    return 0;
}

void export_run(struct run *r, struct run_outcome *o, void **state)
{
    const struct export_format *format;
    struct export_call call;
    struct export_writer w = {.run = r, .outcome = o};
    struct export_resume resume = {0};
    if (!*state)
        *state = source_pool_create();
    if (bind(r, o, &call))
        return;
    w.export = call.export;
    format = find_format(run_task(r)->type, &call);
    if (!format) {
        run_fail(o, RUN_FAILED_FINAL, "unknown_type", "no export writes %s", run_task(r)->type);
        return;
    }
    bool gzip = option(&call, "gzip");
    const char *ext = gzip ? arena_printf(run_arena(r), "%s.gz", format->ext) : format->ext;
    if (row_source_open(r, *state, &call, o, &w.source))
        return;
    w.columns = row_source_columns(w.source, &w.column_count);
    if (find_booleans(&w) || create_file(r, o, ext, &w.file))
        goto out;
    if (output_open(w.file, gzip, &w.out, &w.error)) {
        storage_failed(o, &w.error);
        goto out;
    }
    export_resume_init(&resume, &w, format, &call);
    if (write_rows(&w, format, &resume, o)) {
        if (w.error.code)
            storage_failed(o, &w.error);
        goto out;
    }
    finish(&w, format, ext);

out:
    if (format->close && w.state)
        format->close(&w);
    output_close(&w.out);
    /* what the disk has refused is no beginning, and neither is what can only fail again */
    if (w.error.code || o->end == RUN_FAILED_FINAL)
        result_file_discard(&w.file);
    else
        result_file_keep(&w.file);
    export_resume_free(&resume);
    row_source_close(&w.source);
}

void export_close(void **state)
{
    source_pool_destroy((struct source_pool **)state);
}
