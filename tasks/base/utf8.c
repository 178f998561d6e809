/* SPDX-License-Identifier: MIT */
/* utf8.c: checks UTF-8 by RFC 3629 section 4's table. */
#include "base/utf8.h"

#include <string.h>

size_t utf8_sequence(const unsigned char *p, size_t len)
{
    if (!len)
        return 0;
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || len < n)
        return 0;
    /* the second byte's range depends on the first (overlong forms, surrogates, the upper end) */
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

size_t utf8_valid_prefix(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t at = 0;
    while (at < len) {
        size_t n = p[at] < 0x80 ? 1 : utf8_sequence(p + at, len - at);
        if (!n)
            break;
        at += n;
    }
    return at;
}

/* Every byte counts but those that go on with a character. */
size_t utf8_count(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xc0) != 0x80;
    return n;
}

/* LEN without the beginning of a character at the end of S. */
static size_t whole_characters(const char *s, size_t len)
{
    for (size_t back = 1; back < 4 && back <= len; back++) {
        unsigned char c = (unsigned char)s[len - back];
        if (c >= 0xc0)
            return utf8_sequence((const unsigned char *)s + len - back, back) ? len : len - back;
        if (c < 0x80)
            break;
    }
    return len;
}

void utf8_finish(char *text, size_t size, int wanted)
{
    size_t len = strlen(text), at = 0;
    if (wanted > 0 && (size_t)wanted >= size)
        len = whole_characters(text, len);
    text[len] = '\0';
    while ((at += utf8_valid_prefix(text + at, len - at)) < len)
        text[at] = '?';
}
