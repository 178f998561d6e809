/* SPDX-License-Identifier: MIT */
/* fuzz_request.c: nothing that is read of a deferred request can become more than one line, or another request. */
#include <string.h>

#include "fuzz.h"
#include "task/request.h"

static void check_line(const char *s, const char *never)
{
    PROMISE(!s[strcspn(s, "\r\n")] && !s[strcspn(s, never)]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct deferred_request r;
    if (deferred_request_parse((const char *)data, size, arena, &r, NULL) == 0) {
        check_line(r.method, " ");
        check_line(r.target, " #");
        PROMISE(*r.target == '/');
        check_line(r.host, " /@?#");
        check_line(r.address, " ,");
        for (size_t i = 0; i < r.headers.count; i++) {
            check_line(r.headers.items[i].name, " :");
            check_line(r.headers.items[i].value, "");
        }
    }
    arena_destroy(&arena);
    return 0;
}
