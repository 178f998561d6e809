/* SPDX-License-Identifier: MIT */
/* driver.c: runs a fuzz target on the files named, without libFuzzer: for `make check`. */
#include <stdio.h>

#include "fuzz.h"

static int replay(const char *path)
{
    enum { MAX = 1 << 20 };
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(MAX);
    PROMISE(data);
    size_t size = fread(data, 1, MAX, f);
    fclose(f);
    /* of exactly this size, so that a sanitizer sees the first byte read behind it */
    uint8_t *exact = malloc(size + !size);
    PROMISE(exact);
    for (size_t i = 0; i < size; i++)
        exact[i] = data[i];
    free(data);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    return failed;
}
