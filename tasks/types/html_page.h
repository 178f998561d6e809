/* SPDX-License-Identifier: MIT */
/* html_page.h: the HTML document around a table's rows: complete, accessible, light and dark, printable,
 * without a script. */
#ifndef TASKS_TYPES_HTML_PAGE_H
#define TASKS_TYPES_HTML_PAGE_H

#include "base/buf.h"
#include "db/rows.h"
#include "task/run.h"

struct html_page {
    const char *title;
    const char *description; /* NULL = none */
    const struct run_task *task; /* when it was asked for, and by whom */
    const struct db_column *columns;
    unsigned column_count;
    unsigned body_rows; /* so many rows stand in one tbody */
};

/* Everything up to the first row; a tbody is open. */
void html_page_begin(struct buf *b, const struct html_page *page);

/* Everything behind the last row. The number of rows is known only now, so it stands here, with a link
 * to it above. */
void html_page_end(struct buf *b, uint64_t rows);

#endif
