/* SPDX-License-Identifier: MIT */
/* outcome.c: how a run says what has become of it. */
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "task/run.h"

void run_succeed(struct run_outcome *o)
{
    o->end = RUN_SUCCESS;
    o->code[0] = o->message[0] = '\0';
}

int run_fail(struct run_outcome *o, enum run_end end, const char *code, const char *fmt, ...)
{
    o->end = end;
    snprintf(o->code, sizeof o->code, "%s", code);
    va_list ap;
    va_start(ap, fmt);
    utf8_finish(o->message, sizeof o->message, vsnprintf(o->message, sizeof o->message, fmt, ap));
    va_end(ap);
    return ERR_INVALID;
}
