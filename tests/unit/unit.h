/* SPDX-License-Identifier: MIT */
/* unit.h: cmocka with the headers that it wants before it, and what unit tests share. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"

/* A file that is only in memory: TEXT under *PATH, with permissions MODE. Close *FD when done. */
struct memory_file {
    int fd;
    char path[40];
};

static inline struct memory_file memory_file(const char *text, mode_t mode)
{
    struct memory_file f;
    f.fd = memfd_create("unit", MFD_CLOEXEC);
    assert_true(f.fd >= 0);
    assert_int_equal(write(f.fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(f.fd, mode), 0);
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

/* Fails the test and names the case: for tables, where a line number says nothing. */
#define CHECK_CASE(number, name, condition)                                          \
    do {                                                                             \
        if (!(condition))                                                            \
            fail_msg("case %zu (%s): %s", (size_t)(number), (name), #condition);     \
    } while (0)

#define CHECK_CASE_TEXT(number, name, got, wanted)                                            \
    do {                                                                                      \
        if (strcmp((got), (wanted)) != 0)                                                     \
            fail_msg("case %zu (%s):\n got    %s\n wanted %s", (size_t)(number), (name), (got), \
                     (wanted));                                                               \
    } while (0)

#endif
