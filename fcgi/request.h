/* SPDX-License-Identifier: MIT */
/* request.h: the checks that a request passes before its handler sees it, in the order of the
 * functions. Each returns true, or false with the refusal in the response. */
#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct exchange;

/* How many bytes a body may have, and the setting that says so; NULL: none does. */
struct body_limit {
    uint64_t bytes;
    const char *setting;
};

bool request_find_route(struct exchange *x) MUST_USE;     /* 404, 405 */
bool request_check_identity(struct exchange *x) MUST_USE; /* 401, 403, 503 */
bool request_check_visitor(struct exchange *x) MUST_USE;  /* of a deferred request: 401 */
bool request_check_site(struct exchange *x) MUST_USE;     /* 403 */
bool request_read_query(struct exchange *x) MUST_USE;     /* 400 */
bool request_read_body(struct exchange *x) MUST_USE;      /* 400, 413, 415; BODY_STREAM: not read */
bool request_check_task(struct exchange *x) MUST_USE;     /* 404, 503; after its lookup */
bool request_find_export(struct exchange *x) MUST_USE;    /* 404, 503 */

/* 413, with the limit for whoever has to stay below it, or to raise it. Returns false. */
bool request_refuse_size(struct exchange *x, struct body_limit limit);

/* The header whose parameter is NAME ("HTTP_PREFER"), all of whose lines are one list (RFC 9110 section 5.3); NULL:
 * there is none. Lives as long as the request. */
const char *request_list(struct exchange *x, const char *name) MUST_USE;

/* CONTENT_LENGTH: -1 where it is missing (chunked), -2 where it is no number. */
int64_t request_content_length(struct exchange *x);

/* The same of TEXT, "" or NULL: missing. */
int64_t request_length(const char *text);

#endif
