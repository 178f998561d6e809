/* SPDX-License-Identifier: MIT */
/* hex.h: bytes as hexadecimal digits. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>

extern const char hex_digits[]; /* the sixteen, lower case, and a NUL */

/* Writes BYTES[0..LEN) to OUT as 2 * LEN digits, lower case, and a NUL. */
void hex_write(char *out, const unsigned char *bytes, size_t len);

/* The value of the digit C in either case; -1: it is none. */
int hex_digit(char c);

/* The value of the four digits at P; -1: they are not. */
int hex_four(const unsigned char *p);

#endif
