/* SPDX-License-Identifier: MIT */
/* response.h: an answer, collected in memory and sent as a whole: nothing leaves before the handler
 * has succeeded. */
#ifndef FCGI_RESPONSE_H
#define FCGI_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "fcgi/problem.h"
#include "fcgi/transport.h"

/* Handlers write into body directly and call the functions below for all else. */
struct response {
    int status;      /* 0 until somebody has set it */
    struct buf head; /* header lines after Status */
    struct buf body;
    bool bad_header; /* a header would have broken out of its line: the answer becomes a 500 */
    const char *reason; /* NULL: the usual one of the status */
    int file;           /* its content is sent in place of body, and head as it is; -1: none */
    uint64_t file_at, file_bytes;
};

void response_init(struct response *r);  /* before the first use */
void response_clear(struct response *r); /* for the next request; keeps memory, but not much of it */
void response_free(struct response *r);

/* One header line. A control character in VALUE spoils the answer rather than the head. */
void response_header(struct response *r, const char *name, const char *value);

/* STATUS with the JSON that stands in the body. A 200 may be kept by the browser, which must ask whether
 * it still holds; nothing else may be stored, and nothing at all by caches of others. */
void response_json(struct response *r, int status);

void response_no_content(struct response *r); /* 204 */

/* Throws away what has been collected and makes it the problem. Returns false, so that a check can
 * end with it. DETAIL is one sentence for a person, NULL = the usual one. */
bool response_problem(struct response *r, enum problem p, const char *detail);
bool response_problem_faults(struct response *r, enum problem p, const char *detail,
                             const struct fault *faults, size_t count);

/* Makes it an answer that somebody else has given: STATUS, REASON (NULL: the usual one; it must outlive the
 * sending) and, as body, BYTES of FILE from AT on. FILE is closed with the answer. */
void response_stored(struct response *r, int status, const char *reason, int file, uint64_t at, uint64_t bytes);

/* "Retry-After: N", at least 1. */
void response_retry_after(struct response *r, int64_t usec);

/* Gives a 200 its strong ETag, made of the body. Where IF_MATCH (the header's value or NULL) does not name it, the
 * answer becomes 412; else, where IF_NONE_MATCH (likewise) does, 304 without a body. */
void response_etag(struct response *r, const char *if_match, const char *if_none_match);

enum { ETAG_SIZE = 2 + 32 + 1 };
void etag_of(struct buf *body, char tag[ETAG_SIZE]);

/* Whether LIST, of a header If-Match or If-None-Match, has TAG or is "*". */
enum etag_comparison { ETAG_WEAK, ETAG_STRONG };
bool etag_list_has(const char *list, const char *tag, enum etag_comparison how) MUST_USE;

/* Sends it. HEAD_ONLY: without the body, Content-Length as if it were there. */
int response_send(struct response *r, struct transport *t, bool head_only) MUST_USE;

#endif
