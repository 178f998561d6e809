/* SPDX-License-Identifier: MIT */
/* fuzz_progress.c: whatever a program writes on descriptor 3 and to its standard error, what is passed on
 * is bounded, and the texts of progress are UTF-8. */
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "task/run.h"
#include "tasks/types/command_log.h"
#include "tasks/types/command_progress.h"

static size_t logged;

void run_log(struct run *r, const char *fmt, ...)
{
    (void)r;
    logged += strlen(fmt);
}

void run_progress(struct run *r, uint64_t done, uint64_t total, const char *unit)
{
    (void)r;
    (void)done;
    (void)total;
    PROMISE(strlen(unit) < PROGRESS_UNIT_SIZE);
    PROMISE(utf8_valid_prefix(unit, strlen(unit)) == strlen(unit));
}

void run_progress_message(struct run *r, const char *message)
{
    (void)r;
    if (!message)
        return;
    PROMISE(strlen(message) < PROGRESS_TEXT_SIZE);
    PROMISE(utf8_valid_prefix(message, strlen(message)) == strlen(message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct command_progress progress;
    static struct command_log log;
    const char *text = (const char *)data;
    size_t half = size / 2;
    command_progress_begin(&progress, NULL);
    command_progress_add(&progress, text, half);
    command_progress_add(&progress, text + half, size - half);
    command_log_begin(&log, NULL, (int64_t)(size % 100));
    command_log_add(&log, text, half);
    command_log_add(&log, text + half, size - half);
    command_log_end(&log);
    PROMISE(strlen(log.last) < COMMAND_LINE_SIZE);
    return 0;
}
