/* SPDX-License-Identifier: MIT */
/* long_result.c: writes a long JSON result into a file, in the worker, so that neither the socket to the
 * dispatcher nor a row of the table has to hold it. */
#include "long_result.h"

#include <inttypes.h>
#include <stdio.h>

static int write_file(const struct settings *s, const struct run_task *t, const struct buf *result,
                      struct result_file **out, struct error *e)
{
    const struct result_place place = result_place_of(&s->files);
    char name[64];
    snprintf(name, sizeof name, "task-%" PRIu64 "-result.json", t->id);
    int rc = result_file_create(&place, t->id, t->fence, "json", out, e);
    if (!rc)
        rc = result_file_write(*out, result->data, result->len, e);
    if (rc)
        return rc;
    result_file_name(*out, name, "json");
    result_file_set_result(*out);
    return result_file_finish(*out, RESULT_NO_ROWS, e);
}

void long_result(const struct settings *s, const struct run_task *task, struct run_outcome *o)
{
    struct result_file *file = NULL;
    struct error e = {0};
    if (o->result.len > (size_t)s->files.result_max_bytes) {
        run_fail(o, RUN_FAILED_FINAL, "result_too_long", "the result is longer than %" PRId64 " bytes",
                 s->files.result_max_bytes);
        return;
    }
    if (o->result.len <= (size_t)s->files.result_inline_bytes)
        return;
    if (write_file(s, task, &o->result, &file, &e)) {
        result_file_discard(&file);
        run_fail(o, RUN_FAILED, "storage_failed", "%s", e.text);
        return;
    }
    o->files[o->file_count++] = file;
    buf_free(&o->result);
}
