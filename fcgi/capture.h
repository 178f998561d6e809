/* SPDX-License-Identifier: MIT */
/* capture.h: a deferred request of the site as nginx hands it over: nginx/backdesk-defer.conf says what each
 * parameter means. A client sets none of them: what it sends arrives as HTTP_*. */
#ifndef FCGI_CAPTURE_H
#define FCGI_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "fcgi/kept_headers.h"

struct exchange;

/* What asked for the deferral. */
enum capture_interface {
    CAPTURE_PREFER, /* Prefer: respond-async */
    CAPTURE_ARANGO, /* x-arango-async */
    CAPTURE_ALWAYS, /* nobody: the location is deferred for everybody */
};

struct capture {
    enum capture_interface interface;
    bool forget; /* nobody wants the response */
    const char *site, *method, *target, *host, *scheme, *address;
    int64_t length; /* of the body, as the client says; -1: unknown */
    struct kept_headers headers;
};

/* Whether nginx wants X to be deferred, whatever its path. */
bool capture_wanted(struct exchange *x);

/* Reads all but the body. False: a refusal stands in the response. capture_free either way. */
bool capture_read(struct exchange *x, struct capture *out) MUST_USE;
void capture_free(struct capture *c);

/* The task's data; see store/http_request.h. */
void capture_data(const struct capture *c, int64_t user, uint64_t body_bytes, struct buf *out);

#endif
