/* SPDX-License-Identifier: MIT */
/* utf8.h: well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/* The length (1 to 4) of the well-formed sequence that P[0..len) starts with, or 0 if none does. */
size_t utf8_sequence(const unsigned char *p, size_t len);

/* The offset of the first byte that is not part of a well-formed sequence; LEN where all is well. */
size_t utf8_valid_prefix(const char *s, size_t len);

/* How many characters well-formed text has. */
size_t utf8_count(const char *s, size_t len);

/* Makes well-formed what snprintf has left of WANTED bytes in TEXT[0..SIZE): it ends with a whole character, and other
 * bytes that belong to none become '?'. */
void utf8_finish(char *text, size_t size, int wanted);

#endif
