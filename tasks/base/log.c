/* SPDX-License-Identifier: MIT */
/* log.c: writes log lines to standard error. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

/* Set once by log_open before threads start; the only mutable state of this layer. */
static struct {
    const char *program;
    enum log_level level;
} settings = {"backdesk", LOG_LEVEL_INFO};

void log_open(const char *program, enum log_level level)
{
    settings.program = program;
    settings.level = level;
}

/* Copies TEXT behind LINE[at], control characters escaped; returns the new end. */
static size_t put_escaped(char *line, size_t at, size_t size, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p && at + 6 < size; p++) {
        if (*p < 0x20 || *p == 0x7f)
            at += (size_t)snprintf(line + at, size - at, "\\x%02x", *p);
        else
            line[at++] = (char)*p;
    }
    return at;
}

static void write_line(enum log_level level, const char *fmt, va_list ap)
{
    if (level > settings.level)
        return;
    int saved = errno;
    char text[1500], line[2048];
    vsnprintf(text, sizeof text, fmt, ap);

    char when[INSTANT_TEXT_SIZE];
    instant_format(clock_wall_usec(), when);
    size_t at = (size_t)snprintf(line, sizeof line, "%s %s[%ld] %s: ", when, settings.program, (long)getpid(),
                                 level_names[level]);
    at = put_escaped(line, at, sizeof line, text);
    line[at++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, at);
    (void)ignored; /* there is nowhere to report it */
    errno = saved;
}

#define LOG_BODY(level)           \
    va_list ap;                   \
    va_start(ap, fmt);            \
    write_line((level), fmt, ap); \
    va_end(ap)

void log_error(const char *fmt, ...)
{
    LOG_BODY(LOG_LEVEL_ERROR);
}

void log_warning(const char *fmt, ...)
{
    LOG_BODY(LOG_LEVEL_WARNING);
}

void log_info(const char *fmt, ...)
{
    LOG_BODY(LOG_LEVEL_INFO);
}

void log_debug(const char *fmt, ...)
{
    LOG_BODY(LOG_LEVEL_DEBUG);
}

void log_bug(const char *fmt, ...)
{
    LOG_BODY(LOG_LEVEL_ERROR);
    abort();
}
