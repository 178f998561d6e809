/* SPDX-License-Identifier: MIT */
/* cmd_settings.c: taskctl settings: the table of settings for people. Reads no configuration. */
#include <string.h>

#include "base/settings_doc.h"
#include "command.h"

int cmd_settings(const struct call *call)
{
    struct buf out = BUF_INIT;
    if (!call->argc)
        settings_doc_text(&out);
    else if (call->argc == 1 && strcmp(call->argv[0], "--example") == 0)
        settings_doc_example(&out);
    else if (call->argc == 1 && strcmp(call->argv[0], "--man") == 0)
        settings_doc_man(&out);
    else
        return command_usage("settings takes --example or --man");
    return command_print(&out);
}
