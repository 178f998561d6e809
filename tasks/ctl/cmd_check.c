/* SPDX-License-Identifier: MIT */
/* cmd_check.c: taskctl check: every problem of the configuration at once, without a database. */
#include <stdio.h>

#include "command.h"

int cmd_check(const struct call *call)
{
    if (call->argc)
        return command_usage("check takes no arguments");
    struct settings_report report = SETTINGS_REPORT_INIT;
    int rc = catalogue_check(call->path, &report);
    fputs(buf_str(&report.text), stderr);
    settings_report_free(&report);
    if (rc)
        return EXIT_FAILED;
    printf("%s is right\n", call->path);
    return EXIT_DONE;
}
