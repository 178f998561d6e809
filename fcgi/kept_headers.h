/* SPDX-License-Identifier: MIT */
/* kept_headers.h: which headers of a deferred request are kept for its replay, and which of them are secret.
 * FastCGI hands headers over as HTTP_NAME=value; the case of a name is lost, which means nothing (RFC 9110
 * section 5.1). */
#ifndef FCGI_KEPT_HEADERS_H
#define FCGI_KEPT_HEADERS_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/settings.h"

/* JSON, [["Name", "value"], ...], in the order of the request, duplicates kept. */
struct kept_headers {
    struct buf shown;
    struct buf secret; /* Cookie, Authorization and defer.secret_headers */
};

#define KEPT_HEADERS_INIT {BUF_INIT, BUF_INIT}

/* Chooses among PARAMS ("NAME=value", NULL at the end). Not kept are headers of one connection only (RFC 9110
 * section 7.6.1) and those that Connection names, what the replay makes anew, what asked for the deferral, names
 * that mean something to nginx or to Backdesk, and defer.drop_headers. ERR_INVALID: a value has a control
 * character. */
int kept_headers_choose(const char *const *params, const struct defer_settings *defer, struct kept_headers *out,
                        struct error *e) MUST_USE;

void kept_headers_free(struct kept_headers *h);

#endif
