/* SPDX-License-Identifier: MIT */
/* idempotency.h: reads Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07) and makes the
 * fingerprint of a body. Looks nothing up. */
#ifndef FCGI_IDEMPOTENCY_H
#define FCGI_IDEMPOTENCY_H

#include <stddef.h>

#include "base/compiler.h"

enum { IDEMPOTENCY_KEY_SIZE = 256, BODY_HASH_SIZE = 65 };

/* Reads a key of 1 to 255 visible ASCII characters, either a structured string ("a\"b", RFC 8941 section
 * 3.3.3) or the same without quotes, as many clients send it. 0 or ERR_INVALID. */
int idempotency_key_parse(const char *header, char out[IDEMPOTENCY_KEY_SIZE]) MUST_USE;

/* SHA-256 in hex digits. */
void body_hash(const void *body, size_t len, char out[BODY_HASH_SIZE]);

#endif
