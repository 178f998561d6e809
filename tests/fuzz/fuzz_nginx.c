/* SPDX-License-Identifier: MIT */
/* fuzz_nginx.c: nginx's configuration, its reading and its check. The lines of what was read are those of the text. */
#include <string.h>

#include "fuzz.h"
#include "tasks/ctl/nginx_check.h"

static void look(const struct nginx_directive *d, const struct nginx_directive *parent, int lines)
{
    for (; d; d = d->next) {
        PROMISE(d->parent == parent && d->line >= 1 && d->line <= lines);
        PROMISE(d->count >= 1 && !d->words[d->count]);
        PROMISE(d->block || !d->first);
        look(d->first, d, lines);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct nginx_directive root = {0};
    struct settings_report report = SETTINGS_REPORT_INIT;
    int lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    if (nginx_conf_parse("f", (const char *)data, size, arena, &root, NULL) == 0) {
        look(root.first, &root, lines);
        nginx_check(&root, NULL, &report);
    }
    settings_report_free(&report);
    arena_destroy(&arena);
    return 0;
}
