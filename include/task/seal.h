/* SPDX-License-Identifier: MIT */
/* seal.h: encrypts what must not be read from the database: AES-256-GCM (NIST SP 800-38D) with the key of the
 * configuration. A sealed text is a version byte, 4 bytes that name the key, a random nonce of 12 bytes, the
 * ciphertext and a tag of 16 bytes. */
#ifndef TASK_SEAL_H
#define TASK_SEAL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"

enum { SEAL_KEY_SIZE = 32, SEAL_KEY_ID_SIZE = 4, SEAL_NONCE_SIZE = 12, SEAL_TAG_SIZE = 16 };

struct seal_key {
    unsigned char bytes[SEAL_KEY_SIZE];
    unsigned char id[SEAL_KEY_ID_SIZE]; /* follows from the bytes and tells nothing of them */
};

/* Reads 64 hex digits. ERR_INVALID. */
int seal_key_read(const char *hex, struct seal_key *out, struct error *e) MUST_USE;

/* Appends the sealed PLAIN to OUT. It opens only with the same key and the same CONTEXT, which is not part of
 * it: so nobody who may write to the database can put it where it does not belong. ERR_SYSTEM. */
int seal_close(const struct seal_key *key, const struct buf *context, const void *plain, size_t len,
               struct buf *out, struct error *e) MUST_USE;

/* Appends the plain text to OUT. ERR_DENIED: it was sealed with another key; ERR_INVALID: it has been changed
 * or belongs to another context, and OUT is as it was. */
int seal_open(const struct seal_key *key, const struct buf *context, const void *sealed, size_t len,
              struct buf *out, struct error *e) MUST_USE;

/* The context of a deferred request's secret headers (JSON [["Name", "value"], ...]): where they may go. */
void seal_request_context(struct buf *out, const char *site, const char *method, const char *target);

#endif
