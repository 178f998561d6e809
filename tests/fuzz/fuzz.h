/* SPDX-License-Identifier: MIT */
/* fuzz.h: what libFuzzer, or driver.c in its place, calls. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Takes one input; aborts where the code under test breaks a promise. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that must hold for every input. */
#define PROMISE(condition)  \
    do {                    \
        if (!(condition))   \
            abort();        \
    } while (0)

#endif
