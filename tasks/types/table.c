/* SPDX-License-Identifier: MIT */
/* table.c: the code of every task type. */
#include "dummy.h"
#include "export.h"
#include "import.h"

const struct type_code type_codes[] = {
    {"csv_export", export_run, export_close},
    {"html_export", export_run, export_close},
    {"csv_import", import_run, NULL},
    {"dummy", dummy_run, NULL},
    {NULL, NULL, NULL},
};
