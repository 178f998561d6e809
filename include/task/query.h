/* SPDX-License-Identifier: MIT */
/* query.h: an operator's query with named parameters (:owner) made into text with ?
 * placeholders. Pure text work by the lexical rules of MySQL and MariaDB under their default
 * sql_mode (backslash escapes in strings, "..." is a string); it does not parse SQL. */
#ifndef TASK_QUERY_H
#define TASK_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"

enum { QUERY_NAME_MAX = 64, QUERY_PARAMS_MAX = 1000 };

/* A prepared text. Strings live in the arena that query_parse was given. */
struct query {
    const char *text;   /* one statement: ? for parameters, comments gone, no ; at the end; may be
                           put in parentheses */
    size_t len;
    const char **names; /* what each ? stands for, in order; a name may occur again */
    size_t count;
    int line; /* after a failure: where in the text the fault is, counted from 1 */
};

/* Reads SQL. Names are letters, digits and _, not starting with a digit; ::, := and anything in
 * strings, quoted identifiers and comments are no parameters. ERR_INVALID with the reason, and
 * its line in OUT, for: a ? placeholder, more than one statement, a text that does not
 * begin with SELECT or WITH (or parentheses before them), an executable comment, a string or
 * comment without end, NUL. */
int query_parse(const char *sql, size_t len, struct arena *arena, struct query *out,
                struct error *e) MUST_USE;

bool query_uses(const struct query *q, const char *name);

#endif
