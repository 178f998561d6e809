/* SPDX-License-Identifier: MIT */
/* reference.c: merges paths. */
#include "fcgi/reference.h"

#include <stdbool.h>
#include <string.h>

static bool has_scheme(const char *reference)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t len = strspn(reference, chars);
    return len && reference[len] == ':';
}

/* Section 5.2.4, of a PATH that begins with a slash. */
static void remove_dots(char *path)
{
    char *out = path;
    for (const char *in = path; *in;) {
        size_t len = 1 + strcspn(in + 1, "/");
        bool here = len == 2 && in[1] == '.', up = len == 3 && in[1] == '.' && in[2] == '.';
        while (up && out > path && *--out != '/')
            ;
        if (!here && !up) {
            memmove(out, in, len);
            out += len;
        } else if (!in[len]) {
            *out++ = '/';
        }
        in += len;
    }
    *out = '\0';
}

const char *reference_resolve(const char *target, const char *reference, struct arena *arena)
{
    size_t path = strcspn(target, "?"), directory = path, own_path = strcspn(reference, "?#");
    if (has_scheme(reference) || *reference == '/')
        return reference;
    if (!own_path)
        return arena_printf(arena, "%.*s%s", (int)(*reference == '?' ? path : strlen(target)), target, reference);
    while (directory && target[directory - 1] != '/')
        directory--;
    char *merged = arena_printf(arena, "%.*s%.*s", (int)directory, target, (int)own_path, reference);
    remove_dots(merged);
    /* two slashes at the beginning would be a host (section 5.3) */
    return arena_printf(arena, "%s%s%s", merged[1] == '/' ? "/." : "", merged, reference + own_path);
}
