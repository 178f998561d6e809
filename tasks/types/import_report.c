/* SPDX-License-Identifier: MIT */
/* import_report.c: writes the report. Whatever bytes a row holds, the report is UTF-8, and no spreadsheet takes
 * anything in it for a formula. */
#include "import_report.h"

#include <stdlib.h>
#include <string.h>

#include "csv_cell.h"

struct import_report {
    struct run *run;
    struct result_file *file;
    struct buf line, text;
    uint64_t rows;
};

struct import_report *import_report_create(struct run *r)
{
    struct import_report *p = xcalloc(1, sizeof *p);
    p->run = r;
    return p;
}

void import_report_destroy(struct import_report **pp)
{
    struct import_report *p = *pp;
    if (!p)
        return;
    *pp = NULL;
    result_file_discard(&p->file);
    buf_free(&p->line);
    buf_free(&p->text);
    free(p);
}

static int begin(struct import_report *p, struct error *e)
{
    static const char header[] = "row,line,column,reason,record\r\n";
    const struct result_place place = result_place_of(&run_settings(p->run)->files);
    const struct run_task *t = run_task(p->run);
    int rc = result_file_create(&place, t->id, t->fence, "csv", &p->file, e);
    return rc ? rc : result_file_write(p->file, header, sizeof header - 1, e);
}

static void put_text(struct import_report *p, const char *text, size_t len)
{
    static const struct csv_style style = {.guard = true};
    buf_clear(&p->text);
    buf_utf8(&p->text, text, len);
    buf_addc(&p->line, ',');
    buf_reserve(&p->line, csv_room(&style, p->text.len));
    char *begin = p->line.data + p->line.len;
    char *end = csv_cell(begin, &style, CELL_TEXT, p->text.data ? p->text.data : "", p->text.len);
    p->line.len += (size_t)(end - begin);
}

int import_report_add(struct import_report *p, const struct import_reject *j, struct error *e)
{
    int rc = p->file ? 0 : begin(p, e);
    if (rc)
        return rc;
    buf_clear(&p->line);
    buf_addf(&p->line, "%llu,%llu", (unsigned long long)j->row.number, (unsigned long long)j->row.line);
    if (j->column)
        put_text(p, j->column, strlen(j->column));
    else
        buf_addc(&p->line, ',');
    put_text(p, j->reason, strlen(j->reason));
    put_text(p, j->row.text, j->row.len);
    buf_adds(&p->line, "\r\n");
    p->rows++;
    return result_file_write(p->file, p->line.data, p->line.len, e);
}

int import_report_finish(struct import_report *p, const char *filename, struct result_file **out, struct error *e)
{
    *out = NULL;
    if (!p->file)
        return 0;
    result_file_name(p->file, filename, "csv");
    int rc = result_file_finish(p->file, p->rows, e);
    if (rc)
        return rc;
    *out = p->file;
    p->file = NULL;
    return 0;
}
