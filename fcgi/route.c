/* SPDX-License-Identifier: MIT */
/* route.c: matches paths against routes.def. */
#include "fcgi/route.h"

#include <stdio.h>
#include <string.h>

const struct route routes[] = {
#define ROUTE(method, path, handler, right, body, query, text) \
    {METHOD_##method, path, handle_##handler, right, body, query, text},
#include "fcgi/routes.def"
#undef ROUTE
};
const size_t route_count = COUNT_OF(routes);

static const char *const method_names[] = {
    [METHOD_GET] = "GET",
    [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",
    [METHOD_DELETE] = "DELETE",
};

enum method method_parse(const char *name, bool *head)
{
    *head = strcmp(name, "HEAD") == 0;
    if (*head)
        return METHOD_GET;
    for (size_t i = 0; i < COUNT_OF(method_names); i++)
        if (strcmp(name, method_names[i]) == 0)
            return (enum method)i;
    return METHOD_OTHER;
}

/* Reads a number at *P and moves it behind. */
static bool match_id(const char **p, uint64_t *id)
{
    const char *digit = *p;
    if (*digit < '1' || *digit > '9')
        return false;
    uint64_t n = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        if (n > (INT64_MAX - (uint64_t)(*digit - '0')) / 10)
            return false;
        n = n * 10 + (uint64_t)(*digit - '0');
    }
    *p = digit;
    *id = n;
    return true;
}

static bool match_path(const char *pattern, const char *path, uint64_t *id)
{
    *id = 0;
    while (*pattern) {
        if (strcmp(pattern, "{rest}") == 0)
            return true;
        if (strncmp(pattern, "{id}", 4) == 0) {
            if (!match_id(&path, id))
                return false;
            pattern += 4;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static void allow_add(char allow[ALLOW_SIZE], const char *name)
{
    size_t used = strlen(allow);
    if (strstr(allow, name)) /* none is a part of another */
        return;
    snprintf(allow + used, ALLOW_SIZE - used, "%s%s", used ? ", " : "", name);
}

enum route_result route_find(enum method method, const char *path, const struct route **route,
                             uint64_t *id, char allow[ALLOW_SIZE])
{
    bool known = false;
    allow[0] = '\0';
    for (size_t i = 0; i < route_count; i++) {
        if (!match_path(routes[i].path, path, id))
            continue;
        if (routes[i].method == method) {
            *route = &routes[i];
            return ROUTE_FOUND;
        }
        known = true;
        allow_add(allow, method_names[routes[i].method]);
        if (routes[i].method == METHOD_GET)
            allow_add(allow, "HEAD");
    }
    return known ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}
