/* SPDX-License-Identifier: MIT */
/* test_utf8.c: which byte sequences are UTF-8 (RFC 3629). */
#include "base/utf8.h"
#include "unit.h"

#define BYTES(s) s, sizeof s - 1

static const struct {
    const char *bytes;
    size_t len;
    size_t valid; /* length of the valid beginning */
} cases[] = {
    {BYTES(""), 0},
    {BYTES("ascii"), 5},
    {BYTES("a\0b"), 3},
    {BYTES("\xc2\x80"), 2},
    {BYTES("\xdf\xbf"), 2},
    {BYTES("\xe0\xa0\x80"), 3},
    {BYTES("\xed\x9f\xbf"), 3},
    {BYTES("\xee\x80\x80"), 3},
    {BYTES("\xef\xbf\xbf"), 3},
    {BYTES("\xf0\x90\x80\x80"), 4},
    {BYTES("\xf4\x8f\xbf\xbf"), 4},
    {BYTES("ok\x80"), 2},                  /* continuation without a lead */
    {BYTES("ok\xc0\x80"), 2},              /* overlong NUL */
    {BYTES("ok\xc1\xbf"), 2},              /* overlong */
    {BYTES("ok\xe0\x9f\xbf"), 2},          /* overlong */
    {BYTES("ok\xf0\x8f\xbf\xbf"), 2},      /* overlong */
    {BYTES("ok\xed\xa0\x80"), 2},          /* surrogate */
    {BYTES("ok\xed\xbf\xbf"), 2},          /* surrogate */
    {BYTES("ok\xf4\x90\x80\x80"), 2},      /* over U+10FFFF */
    {BYTES("ok\xf5\x80\x80\x80"), 2},
    {BYTES("ok\xff"), 2},
    {BYTES("ok\xc3"), 2},                  /* cut */
    {BYTES("ok\xe2\x82"), 2},
    {BYTES("ok\xf0\x9f\x98"), 2},
    {BYTES("\xc3\xa9\xc3("), 2},
};

static void test_valid_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        CHECK_CASE(i, cases[i].bytes, utf8_valid_prefix(cases[i].bytes, cases[i].len) == cases[i].valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid_prefix)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
