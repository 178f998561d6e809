/* SPDX-License-Identifier: MIT */
/* fuzz_query.c: a query that was taken may be put in parentheses: nothing in it swallows them. */
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "task/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct query first, again;
    struct buf b = BUF_INIT;
    struct arena *arena = arena_create();
    if (query_parse((const char *)data, size, arena, &first, NULL) == 0) {
        PROMISE(first.len == strlen(first.text));
        for (size_t i = 0; i < first.count; i++)
            PROMISE(first.names[i][0] && strlen(first.names[i]) <= QUERY_NAME_MAX);
        if (first.count == 0) { /* a ? that stands for a parameter would be refused */
            buf_addf(&b, "(%s)", first.text);
            PROMISE(query_parse(b.data, b.len, arena, &again, NULL) == 0);
            PROMISE(again.len == b.len && memcmp(again.text, b.data, b.len) == 0);
        }
    }
    buf_free(&b);
    arena_destroy(&arena);
    return 0;
}
