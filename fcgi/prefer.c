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

/* One preference: from name to end as it was written, with what follows the name. */
struct item {
    const char *name, *end;
    size_t name_len;
    const char *rest; /* behind the name and blanks: "=", ";", or end */
};

/* Reads the preference at P into *OUT; returns where the next one begins. */
static const char *read_item(const char *p, struct item *out)
{
    out->name = skip_blanks(p);
    out->name_len = strcspn(out->name, " \t=;,");
    out->rest = skip_blanks(out->name + out->name_len);
    out->end = find_outside_quotes(out->rest, ",");
    return out->end + (*out->end == ',');
}

static bool is_named(const struct item *i, const char *name)
{
    return strlen(name) == i->name_len && strncasecmp(i->name, name, i->name_len) == 0;
}

int prefer_wait(const char *header)
{
    struct item i;
    for (const char *p = header; *p;) {
        p = read_item(p, &i);
        if (is_named(&i, "wait"))
            return *i.rest == '=' ? parse_seconds(skip_blanks(i.rest + 1)) : -1;
    }
    return -1;
}

bool prefer_has(const char *header, const char *name)
{
    struct item i;
    for (const char *p = header; *p;) {
        p = read_item(p, &i);
        if (is_named(&i, name))
            return true;
    }
    return false;
}

void prefer_without(const char *header, const char *const *names, size_t count, struct buf *out)
{
    struct item i;
    bool any = false;
    for (const char *p = header; *p;) {
        p = read_item(p, &i);
        bool dropped = !i.name_len;
        for (size_t k = 0; k < count; k++)
            dropped |= is_named(&i, names[k]);
        if (dropped)
            continue;
        buf_adds(out, any ? ", " : "");
        buf_add(out, i.name, (size_t)(i.end - i.name));
        any = true;
    }
}
