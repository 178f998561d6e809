/* SPDX-License-Identifier: MIT */
/* idempotency.c: keys and fingerprints of requests that may be repeated. */
#include "fcgi/idempotency.h"

#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/hex.h"

static bool is_visible(char c)
{
    return c > 0x20 && c < 0x7f;
}

/* TEXT[0..len) behind the opening quote; the closing one must be its last character. Returns the key's
 * length, 0 for no such string. */
static size_t unquote(const char *text, size_t len, char out[IDEMPOTENCY_KEY_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '"')
            return i == len - 1 ? n : 0;
        if (c == '\\') {
            c = i + 1 < len ? text[++i] : '\0';
            if (c != '"' && c != '\\')
                return 0;
        }
        if (!is_visible(c) || n == IDEMPOTENCY_KEY_SIZE - 1)
            return 0;
        out[n++] = c;
    }
    return 0;
}

static size_t copy(const char *text, size_t len, char out[IDEMPOTENCY_KEY_SIZE])
{
    if (len >= IDEMPOTENCY_KEY_SIZE)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (!is_visible(text[i]))
            return 0;
    memcpy(out, text, len);
    return len;
}

int idempotency_key_parse(const char *header, char out[IDEMPOTENCY_KEY_SIZE])
{
    header += strspn(header, " \t");
    size_t len = strlen(header);
    while (len && (header[len - 1] == ' ' || header[len - 1] == '\t'))
        len--;
    size_t n = *header == '"' ? unquote(header + 1, len - 1, out) : copy(header, len, out);
    out[n] = '\0';
    return n ? 0 : ERR_INVALID;
}

void body_hash(const void *body, size_t len, char out[BODY_HASH_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(body, len, digest);
    hex_write(out, digest, sizeof digest);
}
