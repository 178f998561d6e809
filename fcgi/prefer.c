/* SPDX-License-Identifier: MIT */
/* prefer.c: finds a preference among others. */
#include "fcgi/prefer.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* The next character of STOP that is not inside quotes, or the end. */
static const char *find_outside_quotes(const char *p, const char *stop)
{
    bool quoted = false;
    for (; *p && (quoted || !strchr(stop, *p)); p++) {
        if (quoted && *p == '\\' && p[1])
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    return p;
}

/* A number, with or without quotes, and nothing behind it. */
static int parse_seconds(const char *p)
{
    bool quoted = *p == '"';
    int n = 0;
    p += quoted;
    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++)
        n = n > PREFER_WAIT_MAX ? n : n * 10 + (*p - '0');
    if (quoted && *p++ != '"')
        return -1;
    p = skip_blanks(p);
    if (*p && *p != ',' && *p != ';')
        return -1;
    return n < PREFER_WAIT_MAX ? n : PREFER_WAIT_MAX;
}

int prefer_wait(const char *header)
{
    static const char name[] = "wait";
    for (const char *p = header; *p;) {
        p = skip_blanks(p);
        const char *end = p + strcspn(p, " \t=;,");
        bool found = (size_t)(end - p) == sizeof name - 1 && strncasecmp(p, name, sizeof name - 1) == 0;
        end = skip_blanks(end);
        if (found)
            return *end == '=' ? parse_seconds(skip_blanks(end + 1)) : -1;
        p = find_outside_quotes(end, ",");
        if (*p == ',')
            p++;
    }
    return -1;
}
