/* SPDX-License-Identifier: MIT */
/* random.c: random names and UUIDs. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>
#include <uuid.h>

#include "base/hex.h"
#include "base/log.h"

void random_bytes(void *out, size_t len)
{
    char *p = out;
    while (len) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            log_bug("getrandom failed");
        p += n;
        len -= (size_t)n;
    }
}

void random_hex(char *out, size_t digits)
{
    while (digits) {
        unsigned char bytes[16];
        size_t n = digits < sizeof bytes ? digits : sizeof bytes;
        random_bytes(bytes, n);
        for (size_t i = 0; i < n; i++)
            *out++ = hex_digits[bytes[i] & 15];
        digits -= n;
    }
    *out = '\0';
}

int64_t random_half(int64_t most)
{
    return most - (int64_t)random_below((uint64_t)most / 2 + 1);
}

uint64_t random_below(uint64_t bound)
{
    uint64_t value, limit = UINT64_MAX - UINT64_MAX % bound;
    do
        random_bytes(&value, sizeof value);
    while (value >= limit);
    return value % bound;
}

void uuid_text(char out[UUID_TEXT_SIZE])
{
    uuid_t id;
    uuid_generate_random(id);
    uuid_unparse_lower(id, out);
}
