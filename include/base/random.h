/* SPDX-License-Identifier: MIT */
/* random.h: names that nobody can guess, from the kernel's generator. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT_SIZE = 37 };

void random_bytes(void *out, size_t len);            /* never fails: aborts instead */
void random_hex(char *out, size_t digits);           /* DIGITS hex digits and a NUL */
uint64_t random_below(uint64_t bound);               /* uniform in [0, bound); bound > 0 */
int64_t random_half(int64_t most);                   /* uniform, from half of MOST to MOST >= 0 */
void uuid_text(char out[UUID_TEXT_SIZE]);            /* a new random UUID (RFC 9562), lower case */

#endif
