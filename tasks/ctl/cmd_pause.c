/* SPDX-License-Identifier: MIT */
/* cmd_pause.c: taskctl pause and resume, by the account of the API. */
#include <stdio.h>

#include "command.h"
#include "store/change.h"
#include "task/catalogue.h"

enum { TIMEOUT_S = 10, OPERATOR = 0 };

/* Pauses or resumes the type that CALL names. */
static int control(const struct call *call, const char *verb, bool pause)
{
    if (call->argc != 1)
        return command_usage("%s takes the name of a task type", verb);
    const char *type = call->argv[0];
    if (!catalogue_known_type(call->catalogue, type))
        return command_fail("there is no task type %s", type);
    struct db_address address;
    struct error e = {0};
    if (settings_queue_address(call->settings, "api", &address, &e))
        return command_fail("%s", e.text);
    store_library_init();
    struct store *s = store_create(&address, STORE_API, TIMEOUT_S);
    int rc = pause ? store_pause_type(s, type, OPERATOR, &e) : store_resume_type(s, type, &e);
    store_destroy(&s);
    if (rc)
        return command_fail("%s", e.text);
    printf("%s is %s\n", type, pause ? "paused" : "not paused");
    return EXIT_DONE;
}

int cmd_pause(const struct call *call)
{
    return control(call, "pause", true);
}

int cmd_resume(const struct call *call)
{
    return control(call, "resume", false);
}
