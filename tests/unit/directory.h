/* SPDX-License-Identifier: MIT */
/* directory.h: a directory of a test's own, fresh for each. */
#ifndef TESTS_UNIT_DIRECTORY_H
#define TESTS_UNIT_DIRECTORY_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char directory[] = "/tmp/backdesk-unit-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/backdesk-unit-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char *command = xasprintf("rm -rf '%s'", directory);
    int rc = system(command);
    free(command);
    return rc;
}

#endif
