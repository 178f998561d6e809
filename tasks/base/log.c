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
#include "base/utf8.h"

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

/* Set by log_open, at the start and where settings are read again; the only mutable state of this layer. */
static struct {
    _Atomic(const char *) program;
    _Atomic(enum log_level) level;
} settings = {"backdesk", LOG_LEVEL_INFO};

void log_open(const char *program, enum log_level level)
{
    settings.program = program;
    settings.level = level;
}

/* Whether the N bytes at P, a character of UTF-8, might move a terminal or make a reader see another line: C0, DEL, C1,
 * and the separators U+2028 and U+2029. */
static bool is_control(const unsigned char *p, size_t n)
{
    if (n == 1)
        return *p < 0x20 || *p == 0x7f;
    if (n == 2)
        return p[0] == 0xc2 && p[1] < 0xa0;
    return n == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9);
}

/* Copies TEXT behind LINE[at], control characters and what is not UTF-8 escaped; returns the new end. */
static size_t put_escaped(char *line, size_t at, size_t size, const char *text)
{
    enum { ROOM = 14 }; /* for three bytes as \xHH, a newline and a NUL */
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    while (p < end && at + ROOM <= size) {
        size_t n = utf8_sequence(p, (size_t)(end - p));
        bool escape = !n || is_control(p, n);
        for (const unsigned char *stop = p + (n ? n : 1); p < stop; p++) {
            if (escape)
                at += (size_t)snprintf(line + at, size - at, "\\x%02x", *p);
            else
                line[at++] = (char)*p;
        }
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
