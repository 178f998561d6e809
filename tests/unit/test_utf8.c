/* SPDX-License-Identifier: MIT */
/* test_utf8.c: which byte sequences are UTF-8 (RFC 3629). */
#include "base/error.h"
#include "base/utf8.h"
#include "task/run.h"
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

static void test_finish(void **state)
{
    (void)state;
    static const struct {
        const char *text; /* goes into 7 bytes and a NUL */
        const char *wanted;
    } cut[] = {
        {"", ""},
        {"1234567", "1234567"},
        {"12345678", "1234567"},
        {"12345\xc3\xa4", "12345\xc3\xa4"},
        {"123456\xc3\xa4", "123456"},
        {"1234\xe2\x82\xac", "1234\xe2\x82\xac"},
        {"1234\xe2\x82\xac!", "1234\xe2\x82\xac"},
        {"12345\xe2\x82\xac", "12345"},
        {"123456\xe2\x82\xac", "123456"},
        {"123\xf0\x9f\x98\x80!", "123\xf0\x9f\x98\x80"},
        {"1234\xf0\x9f\x98\x80", "1234"},
        {"123\xe2\x82", "123??"},         /* not cut here */
        {"\xe2(\xff-\xc3\xa4", "?(?-\xc3\xa4"},
        {"1234\x80\x80\x80\x80", "1234???"},
    };
    for (size_t i = 0; i < COUNT_OF(cut); i++) {
        char got[8];
        utf8_finish(got, sizeof got, snprintf(got, sizeof got, "%s", cut[i].text));
        CHECK_CASE_TEXT(i, cut[i].text, got, cut[i].wanted);
    }
}

/* Each way to make an error's text or a task's message too long, in the middle of a character. */
static void test_errors(void **state)
{
    (void)state;
    struct error e = {0};
    char long_text[sizeof e.text];
    memset(long_text, '\0', sizeof long_text);
    for (size_t i = 0; i + 2 < sizeof long_text; i++)
        long_text[i] = "\xc3\xa4"[i % 2];
    for (int odd = 0; odd < 2; odd++) {
        assert_int_equal(error_set(&e, ERR_LIMIT, "%s%s\xc3\xa4", &"x"[!odd], long_text), ERR_LIMIT);
        assert_int_equal(utf8_valid_prefix(e.text, strlen(e.text)), strlen(e.text));
        assert_in_range(strlen(e.text), sizeof e.text - 2, sizeof e.text - 1);
        e.db_errno = 7;
        error_prefix(&e, "%s", &"y"[!odd]);
        assert_int_equal(utf8_valid_prefix(e.text, strlen(e.text)), strlen(e.text));
        assert_in_range(strlen(e.text), sizeof e.text - 2, sizeof e.text - 1);
        assert_true(e.code == ERR_LIMIT && e.db_errno == 7);
    }
    struct run_outcome o;
    run_fail(&o, RUN_FAILED, "x", "x%s%s%s", long_text, long_text, long_text);
    assert_int_equal(utf8_valid_prefix(o.message, strlen(o.message)), RUN_MESSAGE_SIZE - 1);
    run_fail(&o, RUN_FAILED, "x", "%s%s%s", long_text, long_text, long_text);
    assert_int_equal(utf8_valid_prefix(o.message, strlen(o.message)), RUN_MESSAGE_SIZE - 2);
    assert_int_equal(strlen(o.message), RUN_MESSAGE_SIZE - 2);

    error_set(&e, ERR_IO, "old");
    error_prefix(&e, "new");
    assert_string_equal(e.text, "new: old");
    error_prefix(NULL, "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_prefix),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
