/* SPDX-License-Identifier: MIT */
/* cmd_types.c: taskctl types: what can be asked for, from the tables that the API validates by. */
#include "command.h"

int cmd_types(const struct call *call)
{
    if (call->argc > 1)
        return command_usage("types takes one name at most");
    struct buf out = BUF_INIT;
    struct error e = {0};
    if (catalogue_text(call->catalogue, call->argc ? call->argv[0] : NULL, &out, &e)) {
        buf_free(&out);
        return command_fail("%s", e.text);
    }
    return command_print(&out);
}
