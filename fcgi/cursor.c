/* SPDX-License-Identifier: MIT */
/* cursor.c: base64url (RFC 4648 section 5) of the id and 64 bits of a SHA-256 over it and the scope. */
#include "fcgi/cursor.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { RAW_SIZE = 16, ID_SIZE = 8 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The filters do not depend on the order in which they were written. */
static void add_filters(struct buf *b, const struct url_query *query)
{
    const char *names[URL_QUERY_MAX];
    size_t count = 0;
    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->items[i].name, "limit") != 0 && strcmp(query->items[i].name, "after") != 0)
            names[count++] = query->items[i].name;
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        const char *value = url_query_get(query, names[i]);
        buf_add(b, names[i], strlen(names[i]) + 1);
        buf_add(b, value, strlen(value) + 1);
    }
}

static void make_raw(const char *list, int64_t user, const struct url_query *query, uint64_t id,
                     unsigned char raw[RAW_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct buf b = BUF_INIT;
    buf_addf(&b, "backdesk cursor 1 %s %lld %llu", list, (long long)user, (unsigned long long)id);
    buf_addc(&b, '\0');
    add_filters(&b, query);
    SHA256((const unsigned char *)b.data, b.len, digest);
    buf_free(&b);
    for (int i = 0; i < ID_SIZE; i++)
        raw[i] = (unsigned char)(id >> (8 * (ID_SIZE - 1 - i)));
    memcpy(raw + ID_SIZE, digest, RAW_SIZE - ID_SIZE);
}

void cursor_make(const char *list, int64_t user, const struct url_query *query, uint64_t id,
                 char out[CURSOR_TEXT_SIZE])
{
    unsigned char raw[RAW_SIZE + 2] = {0}; /* 128 bits and 4 of padding are 22 digits */
    make_raw(list, user, query, id, raw);
    for (int i = 0; i < CURSOR_TEXT_SIZE - 1; i++) {
        int bit = i * 6, shift = 10 - bit % 8;
        unsigned two = (unsigned)raw[bit / 8] << 8 | raw[bit / 8 + 1];
        out[i] = alphabet[two >> shift & 63];
    }
    out[CURSOR_TEXT_SIZE - 1] = '\0';
}

/* The id that TEXT claims. */
static bool read_id(const char *text, uint64_t *id)
{
    *id = 0;
    for (int i = 0; i < 11; i++) { /* 66 bits: the 64 of the id and two more */
        const char *digit = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!digit)
            return false;
        uint64_t value = (uint64_t)(digit - alphabet);
        *id = i < 10 ? *id << 6 | value : *id << 4 | value >> 2;
    }
    return true;
}

bool cursor_read(const char *list, int64_t user, const struct url_query *query, const char *text,
                 uint64_t *id)
{
    char expected[CURSOR_TEXT_SIZE];
    if (strlen(text) != CURSOR_TEXT_SIZE - 1 || !read_id(text, id) || *id == 0)
        return false;
    cursor_make(list, user, query, *id, expected);
    return strcmp(expected, text) == 0;
}
