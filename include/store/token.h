/* SPDX-License-Identifier: MIT */
/* token.h: API tokens, the second way to an identity. The secret is shown once and stored as a hash. */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "store/store.h"
#include "store/task.h"

/* "bd_" and 40 hex digits; 160 random bits, so that a plain SHA-256 is enough of a hash. */
enum { TOKEN_SIZE = 44 };

/* Whose token TEXT is: 0 with *USER and *IS_ADMIN, ERR_NOT_FOUND where it is unknown, expired or revoked. */
int store_find_token(struct store *s, const char *text, int64_t *user, bool *is_admin,
                     struct error *e) MUST_USE;

struct token_row {
    uint64_t id;
    int64_t user;
    struct text role, label;
    int64_t created_at, expires_at, revoked_at;
};

/* For the operator's command line, over the migration account at ADDRESS. EXPIRES_USEC from now, 0 = never;
 * ROLE "admin" or NULL. TEXT gets the secret. */
int store_token_create(const struct db_address *address, int64_t user, const char *role,
                       const char *label, int64_t expires_usec, char text[TOKEN_SIZE],
                       struct error *e) MUST_USE;

/* All tokens, newest first, told one by one. */
int store_token_list(const struct db_address *address,
                     void (*tell)(void *ctx, const struct token_row *row), void *ctx,
                     struct error *e) MUST_USE;

/* ERR_NOT_FOUND where no valid token has the number. */
int store_token_revoke(const struct db_address *address, uint64_t id, struct error *e) MUST_USE;

#endif
