/* SPDX-License-Identifier: MIT */
/* error.h: the one error convention. A function that can fail returns 0 (or a count) or a negative
 * enum err and leaves the detail, one line for a person, in a struct error. A bug aborts instead
 * (see log.h: log_bug). */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/compiler.h"

/* name, value, stable text */
#define ERR_TABLE(X)                                                                         \
    X(ERR_INVALID, -1, "invalid input")                                                      \
    X(ERR_NOT_FOUND, -2, "not found")                                                        \
    X(ERR_CONFLICT, -3, "conflict with the present state")                                   \
    X(ERR_DENIED, -4, "not permitted")                                                       \
    X(ERR_LIMIT, -5, "limit reached")                                                        \
    X(ERR_IO, -6, "input or output failed")                                                  \
    X(ERR_FENCED, -7, "the claim has been lost")                                             \
    X(ERR_CANCELLED, -8, "cancelled")                                                        \
    X(ERR_TIMEOUT, -9, "time is up")                                                         \
    X(ERR_DB_GONE, -10, "no connection to the database")                                     \
    X(ERR_DB_RETRY, -11, "the database asks to repeat the transaction")                      \
    X(ERR_DB_REFUSED, -12, "the database refused a value")                                   \
    X(ERR_DB, -13, "database error")                                                         \
    X(ERR_SYSTEM, -14, "system error")

#define ERR_ENUM(name, value, text) name = (value),
enum err { ERR_NONE = 0, ERR_TABLE(ERR_ENUM) };
#undef ERR_ENUM

/* What went wrong, for a person. Zero-initialise it; an error that is set takes the place of
 * the one before. */
struct error {
    int code;       /* 0 or a negative enum err */
    int db_errno;   /* the server's error number where the code is one of ERR_DB*, else 0 */
    char text[496]; /* one line, UTF-8, cut behind a character if need be */
};

/* Stores CODE and the formatted text in E (which may be NULL) and returns CODE. */
int error_set(struct error *e, enum err code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Like error_set, with ": " and strerror(errno) behind the text. */
int error_errno(struct error *e, enum err code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "<formatted text>: " before the text that E (which may be NULL) holds, and keeps its code. */
void error_prefix(struct error *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

void error_clear(struct error *e);

/* The stable text of a code; "no error" for 0. Static storage. */
const char *err_text(int code);

#endif
