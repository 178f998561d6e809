/* SPDX-License-Identifier: MIT */
/* seal.c: AES-256-GCM by libcrypto. Knows nothing of what it seals. */
#include "task/seal.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"
#include "base/random.h"

enum { VERSION = 1, HEAD_SIZE = 1 + SEAL_KEY_ID_SIZE + SEAL_NONCE_SIZE, PLAIN_MAX = 1 << 24 };

int seal_key_read(const char *hex, struct seal_key *out, struct error *e)
{
    static const char salt[] = "backdesk: the name of a key";
    unsigned char digest[EVP_MAX_MD_SIZE], named[sizeof salt + SEAL_KEY_SIZE];
    if (strlen(hex) != 2 * SEAL_KEY_SIZE)
        return error_set(e, ERR_INVALID, "a key has %d hex digits", 2 * SEAL_KEY_SIZE);
    for (size_t i = 0; i < SEAL_KEY_SIZE; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return error_set(e, ERR_INVALID, "a key is made of hex digits");
        out->bytes[i] = (unsigned char)(high << 4 | low);
    }
    memcpy(named, salt, sizeof salt);
    memcpy(named + sizeof salt, out->bytes, SEAL_KEY_SIZE);
    if (EVP_Digest(named, sizeof named, digest, NULL, EVP_sha256(), NULL) != 1)
        return error_set(e, ERR_SYSTEM, "SHA-256 is not available");
    memcpy(out->id, digest, SEAL_KEY_ID_SIZE);
    return 0;
}

/* What is authenticated beside the ciphertext: the head without its nonce, and the context. */
static bool add_context(EVP_CIPHER_CTX *ctx, const unsigned char *head, const struct buf *context, bool sealing)
{
    int (*update)(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int) =
        sealing ? EVP_EncryptUpdate : EVP_DecryptUpdate;
    int n;
    return update(ctx, NULL, &n, head, 1 + SEAL_KEY_ID_SIZE) == 1 &&
           (!context->len ||
            update(ctx, NULL, &n, (const unsigned char *)context->data, (int)context->len) == 1);
}

static bool encrypt(EVP_CIPHER_CTX *ctx, const struct seal_key *key, const struct buf *context,
                    const void *plain, size_t len, unsigned char *out)
{
    int n, end;
    unsigned char *nonce = out + 1 + SEAL_KEY_ID_SIZE, *text = out + HEAD_SIZE;
    out[0] = VERSION;
    memcpy(out + 1, key->id, SEAL_KEY_ID_SIZE);
    random_bytes(nonce, SEAL_NONCE_SIZE);
    return ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, nonce) == 1 &&
           add_context(ctx, out, context, true) &&
           EVP_EncryptUpdate(ctx, text, &n, plain, (int)len) == 1 &&
           EVP_EncryptFinal_ex(ctx, text + n, &end) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, text + len) == 1;
}

int seal_close(const struct seal_key *key, const struct buf *context, const void *plain, size_t len,
               struct buf *out, struct error *e)
{
    if (len > PLAIN_MAX || context->len > PLAIN_MAX)
        return error_set(e, ERR_LIMIT, "%zu bytes are too many to be sealed", len);
    size_t size = HEAD_SIZE + len + SEAL_TAG_SIZE;
    buf_reserve(out, size);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool done = encrypt(ctx, key, context, plain, len, (unsigned char *)out->data + out->len);
    EVP_CIPHER_CTX_free(ctx);
    if (!done)
        return error_set(e, ERR_SYSTEM, "AES-256-GCM failed");
    out->len += size;
    return 0;
}

static bool decrypt(EVP_CIPHER_CTX *ctx, const struct seal_key *key, const struct buf *context,
                    const unsigned char *sealed, size_t len, unsigned char *out)
{
    unsigned char tag[SEAL_TAG_SIZE];
    int n, end;
    memcpy(tag, sealed + HEAD_SIZE + len, sizeof tag);
    return ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, sealed + 1 + SEAL_KEY_ID_SIZE) == 1 &&
           add_context(ctx, sealed, context, false) &&
           EVP_DecryptUpdate(ctx, out, &n, sealed + HEAD_SIZE, (int)len) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1 &&
           EVP_DecryptFinal_ex(ctx, out + n, &end) == 1;
}

int seal_open(const struct seal_key *key, const struct buf *context, const void *sealed, size_t len,
              struct buf *out, struct error *e)
{
    const unsigned char *head = sealed;
    if (len < HEAD_SIZE + SEAL_TAG_SIZE || len > PLAIN_MAX + HEAD_SIZE + SEAL_TAG_SIZE || head[0] != VERSION)
        return error_set(e, ERR_INVALID, "it is nothing that was sealed here");
    if (memcmp(head + 1, key->id, SEAL_KEY_ID_SIZE) != 0)
        return error_set(e, ERR_DENIED, "it was sealed with another key");
    size_t plain = len - HEAD_SIZE - SEAL_TAG_SIZE;
    buf_reserve(out, plain + 1);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool done = decrypt(ctx, key, context, head, plain, (unsigned char *)out->data + out->len);
    EVP_CIPHER_CTX_free(ctx);
    if (!done)
        return error_set(e, ERR_INVALID, "it has been changed, or belongs to something else");
    out->len += plain;
    return 0;
}

void seal_request_context(struct buf *out, const char *site, const char *method, const char *target)
{
    const char *const parts[] = {site, method, target};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        buf_add(out, parts[i], strlen(parts[i]) + 1);
}
