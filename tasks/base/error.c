/* SPDX-License-Identifier: MIT */
/* error.c: fills struct error. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void set_text(struct error *e, enum err code, const char *fmt, va_list ap)
{
    e->code = code;
    e->db_errno = 0;
    utf8_finish(e->text, sizeof e->text, vsnprintf(e->text, sizeof e->text, fmt, ap));
}

/* Adds ": MORE". */
static void add_text(struct error *e, const char *more)
{
    size_t used = strlen(e->text), room = sizeof e->text - used;
    utf8_finish(e->text + used, room, snprintf(e->text + used, room, ": %s", more));
}

int error_set(struct error *e, enum err code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        set_text(e, code, fmt, ap);
        va_end(ap);
    }
    return code;
}

int error_errno(struct error *e, enum err code, const char *fmt, ...)
{
    int saved = errno;
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        set_text(e, code, fmt, ap);
        va_end(ap);
        char reason[128];
        add_text(e, strerror_r(saved, reason, sizeof reason));
    }
    errno = saved;
    return code;
}

void error_prefix(struct error *e, const char *fmt, ...)
{
    if (!e)
        return;
    struct error old = *e;
    va_list ap;
    va_start(ap, fmt);
    set_text(e, (enum err)old.code, fmt, ap);
    va_end(ap);
    e->db_errno = old.db_errno;
    add_text(e, old.text);
}

void error_clear(struct error *e)
{
    e->code = 0;
    e->db_errno = 0;
    e->text[0] = '\0';
}

const char *err_text(int code)
{
    switch (code) {
    case ERR_NONE:
        return "no error";
#define ERR_CASE(name, value, text) \
    case name:                      \
        return text;
        ERR_TABLE(ERR_CASE)
#undef ERR_CASE
    default:
        return "unknown error";
    }
}
