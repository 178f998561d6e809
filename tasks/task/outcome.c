/* SPDX-License-Identifier: MIT */
/* outcome.c: how a run says that it failed. */
#include <stdarg.h>
#include <stdio.h>

#include "task/run.h"

int run_fail(struct run_outcome *o, enum run_end end, const char *code, const char *fmt, ...)
{
    o->end = end;
    snprintf(o->code, sizeof o->code, "%s", code);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(o->message, sizeof o->message, fmt, ap);
    va_end(ap);
    return ERR_INVALID;
}
