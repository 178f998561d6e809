/* SPDX-License-Identifier: MIT */
/* types.c: the table of all task types, and the limits that hold for each. A new type is one row
 * here, its code in layer types, and a line in the manual. */
#include <string.h>

#include "base/compiler.h"
#include "task/type.h"

static const struct param_def dummy_params[] = {
    {
        .name = "seconds",
        .kind = PARAM_NUMBER,
        .title = "Seconds",
        .description = "How long it takes.",
        .default_text = "0",
        .min = "0",
    },
    {
        .name = "steps",
        .kind = PARAM_INTEGER,
        .title = "Steps",
        .description = "How often it reports its progress.",
        .default_text = "10",
        .min = "0",
        .max = "1000000",
    },
    {
        .name = "fail",
        .kind = PARAM_BOOLEAN,
        .title = "Fail",
        .description = "End as a failure.",
        .default_text = "false",
    },
    {
        .name = "crash",
        .kind = PARAM_BOOLEAN,
        .title = "Crash",
        .description = "Let the worker process die by a signal.",
        .default_text = "false",
    },
};

#define GZIP                                                     \
    {                                                            \
        .name = "gzip",                                          \
        .kind = PARAM_BOOLEAN,                                   \
        .title = "Compress",                                     \
        .description = "Make a file compressed by gzip (.gz).",  \
        .default_text = "false",                                 \
    }

static const struct param_def text_params[] = {GZIP};

static const struct param_def json_params[] = {
    {
        .name = "lines",
        .kind = PARAM_BOOLEAN,
        .title = "One object a line",
        .description = "JSON Lines (.jsonl) instead of one array.",
        .default_text = "false",
    },
    GZIP,
};

static const char *const delimiters[] = {",", ";", "\t", "|"};
static const char *const duplicate_policies[] = {"error", "skip", "replace"};

static const struct param_def import_params[] = {
    {
        .name = "upload",
        .kind = PARAM_UPLOAD,
        .title = "CSV file",
        .description = "In UTF-8, the names of the columns in its first row; it may be compressed with gzip.",
        .required = true,
    },
    {
        .name = "delimiter",
        .kind = PARAM_ENUM,
        .title = "Delimiter",
        .description = "What stands between two fields of a row.",
        .default_text = ",",
        .values = {delimiters, COUNT_OF(delimiters)},
    },
    {
        .name = "duplicates",
        .kind = PARAM_ENUM,
        .title = "Rows that are there already",
        .description = "By the table's unique keys. error: such a row is rejected; skip: it is passed over; "
                       "replace: its values replace those of the row that is there. A row that is somebody "
                       "else's is always rejected.",
        .default_text = "error",
        .values = {duplicate_policies, COUNT_OF(duplicate_policies)},
    },
    {
        .name = "dry_run",
        .kind = PARAM_BOOLEAN,
        .title = "Dry run",
        .description = "Find out what would happen, and change nothing.",
        .default_text = "false",
    },
};

/* The catalogue fills in what is configured. */
static const struct param_def backup_params[] = {
    {
        .name = "backup",
        .kind = PARAM_ENUM,
        .title = "Backup",
        .description = "What is backed up.",
    },
};

const struct task_type task_types[] = {
    {
        .name = "csv_export",
        .title = "CSV file",
        .description = "Runs a query that the operator has set up and writes its rows to a CSV "
                       "file (RFC 4180).",
        .payload = PAYLOAD_EXPORT,
        .format = "csv",
        .postable = true,
        .on_by_default = true,
        .params = text_params,
        .param_count = COUNT_OF(text_params),
    },
    {
        .name = "html_export",
        .title = "HTML page",
        .description = "Runs a query that the operator has set up and writes its rows to one HTML "
                       "page, to be read or printed.",
        .payload = PAYLOAD_EXPORT,
        .format = "html",
        .postable = true,
        .on_by_default = true,
        .params = text_params,
        .param_count = COUNT_OF(text_params),
    },
    {
        .name = "json_export",
        .title = "JSON file",
        .description = "Runs a query that the operator has set up and writes its rows to a JSON "
                       "file (RFC 8259), one object each.",
        .payload = PAYLOAD_EXPORT,
        .format = "json",
        .postable = true,
        .on_by_default = true,
        .params = json_params,
        .param_count = COUNT_OF(json_params),
    },
    {
        .name = "xlsx_export",
        .title = "Excel workbook",
        .description = "Runs a query that the operator has set up and writes its rows to the "
                       "sheets of an Excel workbook (XLSX).",
        .payload = PAYLOAD_EXPORT,
        .format = "xlsx",
        .postable = true,
        .on_by_default = true,
    },
    {
        .name = "csv_import",
        .title = "CSV import",
        .description = "Reads an uploaded CSV file into a table that the operator has set up, with a report of "
                       "every row that was rejected.",
        .payload = PAYLOAD_IMPORT,
        .postable = true,
        .on_by_default = true,
        .params = import_params,
        .param_count = COUNT_OF(import_params),
    },
    {
        .name = "backup",
        .title = "Backup",
        .description = "Dumps a database that the operator has set up into a compressed file of SQL, reads the "
                       "file back to prove it whole, and keeps the newest few.",
        .payload = PAYLOAD_BACKUP,
        .role = "admin",
        .postable = true,
        .on_by_default = true,
        .params = backup_params,
        .param_count = COUNT_OF(backup_params),
    },
    {
        .name = "http_request",
        .title = "Request",
        .description = "Replays a request of the site that was deferred, and keeps the response. It is made by "
                       "sending the site a request with Prefer: respond-async, not here.",
        .payload = PAYLOAD_REQUEST,
        .on_by_default = true,
    },
    {
        .name = "dummy",
        .title = "Dummy",
        .description = "Does nothing for a while. For tests and demonstrations.",
        .postable = true,
        .params = dummy_params,
        .param_count = COUNT_OF(dummy_params),
    },
};

const size_t task_type_count = COUNT_OF(task_types);

const struct task_type *task_type_find(const char *name)
{
    for (size_t i = 0; i < task_type_count; i++)
        if (strcmp(task_types[i].name, name) == 0)
            return &task_types[i];
    return NULL;
}

static int64_t either(int64_t own, int64_t general)
{
    return own == SETTING_UNSET ? general : own;
}

void task_limits_get(const struct settings *s, const char *type, struct task_limits *out)
{
    const struct queue_settings *q = &s->queue;
    const struct type_def *t = settings_type(s, type);
    *out = (struct task_limits){
        .max_attempts = q->max_attempts,
        .backoff_usec = q->backoff_usec,
        .backoff_max_usec = q->backoff_max_usec,
        .timeout_usec = q->timeout_usec,
        .retention_success_usec = q->retention_success_usec,
        .retention_failure_usec = q->retention_failure_usec,
    };
    if (!t)
        return;
    out->max_attempts = either(t->max_attempts, q->max_attempts);
    out->backoff_usec = either(t->backoff_usec, q->backoff_usec);
    out->backoff_max_usec = either(t->backoff_max_usec, q->backoff_max_usec);
    out->timeout_usec = either(t->timeout_usec, q->timeout_usec);
    out->retention_success_usec = either(t->retention_success_usec, q->retention_success_usec);
    out->retention_failure_usec = either(t->retention_failure_usec, q->retention_failure_usec);
    out->per_runner = t->per_runner;
    out->running_total = t->running_total;
}
