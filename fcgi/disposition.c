/* SPDX-License-Identifier: MIT */
/* disposition.c: file names for browsers, old and new. */
#include "fcgi/disposition.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* Characters that turn the direction of reading, so that "gpj.exe" shows as "exe.jpg". */
static bool is_bidi_control(const unsigned char *p, size_t len)
{
    if (len == 2)
        return p[0] == 0xd8 && p[1] == 0x9c; /* U+061C */
    if (len != 3 || p[0] != 0xe2)
        return false;
    return (p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xaa && p[2] <= 0xae))) ||
           (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9); /* U+200E/F, 202A-E, 2066-9 */
}

/* NAME as it may stand on any disk. */
static void clean(struct buf *out, const char *name, size_t len)
{
    const unsigned char *p = (const unsigned char *)name, *end = p + len;
    while (p < end) {
        size_t n = utf8_sequence(p, (size_t)(end - p));
        bool bad = n == 0 || *p < 0x20 || *p == 0x7f || *p == '/' || *p == '\\' ||
                   (*p == '.' && out->len == 0) || is_bidi_control(p, n);
        if (bad)
            buf_addc(out, '_');
        else
            buf_add(out, p, n);
        p += n ? n : 1;
    }
    if (out->len == 0)
        buf_adds(out, "download");
}

void disposition_write(struct buf *out, const char *name, size_t len)
{
    struct buf file = BUF_INIT;
    bool plain = true;
    clean(&file, name, len);
    buf_adds(out, "attachment; filename=\"");
    for (size_t i = 0; i < file.len; i++) {
        unsigned char c = (unsigned char)file.data[i];
        /* a quote would end the string, and some browsers decode % in it (RFC 6266 appendix D) */
        bool good = c < 0x80 && c != '"' && c != '%';
        plain = plain && good;
        if (good)
            buf_addc(out, (char)c);
        else if (c < 0x80 || c >= 0xc0) /* once per character */
            buf_addc(out, '_');
    }
    buf_addc(out, '"');
    if (!plain) {
        buf_adds(out, "; filename*=UTF-8''");
        buf_percent(out, file.data, file.len);
    }
    buf_free(&file);
}
