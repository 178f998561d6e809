/* SPDX-License-Identifier: MIT */
/* shared_directory.h: a shared directory of result files, of each test's own. */
#ifndef TESTS_UNIT_SHARED_DIRECTORY_H
#define TESTS_UNIT_SHARED_DIRECTORY_H

#include <stdlib.h>

#include "base/mem.h"
#include "unit.h"

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
