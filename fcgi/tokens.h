/* SPDX-License-Identifier: MIT */
/* tokens.h: whose API token it is, remembered for a few seconds, so that a request seldom asks the database
 * and a revoked token is soon refused. Keeps no secret, only fingerprints. Any thread. */
#ifndef FCGI_TOKENS_H
#define FCGI_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct backend;
struct tokens;

struct tokens *tokens_create(struct backend *b) MUST_USE;
void tokens_destroy(struct tokens **t); /* NULL is accepted */

/* ERR_NOT_FOUND where TEXT is no valid token; else as backend_call. */
int tokens_find(struct tokens *t, const char *text, int64_t *user, bool *admin, struct error *e) MUST_USE;

/* The token of an Authorization header with the scheme Bearer (RFC 6750 section 2.1), NULL for another
 * scheme. */
const char *bearer_token(const char *header);

#endif
