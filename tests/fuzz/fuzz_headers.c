/* SPDX-License-Identifier: MIT */
/* fuzz_headers.c: what FastCGI says of a deferred request, one parameter a line. Whatever it is, what is kept is
 * JSON of pairs, and nothing secret or forbidden is shown. */
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "fcgi/kept_headers.h"
#include "fcgi/prefer.h"
#include "fuzz.h"
#include "task/stored_response.h"

enum { PARAMS_MAX = 64 };

static const char *const secret[] = {"X-Api-Key"};
static const struct defer_settings defer = {.secret_headers = {secret, 1}};

static void check(struct buf *list, bool shown, struct arena *arena)
{
    static const char *const never[] = {"Cookie", "Authorization", "X-Api-Key", "Connection", "Host"};
    struct json_object *pairs = NULL;
    PROMISE(json_parse(buf_str(list), list->len, &pairs, NULL) == 0);
    for (size_t i = 0; i < json_object_array_length(pairs); i++) {
        struct json_object *pair = json_object_array_get_idx(pairs, i);
        const char *name = header_bytes_get(json_object_array_get_idx(pair, 0), arena);
        PROMISE(name && header_bytes_get(json_object_array_get_idx(pair, 1), arena));
        for (size_t k = 0; k < COUNT_OF(never); k++)
            PROMISE(!shown || strcasecmp(name, never[k]) != 0);
        PROMISE(strncasecmp(name, "X-Accel-", 8) != 0 && strncasecmp(name, "X-Backdesk-", 11) != 0);
    }
    json_object_put(pairs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct kept_headers h = KEPT_HEADERS_INIT;
    const char *params[PARAMS_MAX + 1] = {NULL};
    char *text = arena_strndup(arena, (const char *)data, size), *save = NULL;
    size_t n = 0;
    for (char *line = strtok_r(text, "\n", &save); line && n < PARAMS_MAX; line = strtok_r(NULL, "\n", &save))
        params[n++] = line;
    if (kept_headers_choose(params, &defer, &h, NULL) == 0) {
        check(&h.shown, true, arena);
        check(&h.secret, false, arena);
    }
    kept_headers_free(&h);
    for (size_t i = 0; i < n; i++) {
        int seconds = prefer_wait(params[i]);
        PROMISE(seconds >= -1 && seconds <= PREFER_WAIT_MAX);
        PROMISE(seconds < 0 || prefer_has(params[i], "wait"));
        struct buf rest = BUF_INIT;
        const char *const wait[] = {"wait"};
        prefer_without(params[i], wait, 1, &rest);
        PROMISE(!prefer_has(buf_str(&rest), "wait"));
        buf_free(&rest);
    }
    arena_destroy(&arena);
    return 0;
}
