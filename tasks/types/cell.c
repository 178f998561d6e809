/* SPDX-License-Identifier: MIT */
/* cell.c: bytes and bits as text. */
#include "cell.h"

#include <openssl/evp.h>

enum cell_kind cell_kind_of(const struct db_column *c, bool hex)
{
    switch (c->type) {
    case DB_TYPE_TEXT:
        return CELL_TEXT;
    case DB_TYPE_JSON:
        return CELL_JSON;
    case DB_TYPE_BYTES:
        return hex ? CELL_HEX : CELL_BASE64;
    case DB_TYPE_BIT:
        return CELL_BIT;
    default:
        return CELL_PLAIN;
    }
}

bool cell_is_true(const struct db_column *c, const char *v, size_t len)
{
    char zero = c->type == DB_TYPE_BIT ? '\0' : '0';
    size_t i = 0;
    while (i < len && v[i] == zero)
        i++;
    return i < len;
}

char *cell_bytes(char *p, enum cell_kind kind, const char *v, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    if (kind == CELL_BASE64)
        return p + EVP_EncodeBlock((unsigned char *)p, (const unsigned char *)v, (int)len);
    for (size_t i = 0; i < len; i++) {
        *p++ = digits[(unsigned char)v[i] >> 4];
        *p++ = digits[(unsigned char)v[i] & 15];
    }
    return p;
}

char *cell_bit(char *p, const char *v, size_t len)
{
    uint64_t n = 0;
    for (size_t i = 0; i < len; i++)
        n = n << 8 | (unsigned char)v[i];
    char digits[CELL_BIT_ROOM];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    return cell_put(p, digits + at, sizeof digits - at);
}
