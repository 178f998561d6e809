/* SPDX-License-Identifier: MIT */
/* cmd_migrate.c: taskctl migrate: the files of sql/ into the database, by the migration account. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "store/migrate.h"

static void tell(void *ctx, unsigned version, const char *file, const char *what)
{
    (void)ctx;
    printf("%4u  %s: %s\n", version, file, what);
}

int cmd_migrate(const struct call *call)
{
    const char *directory = PKGDATADIR "/sql";
    bool dry_run = false;
    for (int i = 0; i < call->argc; i++) {
        if (strcmp(call->argv[i], "--dry-run") == 0)
            dry_run = true;
        else if (strcmp(call->argv[i], "--sql") == 0 && i + 1 < call->argc)
            directory = call->argv[++i];
        else
            return command_usage("migrate does not know %s", call->argv[i]);
    }
    struct db_address address;
    struct error e = {0};
    if (settings_queue_address(call->settings, "migration", &address, &e) ||
        store_migrate(&address, directory, dry_run, tell, NULL, &e))
        return command_fail("%s", e.text);
    return EXIT_DONE;
}
