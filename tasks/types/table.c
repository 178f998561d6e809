/* SPDX-License-Identifier: MIT */
/* table.c: the code of every task type. */
#include "dummy.h"
#include "export.h"

const struct type_code type_codes[] = {
    {"csv_export", export_run, export_close},
    {"html_export", export_run, export_close},
    {"json_export", export_run, export_close},
    {"xlsx_export", export_run, export_close},
    {"dummy", dummy_run, NULL},
    {NULL, NULL, NULL},
};
