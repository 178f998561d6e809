/* SPDX-License-Identifier: MIT */
/* problem.h: refusals as application/problem+json (RFC 9457), from one table. */
#ifndef FCGI_PROBLEM_H
#define FCGI_PROBLEM_H

#include "base/buf.h"
#include "base/compiler.h"

enum problem {
#define PROBLEM(code, status, text) PROBLEM_##code,
#include "fcgi/problems.def"
#undef PROBLEM
    PROBLEM_COUNT
};

struct fault;

int problem_status(enum problem p);

/* The standard phrase of a status code (RFC 9110 section 15): the title of our problems, whose type is
 * about:blank, and the text of the Status line. "Unknown" for one that is not used here. */
const char *status_phrase(int status);

/* Writes the JSON. DETAIL NULL: the table's. FAULTS becomes errors: [{pointer, detail}]; none where
 * COUNT is 0. */
void problem_json(struct buf *out, enum problem p, const char *detail, const struct fault *faults,
                  size_t count);

#endif
