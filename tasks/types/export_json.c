/* SPDX-License-Identifier: MIT */
/* export_json.c: rows as JSON objects, one a line: all in one array, or JSON Lines. */
#include <string.h>

#include "export.h"
#include "json_cell.h"
#include "json_check.h"

struct json {
    enum json_kind *kinds; /* per column, as the next two */
    const char **labels;   /* what stands before a value: {"id": or ,"title": */
    size_t *label_lens;
    size_t fixed; /* bytes a row may need beside what its values need */
    bool any;     /* a row has been written */
};

/* Two members of one name are no error in JSON, but readers drop one of them. */
static int check_names(struct export_writer *w)
{
    for (unsigned i = 0; i < w->column_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(w->columns[i].name, w->columns[k].name) == 0)
                return export_unfit(w, "duplicate_columns",
                                    "has two columns \"%s\", which a JSON object cannot have: "
                                    "give one of them another name in its query",
                                    w->columns[i].name);
    return 0;
}

static void make_label(struct export_writer *w, struct json *j, unsigned i)
{
    const char *name = w->columns[i].name;
    size_t len = strlen(name);
    char *label = arena_calloc(run_arena(w->run), json_room(len) + 2, 1), *p = label;
    *p++ = i ? ',' : '{';
    *p++ = '"';
    p = json_text(p, name, len);
    *p++ = '"';
    *p++ = ':';
    j->labels[i] = label;
    j->label_lens[i] = (size_t)(p - label);
}

static int begin(struct export_writer *w)
{
    struct arena *a = run_arena(w->run);
    struct json *j = arena_calloc(a, 1, sizeof *j);
    w->state = j;
    j->kinds = arena_calloc(a, w->column_count, sizeof *j->kinds);
    j->labels = arena_calloc(a, w->column_count, sizeof *j->labels);
    j->label_lens = arena_calloc(a, w->column_count, sizeof *j->label_lens);
    j->fixed = 4; /* ,\n before, }\n behind */
    for (unsigned i = 0; i < w->column_count; i++) {
        j->kinds[i] = json_kind_of(&w->columns[i], w->export->def->binary == BINARY_HEX,
                                   w->booleans[i]);
        make_label(w, j, i);
        j->fixed += j->label_lens[i] + json_room(0);
    }
    return check_names(w);
}

static int begin_array(struct export_writer *w)
{
    int rc = begin(w);
    return rc ? rc : output_write(w->out, "[", 1, &w->error);
}

static int end_array(struct export_writer *w)
{
    const struct json *j = w->state;
    return output_write(w->out, j->any ? "\n]\n" : "]\n", j->any ? 3 : 2, &w->error);
}

/* The file holds a row, or nobody would ask: the next one is not the first. */
static bool save(struct export_writer *w, struct buf *out)
{
    (void)w;
    (void)out;
    return true;
}

static bool restore(struct export_writer *w, const void *state, size_t len)
{
    (void)state;
    if (len || begin(w))
        return false;
    ((struct json *)w->state)->any = true;
    return true;
}

static int end_lines(struct export_writer *w)
{
    (void)w;
    return 0;
}

/* --- large values ----------------------------------------------------------------------------- */

static char *put_text(void *state, char *p, const char *part, size_t len)
{
    (void)state;
    return json_text(p, part, len);
}

static char *put_json(void *state, char *p, const char *part, size_t len)
{
    (void)state;
    return json_copy(p, part, len);
}

static char *put_bytes(void *kind, char *p, const char *part, size_t len)
{
    return cell_bytes(p, *(enum json_kind *)kind == JSON_HEX ? CELL_HEX : CELL_BASE64, part, len);
}

static bool look(void *check, const char *part, size_t len)
{
    return json_check_add(check, part, len);
}

static int write_large(struct export_writer *w, const struct row *row, unsigned column)
{
    struct json *j = w->state;
    enum json_kind *kind = &j->kinds[column];
    if (*kind == JSON_JSON) {
        struct json_check check;
        json_check_begin(&check);
        int rc = export_look_at(w, row, column, look, &check);
        if (rc)
            return rc;
        if (json_check_end(&check))
            return export_value(w, row, column, put_json, NULL);
    }
    bool bytes = *kind == JSON_BASE64 || *kind == JSON_HEX;
    int rc = output_write(w->out, "\"", 1, &w->error);
    if (!rc)
        rc = export_value(w, row, column, bytes ? put_bytes : put_text, kind);
    return rc ? rc : output_write(w->out, "\"", 1, &w->error);
}

static char *put_cell(struct export_writer *w, char *p, const struct row *row, unsigned i)
{
    const struct json *j = w->state;
    return json_cell(p, &w->columns[i], j->kinds[i], row->values[i], row->lengths[i]);
}

/* A row that does not fit the output's buffer, cell by cell. */
static int large_row(struct export_writer *w, const struct row *row)
{
    const struct json *j = w->state;
    int rc = 0;
    for (unsigned i = 0; i < w->column_count && !rc; i++) {
        rc = output_write(w->out, j->labels[i], j->label_lens[i], &w->error);
        if (!rc)
            rc = export_one(w, row, i, json_room(row->lengths[i]), put_cell, write_large);
    }
    return rc;
}

/* --- rows --------------------------------------------------------------------------------------- */

/* BEFORE and BEHIND the object. */
static int write_row(struct export_writer *w, const struct row *row, const char *before,
                     const char *behind)
{
    const struct json *j = w->state;
    size_t room, need = 6 * row->bytes + j->fixed;
    if (row->is_long || need > OUTPUT_RESERVE_MAX) {
        int rc = output_write(w->out, before, strlen(before), &w->error);
        if (!rc)
            rc = large_row(w, row);
        return rc ? rc : output_write(w->out, behind, strlen(behind), &w->error);
    }
    char *start = output_reserve(w->out, need, &room, &w->error), *p = start;
    if (!p)
        return w->error.code;
    p = cell_put(p, before, strlen(before));
    for (unsigned i = 0; i < w->column_count; i++) {
        p = cell_put(p, j->labels[i], j->label_lens[i]);
        p = json_cell(p, &w->columns[i], j->kinds[i], row->values[i], row->lengths[i]);
    }
    p = cell_put(p, behind, strlen(behind));
    output_advance(w->out, (size_t)(p - start));
    return 0;
}

static int array_row(struct export_writer *w, const struct row *row)
{
    struct json *j = w->state;
    const char *before = j->any ? ",\n" : "\n";
    j->any = true;
    return write_row(w, row, before, "}");
}

static int line_row(struct export_writer *w, const struct row *row)
{
    return write_row(w, row, "", "}\n");
}

const struct export_format export_json = {
    .type = "json_export",
    .name = "json",
    .ext = "json",
    .begin = begin_array,
    .row = array_row,
    .end = end_array,
    .save = save,
    .restore = restore,
};

const struct export_format export_json_lines = {
    .type = "json_export",
    .option = "lines",
    .name = "jsonl",
    .ext = "jsonl",
    .begin = begin,
    .row = line_row,
    .end = end_lines,
    .save = save,
    .restore = restore,
};
