/* SPDX-License-Identifier: MIT */
/* scan.h: looking at eight bytes of text at a time. Each function returns nonzero where one of the
 * eight is what it looks for; a byte right above such a one may be taken for one as well, so the
 * caller looks at the bytes themselves then. Formulas: "Bit Twiddling Hacks", S. E. Anderson. */
#ifndef TASKS_TYPES_SCAN_H
#define TASKS_TYPES_SCAN_H

#include <stdint.h>
#include <string.h>

#define SCAN_ONES UINT64_C(0x0101010101010101)
#define SCAN_HIGHS UINT64_C(0x8080808080808080)

static inline uint64_t scan_load(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static inline uint64_t scan_zero(uint64_t w)
{
    return (w - SCAN_ONES) & ~w & SCAN_HIGHS;
}

static inline uint64_t scan_byte(uint64_t w, unsigned char c)
{
    return scan_zero(w ^ (SCAN_ONES * c));
}

/* Bytes less than N; N is at most 128. */
static inline uint64_t scan_less(uint64_t w, unsigned char n)
{
    return (w - SCAN_ONES * n) & ~w & SCAN_HIGHS;
}

#endif
