/* SPDX-License-Identifier: MIT */
/* request.h: a deferred request as its task's data tells of it (the members are listed in
 * store/http_request.h), and whether it may be sent twice. */
#ifndef TASK_REQUEST_H
#define TASK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/settings.h"
#include "task/stored_response.h"

struct request_headers {
    struct stored_header *items;
    size_t count;
};

struct deferred_request {
    const char *site, *method, *target, *host, *address;
    struct request_headers headers; /* those that are no secret */
    uint64_t body_bytes;
    int64_t user;
    bool forget; /* nobody wants the response */
};

/* What may be a request's target: a path, perhaps with a query, as it is sent; its host, perhaps with a port; and the
 * address of its client, "" where it has none (on a Unix socket, say). */
bool request_is_target(const char *s);
bool request_is_host(const char *s);
bool request_is_address(const char *s);

/* Reads DATA, of which nothing is taken for granted: what is accepted can be put into a request without
 * becoming another one. Strings live in ARENA. ERR_INVALID. */
int deferred_request_parse(const char *data, size_t len, struct arena *arena, struct deferred_request *out,
                           struct error *e) MUST_USE;

/* Reads [["Name", "value"], ...], as the secret headers are kept. ERR_INVALID. */
int request_headers_parse(const char *text, size_t len, struct arena *arena, struct request_headers *out,
                          struct error *e) MUST_USE;

/* Whether a request's header NAME is neither kept nor sent again: it is of one connection (RFC 9110 section 7.6.1),
 * made anew, asked for the deferral, says what only we may say, or becomes HTTP_PROXY in the environment of CGI
 * programs. */
bool request_header_is_dropped(const char *name);

/* Whether R may reach SITE (NULL: not known) twice: its method is idempotent (RFC 9110 section 9.2.2), or the
 * operator says so of its URI. */
bool deferred_request_is_repeatable(const struct deferred_request *r, const struct site_def *site);

#endif
