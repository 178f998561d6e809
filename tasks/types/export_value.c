/* SPDX-License-Identifier: MIT */
/* export_value.c: how formats write values of any length: at once, in parts, or after a look. */
#include "export.h"

/* A part of a large value: divisible by 3, and six times of it can be reserved. */
enum { PART = 5 * 1023 };

/* The length of a part of text that is N bytes or a little less and cuts no character. */
static size_t whole_characters(const char *data, size_t n)
{
    size_t cut = n;
    while (cut && n - cut < 3 && ((unsigned char)data[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

static int put_parts(struct export_writer *w, unsigned column, const char *data, size_t len,
                     export_put *put, void *state)
{
    bool text = w->columns[column].type != DB_TYPE_BYTES;
    while (len) {
        size_t n = len, room;
        if (n > PART)
            n = text ? whole_characters(data, PART) : PART;
        char *p = output_reserve(w->out, 6 * n + 8, &room, &w->error);
        if (!p)
            return w->error.code;
        output_advance(w->out, (size_t)(put(state, p, data, n) - p));
        data += n;
        len -= n;
    }
    return 0;
}

int export_value(struct export_writer *w, const struct row *row, unsigned column, export_put *put,
                 void *state)
{
    if (!row->is_long || !row->is_long[column])
        return put_parts(w, column, row->values[column], row->lengths[column], put, state);
    const char *data;
    size_t len;
    int rc;
    while ((rc = row_source_slice(w->source, column, &data, &len)) == 1) {
        rc = put_parts(w, column, data, len, put, state);
        if (rc)
            break;
    }
    return rc;
}

int export_one(struct export_writer *w, const struct row *row, unsigned column, size_t need,
               export_cell *cell,
               int (*large)(struct export_writer *w, const struct row *row, unsigned column))
{
    size_t room;
    if ((row->is_long && row->is_long[column]) || need > OUTPUT_RESERVE_MAX)
        return large(w, row, column);
    char *p = output_reserve(w->out, need, &room, &w->error);
    if (!p)
        return w->error.code;
    output_advance(w->out, (size_t)(cell(w, p, row, column) - p));
    return 0;
}

int export_look_at(struct export_writer *w, const struct row *row, unsigned column,
                   export_look *look, void *state)
{
    if (!row->is_long || !row->is_long[column]) {
        (void)look(state, row->values[column], row->lengths[column]);
        return 0;
    }
    const char *data;
    size_t len;
    int rc;
    while ((rc = row_source_slice(w->source, column, &data, &len)) == 1)
        if (!look(state, data, len))
            break;
    row_source_rewind(w->source, column);
    return rc < 0 ? rc : 0;
}
