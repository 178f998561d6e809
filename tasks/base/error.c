/* SPDX-License-Identifier: MIT */
/* error.c: fills struct error. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_text(struct error *e, enum err code, const char *fmt, va_list ap)
{
    e->code = code;
    e->db_errno = 0;
    vsnprintf(e->text, sizeof e->text, fmt, ap);
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
        size_t used = strlen(e->text);
        char reason[128];
        snprintf(e->text + used, sizeof e->text - used, ": %s",
                 strerror_r(saved, reason, sizeof reason));
    }
    errno = saved;
    return code;
}

int error_prefix(struct error *e, const char *fmt, ...)
{
    if (!e)
        return ERR_INVALID;
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %s", old);
    return e->code;
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
