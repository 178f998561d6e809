/* SPDX-License-Identifier: MIT */
/* import_report.h: the rejected rows as a CSV file that can be downloaded. */
#ifndef TASKS_TYPES_IMPORT_REPORT_H
#define TASKS_TYPES_IMPORT_REPORT_H

#include "import_batch.h"
#include "task/run.h"

struct import_report;

/* Makes no file before there is something to put into it. */
struct import_report *import_report_create(struct run *r) MUST_USE;
void import_report_destroy(struct import_report **p); /* NULL is accepted; removes the file */

int import_report_add(struct import_report *p, const struct import_reject *reject, struct error *e) MUST_USE;

/* Publishes it as FILENAME: the file belongs to the caller; NULL where nothing was rejected. */
int import_report_finish(struct import_report *p, const char *filename, struct result_file **out,
                         struct error *e) MUST_USE;

#endif
