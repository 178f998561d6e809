/* SPDX-License-Identifier: MIT */
/* log.h: one line per event on standard error, written with one write(2), so that lines of several
 * processes and threads never mix. The line: instant in UTC, program[pid], level, text. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/compiler.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Names the program (static storage expected) and sets what is written. Before the call: "backdesk",
 * info. Other threads may log meanwhile. */
void log_open(const char *program, enum log_level level);

/* Control characters (of Unicode too), line separators and bytes that are not UTF-8 are written as \xHH each, so that
 * nobody forges a line. */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* For what cannot happen: writes the line and aborts the process that has the bug. */
void log_bug(const char *fmt, ...) PRINTF_LIKE(1, 2) NO_RETURN;

#endif
