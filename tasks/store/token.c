/* SPDX-License-Identifier: MIT */
/* token.c: API tokens. */
#include "store/token.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "impl.h"

enum { HASH_SIZE = 65, SECRET_DIGITS = 40 };

static const char prefix[] = "bd_";

static void hash_text(const char *text, char out[HASH_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1)
        log_bug("SHA-256 is not available");
    hex_write(out, digest, len);
}

int store_find_token(struct store *s, const char *text, int64_t *user, bool *is_admin,
                     struct error *e)
{
    char hash[HASH_SIZE];
    struct db_stmt *r;
    hash_text(text, hash);
    int64_t rc = STORE_RUN(s, ST_TOKEN_FIND, &r, e, db_text(hash));
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc < 0)
        return (int)rc;
    if (rc == 0)
        return error_set(e, ERR_NOT_FOUND, "the token is unknown, expired or revoked");
    const char *role = db_col_text(r, 1, NULL);
    *user = db_col_int(r, 0);
    *is_admin = role && strcmp(role, "admin") == 0;
    return 0;
}

/* Opens a connection for one statement of the command line. */
static int run(const struct db_address *address, const char *sql, const struct db_value *params,
               unsigned count, struct db **d, struct db_stmt **stmt, int64_t *rows, struct error *e)
{
    struct db_options options = {.session = DB_SESSION_QUEUE};
    int rc = db_open(address, &options, d, e);
    if (!rc)
        rc = db_prepare(*d, sql, stmt, e);
    if (rc)
        return rc;
    *rows = db_run(*stmt, params, count, e);
    return *rows < 0 ? (int)*rows : 0;
}

int store_token_create(const struct db_address *address, int64_t user, const char *role,
                       const char *label, int64_t expires_usec, char text[TOKEN_SIZE],
                       struct error *e)
{
    char hash[HASH_SIZE];
    memcpy(text, prefix, sizeof prefix);
    random_hex(text + sizeof prefix - 1, SECRET_DIGITS);
    hash_text(text, hash);
    struct db_value params[] = {db_int(user), db_text(role), db_text(label), db_text(hash),
                                db_int(expires_usec)};
    struct db *d = NULL;
    struct db_stmt *stmt;
    int64_t rows;
    int rc = run(address,
                 "INSERT INTO api_tokens (user_id, role, label, hash, expires_at)"
                 " VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6) + INTERVAL NULLIF(?, 0) MICROSECOND)",
                 params, COUNT_OF(params), &d, &stmt, &rows, e);
    db_close(&d);
    return rc;
}

int store_token_list(const struct db_address *address,
                     void (*tell)(void *ctx, const struct token_row *row), void *ctx,
                     struct error *e)
{
    struct db *d = NULL;
    struct db_stmt *r;
    int64_t rows;
    struct arena *arena = arena_create();
    int rc = run(address,
                 "SELECT id, user_id, role, label, created_at, expires_at, revoked_at FROM api_tokens"
                 " ORDER BY id DESC",
                 NULL, 0, &d, &r, &rows, e);
    while (!rc && (rc = db_next(r, e)) > 0) {
        struct token_row row = {
            .id = db_col_uint(r, 0),
            .user = db_col_int(r, 1),
            .role = store_text(r, 2, arena),
            .label = store_text(r, 3, arena),
            .created_at = db_col_instant(r, 4),
            .expires_at = db_col_instant(r, 5),
            .revoked_at = db_col_instant(r, 6),
        };
        tell(ctx, &row);
        arena_reset(arena);
        rc = 0;
    }
    db_close(&d);
    arena_destroy(&arena);
    return rc;
}

int store_token_revoke(const struct db_address *address, uint64_t id, struct error *e)
{
    struct db *d = NULL;
    struct db_stmt *stmt;
    int64_t rows = 0;
    struct db_value param = db_uint(id);
    int rc = run(address,
                 "UPDATE api_tokens SET revoked_at = UTC_TIMESTAMP(6) WHERE id = ? AND revoked_at IS NULL",
                 &param, 1, &d, &stmt, &rows, e);
    db_close(&d);
    if (!rc && rows == 0)
        rc = error_set(e, ERR_NOT_FOUND, "there is no valid token %llu", (unsigned long long)id);
    return rc;
}
