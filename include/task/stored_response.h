/* SPDX-License-Identifier: MIT */
/* stored_response.h: the form of a kept HTTP response: one line of JSON that says status, reason and headers,
 * then the body's bytes up to the end of the file. The runner writes it while the response comes in, so the line
 * does not say how long the body is. */
#ifndef TASK_STORED_RESPONSE_H
#define TASK_STORED_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"

enum { STORED_HEAD_MAX = 1024 * 1024 }; /* bytes of the line */

/* Header values are bytes (RFC 9110 section 5.5): without CR, LF and NUL, but not always UTF-8. */
struct stored_header {
    const char *name, *value;
};

struct stored_response {
    unsigned status;    /* 200 to 999: never an interim one */
    const char *reason; /* "" where the site sent none */
    struct stored_header *headers; /* in the order in which they came, duplicates too */
    size_t header_count;
    uint64_t body_at, body_bytes; /* where the body is in the file; filled by stored_response_read */
};

struct json_object;

/* A JSON string in which each byte of S is the character of that number: so headers in any encoding survive.
 * Requests are kept in the same way. */
void header_bytes_json(struct buf *out, const char *s);

/* The bytes that the JSON string V stands for, from ARENA; NULL where it is none, or has a character beyond
 * U+00FF or a control character that no header may have. */
const char *header_bytes_get(struct json_object *v, struct arena *arena);

/* Whether S is a token (RFC 9110 section 5.6.2), as names of headers and methods are: what else stood there would
 * break out of its line. */
bool header_is_token(const char *s);

/* Whether the header NAME is of one connection only (RFC 9110 section 7.6.1), whatever Connection says. */
bool header_is_of_connection(const char *name);

/* Whether NAME stands in LIST, whose words are divided by commas. SAME compares them as strncasecmp does. */
bool header_list_has(const char *list, const char *name, int (*same)(const char *a, const char *b, size_t len));

/* Appends the line to OUT. In its JSON each byte of a name or value is the character of that number, so that
 * values which are no UTF-8 survive. */
void stored_response_head(const struct stored_response *r, struct buf *out);

/* Reads one line of LEN bytes without its newline; strings live in ARENA. ERR_INVALID for what
 * stored_response_head has not written. */
int stored_response_parse(const char *line, size_t len, struct arena *arena, struct stored_response *out,
                          struct error *e) MUST_USE;

/* Reads the head of the file FD, whose offset it does not touch. ERR_IO or ERR_INVALID. */
int stored_response_read(int fd, struct arena *arena, struct stored_response *out, struct error *e) MUST_USE;

#endif
