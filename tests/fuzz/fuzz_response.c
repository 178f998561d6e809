/* SPDX-License-Identifier: MIT */
/* fuzz_response.c: a head of a stored response that was taken says the same once it is written again, and no
 * header of it can begin another one. */
#include <string.h>

#include "fuzz.h"
#include "task/stored_response.h"

static void check_text(const char *s)
{
    for (; *s; s++)
        PROMISE(*s != '\r' && *s != '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct stored_response first, again;
    struct buf b = BUF_INIT;
    if (stored_response_parse((const char *)data, size, arena, &first, NULL) == 0) {
        stored_response_head(&first, &b);
        PROMISE(stored_response_parse(b.data, b.len - 1, arena, &again, NULL) == 0);
        PROMISE(again.status == first.status && strcmp(again.reason, first.reason) == 0);
        PROMISE(again.header_count == first.header_count);
        check_text(first.reason);
        for (size_t i = 0; i < first.header_count; i++) {
            PROMISE(strcmp(again.headers[i].name, first.headers[i].name) == 0);
            PROMISE(strcmp(again.headers[i].value, first.headers[i].value) == 0);
            check_text(first.headers[i].name);
            check_text(first.headers[i].value);
        }
    }
    buf_free(&b);
    arena_destroy(&arena);
    return 0;
}
