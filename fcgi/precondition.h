/* SPDX-License-Identifier: MIT */
/* precondition.h: the tag of what is shown, and requests that hold only for what has one of the tags that they name
 * (RFC 9110 section 13.1). */
#ifndef FCGI_PRECONDITION_H
#define FCGI_PRECONDITION_H

#include "base/compiler.h"
#include "base/error.h"

struct exchange;
struct store;

/* For handlers that have written a 200: gives it its ETag, and makes it 412 or 304 where If-Match or If-None-Match ask
 * for that. If-Match counts when the request comes, not once its answer has been held. */
void precondition_tag(struct exchange *x);

/* As backend_call with BACKEND_CHANGE, for what CALL does to the task of the request. With If-Match, CALL and the
 * look at the task are one transaction; ERR_FENCED where the task has none of the tags. What CALL refuses anyway is
 * refused as ever (section 13.2.1). */
int precondition_change(struct exchange *x, int (*call)(struct store *s, void *context, struct error *e), void *context,
                        struct error *e) MUST_USE;

#endif
