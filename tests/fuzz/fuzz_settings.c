/* SPDX-License-Identifier: MIT */
/* fuzz_settings.c: any text as a configuration file: taken, or refused with a reason. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "task/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[40];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct settings_report report = SETTINGS_REPORT_INIT;
    struct settings *settings = NULL;
    struct catalogue *catalogue = NULL;
    int rc = settings_load_report(path, &settings, &report);
    if (!rc)
        rc = catalogue_create(settings, &catalogue, &report);
    PROMISE(!rc == !report.errors);
    PROMISE(!rc || report.text.len > 0);
    catalogue_free(&catalogue);
    settings_free(&settings);
    settings_report_free(&report);
    close(fd);
    return 0;
}
