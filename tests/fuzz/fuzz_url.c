/* SPDX-License-Identifier: MIT */
/* fuzz_url.c: query strings and cursors. What was taken can be written down and is taken again. */
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "fcgi/cursor.h"
#include "fcgi/url.h"
#include "fuzz.h"

static const char allowed[] = "status,type,worker,limit,after";

/* The query written anew. */
static void write_query(struct buf *out, const struct url_query *q)
{
    for (size_t i = 0; i < q->count; i++) {
        buf_addf(out, "%s%s=", i ? "&" : "", q->items[i].name);
        buf_percent(out, q->items[i].value, strlen(q->items[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct url_query first, again;
    struct buf b = BUF_INIT;
    struct arena *arena = arena_create();
    const char *text = arena_strndup(arena, (const char *)data, size);
    if (url_query_parse(text, allowed, arena, &first, NULL) == URL_GOOD) {
        uint64_t id = 0;
        char cursor[CURSOR_TEXT_SIZE];
        write_query(&b, &first);
        PROMISE(url_query_parse(buf_str(&b), allowed, arena, &again, NULL) == URL_GOOD);
        PROMISE(again.count == first.count);
        for (size_t i = 0; i < first.count; i++) {
            const char *value = first.items[i].value;
            PROMISE(strcmp(value, url_query_get(&again, first.items[i].name)) == 0);
            PROMISE(utf8_valid_prefix(value, strlen(value)) == strlen(value));
        }
        const char *after = url_query_get(&first, "after");
        if (after && cursor_read("tasks", 1, &first, after, &id)) {
            cursor_make("tasks", 1, &again, id, cursor);
            PROMISE(strcmp(cursor, after) == 0);
        }
    }
    buf_free(&b);
    arena_destroy(&arena);
    return 0;
}
