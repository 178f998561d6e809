/* SPDX-License-Identifier: MIT */
/* checkpoint.c: a checkpoint as bytes: a line that names form and version, the fields, numbers with
 * the low byte first, and a SHA-256 of all before it. */
#include "task/checkpoint.h"

#include <openssl/evp.h>
#include <string.h>

/* Whoever changes the form or the meaning of a field changes the number. */
static const char magic[] = "backdesk checkpoint 1\n";

enum { MAGIC_LEN = sizeof magic - 1, NUMBER = 8 };

static void digest(const void *data, size_t len, unsigned char out[CHECKPOINT_DIGEST], int *rc)
{
    unsigned n = 0;
    *rc = EVP_Digest(data, len, out, &n, EVP_sha256(), NULL) == 1 && n == CHECKPOINT_DIGEST
              ? 0
              : ERR_SYSTEM;
}

static void put_number(struct buf *b, uint64_t n)
{
    for (int i = 0; i < NUMBER; i++)
        buf_addc(b, (char)(n >> (8 * i) & 255));
}

static void put_bytes(struct buf *b, const struct checkpoint_bytes *s)
{
    put_number(b, s->len);
    buf_add(b, s->p, s->len);
}

void checkpoint_encode(const struct checkpoint *c, struct buf *out)
{
    size_t start = out->len;
    buf_add(out, magic, MAGIC_LEN);
    buf_add(out, c->fingerprint, CHECKPOINT_DIGEST);
    buf_add(out, c->sha256, CHECKPOINT_DIGEST);
    put_number(out, c->bytes);
    put_number(out, c->rows);
    put_number(out, c->key_count);
    for (unsigned i = 0; i < c->key_count; i++)
        put_bytes(out, &c->keys[i]);
    put_bytes(out, &c->state);
    unsigned char hash[CHECKPOINT_DIGEST];
    int rc = 0;
    if (!out->err)
        digest(out->data + start, out->len - start, hash, &rc);
    if (!out->err && !rc)
        buf_add(out, hash, CHECKPOINT_DIGEST);
    if (!out->err && out->len - start > CHECKPOINT_SIZE_MAX)
        rc = ERR_LIMIT;
    if (!out->err)
        out->err = rc;
}

/* What is left to read; p is NULL once something was missing. */
struct reader {
    const unsigned char *p;
    size_t left;
};

static const unsigned char *take(struct reader *r, uint64_t len)
{
    const unsigned char *p = r->p;
    if (!p || len > r->left) {
        r->p = NULL;
        return NULL;
    }
    r->p += len;
    r->left -= (size_t)len;
    return p;
}

static uint64_t get_number(struct reader *r)
{
    const unsigned char *p = take(r, NUMBER);
    uint64_t n = 0;
    for (int i = NUMBER; p && i-- > 0;)
        n = n << 8 | p[i];
    return n;
}

static void get_digest(struct reader *r, unsigned char out[CHECKPOINT_DIGEST])
{
    const unsigned char *p = take(r, CHECKPOINT_DIGEST);
    if (p)
        memcpy(out, p, CHECKPOINT_DIGEST);
}

static void get_bytes(struct reader *r, struct checkpoint_bytes *out)
{
    uint64_t len = get_number(r);
    const unsigned char *p = take(r, len);
    *out = (struct checkpoint_bytes){p, p ? (size_t)len : 0};
}

int checkpoint_decode(const void *data, size_t len, struct checkpoint *out, struct error *e)
{
    memset(out, 0, sizeof *out);
    if (len > CHECKPOINT_SIZE_MAX || len < MAGIC_LEN + CHECKPOINT_DIGEST)
        return error_set(e, ERR_INVALID, "%zu bytes are no checkpoint", len);
    if (memcmp(data, magic, MAGIC_LEN) != 0)
        return error_set(e, ERR_INVALID, "it is of another version, or no checkpoint");
    struct reader r = {data, len - CHECKPOINT_DIGEST};
    unsigned char hash[CHECKPOINT_DIGEST];
    int rc;
    digest(data, r.left, hash, &rc);
    if (rc || memcmp(hash, r.p + r.left, CHECKPOINT_DIGEST) != 0)
        return error_set(e, ERR_INVALID, "its bytes are not those that were written");
    take(&r, MAGIC_LEN);
    get_digest(&r, out->fingerprint);
    get_digest(&r, out->sha256);
    out->bytes = get_number(&r);
    out->rows = get_number(&r);
    uint64_t keys = get_number(&r);
    if (!r.p || keys > CHECKPOINT_KEYS_MAX)
        return error_set(e, ERR_INVALID, "its fields do not make sense");
    out->key_count = (unsigned)keys;
    for (unsigned i = 0; i < out->key_count; i++)
        get_bytes(&r, &out->keys[i]);
    get_bytes(&r, &out->state);
    if (!r.p || r.left)
        return error_set(e, ERR_INVALID, "its fields do not make sense");
    return 0;
}
