/* SPDX-License-Identifier: MIT */
/* hex.c: bytes as hexadecimal digits, and back. */
#include "base/hex.h"

const char hex_digits[] = "0123456789abcdef";

void hex_write(char *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        *out++ = hex_digits[bytes[i] >> 4];
        *out++ = hex_digits[bytes[i] & 15];
    }
    *out = '\0';
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int hex_four(const unsigned char *p)
{
    int value = 0;
    for (int i = 0; i < 4 && value >= 0; i++) {
        int digit = hex_digit((char)p[i]);
        value = digit < 0 ? -1 : value << 4 | digit;
    }
    return value;
}
