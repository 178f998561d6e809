/* SPDX-License-Identifier: MIT */
/* table.c: the code of every task type. */
#include <string.h>

#include "backup.h"
#include "command.h"
#include "dummy.h"
#include "export.h"
#include "http_request.h"
#include "import.h"

static const struct type_code type_codes[] = {
    {"csv_export", export_run, export_close},
    {"html_export", export_run, export_close},
    {"json_export", export_run, export_close},
    {"xlsx_export", export_run, export_close},
    {"csv_import", import_run, NULL},
    {"backup", backup_run, NULL},
    {"http_request", NULL, NULL, &http_request_code},
    {"dummy", dummy_run, NULL},
};

static const struct type_code command_code = {NULL, command_run, command_close};

const struct type_code *type_code_find(const struct task_type *type)
{
    if (type->command)
        return &command_code;
    for (size_t i = 0; i < COUNT_OF(type_codes); i++)
        if (strcmp(type_codes[i].type, type->name) == 0)
            return &type_codes[i];
    return NULL;
}
