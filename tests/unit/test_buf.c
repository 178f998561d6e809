/* SPDX-License-Identifier: MIT */
/* test_buf.c: the output buffer: quoting, numbers, limits. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "unit.h"

#define TEXT(s) s, sizeof s - 1

static const struct {
    const char *in;
    size_t len;
    const char *json, *html, *percent;
} quoting[] = {
    {TEXT(""), "\"\"", "", ""},
    {TEXT("plain"), "\"plain\"", "plain", "plain"},
    {TEXT("a\"b\\c"), "\"a\\\"b\\\\c\"", "a&quot;b\\c", "a%22b%5Cc"},
    {TEXT("<b>&'"), "\"<b>&'\"", "&lt;b&gt;&amp;&#39;", "%3Cb%3E%26%27"},
    {TEXT("\n\r\t\b\f"), "\"\\n\\r\\t\\b\\f\"", "\n\r\t\b\f", "%0A%0D%09%08%0C"},
    {TEXT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\"", NULL, "%00%01%1F%7F"},
    {TEXT("\xc3\xa9"), "\"\xc3\xa9\"", "\xc3\xa9", "%C3%A9"},
    {TEXT("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80", "%F0%9F%98%80"},
    {TEXT("x\xffy"), "\"x\xef\xbf\xbdy\"", NULL, "x%FFy"},
    {TEXT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", NULL, "%ED%A0%80"},
    {TEXT("-._~ +"), "\"-._~ +\"", "-._~ +", "-._~%20%2B"},
};

static void test_quoting(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < COUNT_OF(quoting); i++) {
        buf_clear(&b);
        buf_json(&b, quoting[i].in, quoting[i].len);
        CHECK_CASE_TEXT(i, "json", buf_str(&b), quoting[i].json);
        buf_clear(&b);
        buf_html(&b, quoting[i].in, quoting[i].len);
        if (quoting[i].html)
            CHECK_CASE_TEXT(i, "html", buf_str(&b), quoting[i].html);
        buf_clear(&b);
        buf_percent(&b, quoting[i].in, quoting[i].len);
        CHECK_CASE_TEXT(i, "percent", buf_str(&b), quoting[i].percent);
    }
    buf_clear(&b);
    buf_sql_name(&b, "a`b``");
    assert_string_equal(buf_str(&b), "`a``b`````");
    buf_free(&b);
}

static void test_numbers(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    buf_add_u64(&b, UINT64_MAX);
    buf_addc(&b, ' ');
    buf_add_i64(&b, INT64_MIN);
    buf_addc(&b, ' ');
    buf_add_i64(&b, 0);
    buf_addf(&b, " %03d", 7);
    assert_string_equal(buf_str(&b), "18446744073709551615 -9223372036854775808 0 007");
    buf_clear(&b);
    buf_json_s(&b, NULL);
    buf_json_instant(&b, INSTANT_NONE);
    buf_json_instant(&b, 0);
    assert_string_equal(buf_str(&b), "nullnull\"1970-01-01T00:00:00.000000Z\"");
    buf_free(&b);
}

static void test_limit_sticks(void **state)
{
    (void)state;
    struct buf b = {.max = 10};
    buf_adds(&b, "1234567890");
    assert_int_equal(b.err, 0);
    buf_addc(&b, 'x');
    assert_int_equal(b.err, ERR_LIMIT);
    buf_adds(&b, "more");
    assert_string_equal(buf_str(&b), "1234567890");
    buf_clear(&b);
    assert_int_equal(b.err, 0);
    buf_json(&b, "123456789", 9); /* 11 with its quotes */
    assert_int_equal(b.err, ERR_LIMIT);
    buf_free(&b);
    assert_int_equal(b.max, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_limit_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
