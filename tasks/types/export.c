/* SPDX-License-Identifier: MIT */
/* export.c: runs an export task: binds its parameters, reads its rows, has a format write them to a
 * result file, and says how it went. */
#include "export.h"
#include "export_resume.h"

#include <string.h>

#include "base/clock.h"

/* A part of a large value: divisible by 3, and five times of it can be reserved. */
enum { PART = 6 * 1024 };

static const struct export_format *const formats[] = {&export_csv, &export_html};

static const struct export_format *find_format(const char *type)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (strcmp(formats[i]->type, type) == 0)
            return formats[i];
    return NULL;
}

const char *export_title(const struct export *x)
{
    return x->def->title ? x->def->title : x->def->name;
}

static int put_parts(struct export_writer *w, const char *data, size_t len, export_put *put,
                     void *state)
{
    while (len) {
        size_t n = len < PART ? len : PART, room;
        char *p = result_file_reserve(w->file, 5 * n + 8, &room, &w->error);
        if (!p)
            return w->error.code;
        result_file_advance(w->file, (size_t)(put(state, p, data, n) - p));
        data += n;
        len -= n;
    }
    return 0;
}

int export_value(struct export_writer *w, const struct row *row, unsigned column, export_put *put,
                 void *state)
{
    if (!row->is_long || !row->is_long[column])
        return put_parts(w, row->values[column], row->lengths[column], put, state);
    const char *data;
    size_t len;
    int rc;
    while ((rc = row_source_slice(w->source, column, &data, &len)) == 1) {
        rc = put_parts(w, data, len, put, state);
        if (rc)
            break;
    }
    return rc;
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

static int create_file(struct run *r, struct run_outcome *o, const struct export_format *format,
                       struct result_file **out)
{
    const struct files_settings *files = &run_settings(r)->files;
    struct result_place place = {
        .directory = files->directory,
        .mode = (mode_t)files->mode,
        .directory_mode = (mode_t)files->directory_mode,
    };
    struct error e = {0};
    const struct run_task *t = run_task(r);
    if (result_file_create(&place, t->id, t->fence, format->ext, out, &e))
        return storage_failed(o, &e);
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
        if (!rc && export_resume_due(resume, w))
            export_resume_note(resume, w, false);
    }
    return rc ? rc : format->end(w);
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

static void put_result(struct run_outcome *o, const struct result_info *info)
{
    struct buf *b = &o->result;
    buf_clear(b);
    buf_adds(b, "{\"rows\":");
    buf_add_u64(b, info->rows);
    buf_adds(b, ",\"bytes\":");
    buf_add_u64(b, info->bytes);
    buf_adds(b, ",\"filename\":");
    buf_json_s(b, info->filename);
    buf_adds(b, ",\"format\":");
    buf_json_s(b, info->format);
    buf_addc(b, '}');
}

/* The file gets its final name and goes to the runner. */
static int finish(struct export_writer *w, const struct export_format *format,
                  struct run_outcome *o)
{
    uint64_t rows = row_source_rows(w->source);
    run_progress(w->run, rows, rows, "rows");
    result_file_name(w->file, file_name(w->run, w->export, format->ext), format->name);
    if (result_file_finish(w->file, rows, &w->error))
        return storage_failed(o, &w->error);
    put_result(o, result_file_info(w->file));
    o->files[0] = w->file;
    o->file_count = 1;
    o->end = RUN_SUCCESS;
    o->code[0] = o->message[0] = '\0';
    w->file = NULL;
    return 0;
}

void export_run(struct run *r, struct run_outcome *o, void **state)
{
    const struct export_format *format = find_format(run_task(r)->type);
    struct export_call call;
    struct export_writer w = {.run = r};
    struct export_resume resume = {0};
    if (!format) {
        run_fail(o, RUN_FAILED_FINAL, "unknown_type", "no export writes %s", run_task(r)->type);
        return;
    }
    if (!*state)
        *state = source_pool_create();
    if (bind(r, o, &call))
        return;
    w.export = call.export;
    if (row_source_open(r, *state, &call, o, &w.source))
        return;
    w.columns = row_source_columns(w.source, &w.column_count);
    if (create_file(r, o, format, &w.file))
        goto out;
    export_resume_init(&resume, &w, format, &call);
    if (write_rows(&w, format, &resume, o)) {
        if (w.error.code)
            storage_failed(o, &w.error);
        goto out;
    }
    finish(&w, format, o);

out:
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
