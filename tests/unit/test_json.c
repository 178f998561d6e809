/* SPDX-License-Identifier: MIT */
/* test_json.c: what the strict scanner lets pass, and what it says of the rest. */
#include <json-c/json.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "unit.h"

#define TEXT(s) s, sizeof s - 1

/* Texts that are JSON, and what json-c makes of them in plain form. */
static const struct {
    const char *in;
    size_t len;
    const char *out;
} good[] = {
    {TEXT("null"), "null"},
    {TEXT(" \t\r\n true \n"), "true"},
    {TEXT("0"), "0"},
    {TEXT("-0"), "0"},
    {TEXT("12"), "12"},
    {TEXT("9223372036854775807"), "9223372036854775807"},
    {TEXT("-9223372036854775808"), "-9223372036854775808"},
    {TEXT("18446744073709551615"), "18446744073709551615"},
    {TEXT("1.50"), "1.50"},
    {TEXT("-1E+2"), "-1E+2"},
    {TEXT("1.7976931348623157e308"), "1.7976931348623157e308"},
    {TEXT("1e-400"), "1e-400"},
    {TEXT("\"\""), "\"\""},
    {TEXT("\"a\\u0000b\""), "\"a\\u0000b\""},
    {TEXT("\"\\ud83d\\ude00\""), "\"\xf0\x9f\x98\x80\""},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""},
    {TEXT("\"\x7f\""), "\"\x7f\""},
    {TEXT("[]"), "[]"},
    {TEXT("{}"), "{}"},
    {TEXT("[1,[2,{\"a\":[]}],\"x\"]"), "[1,[2,{\"a\":[]}],\"x\"]"},
    {TEXT("{\"a\":1,\"A\":2,\"\":3}"), "{\"a\":1,\"A\":2,\"\":3}"},
    {TEXT("{\"a\":{\"a\":{\"a\":1}}}"), "{\"a\":{\"a\":{\"a\":1}}}"},
    {TEXT("[{\"a\":1},{\"a\":2}]"), "[{\"a\":1},{\"a\":2}]"},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct json_object *value;
        struct error e = {0};
        int rc = json_parse(good[i].in, good[i].len, &value, &e);
        CHECK_CASE_TEXT(i, good[i].in, e.text, "");
        CHECK_CASE(i, good[i].in, rc == 0);
        const char *out = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
        CHECK_CASE_TEXT(i, good[i].in, out, good[i].out);
        json_object_put(value);
    }
}

#define NO_VALUE "here a value is expected"
#define NO_END "the text ends before the value is complete"
#define NO_UTF8 "bytes that are not UTF-8"
#define TWICE "a member of this name is in the object already"

static const struct {
    const char *in;
    size_t len;
    const char *where; /* line:column */
    const char *text;
} bad[] = {
    {TEXT(""), "1:1", NO_END},
    {TEXT("  \n "), "2:2", NO_END},
    {TEXT("nul"), "1:1", NO_VALUE},
    {TEXT("NaN"), "1:1", NO_VALUE},
    {TEXT("Infinity"), "1:1", NO_VALUE},
    {TEXT("-Infinity"), "1:1", "a number needs a digit behind the minus"},
    {TEXT("+1"), "1:1", NO_VALUE},
    {TEXT(".5"), "1:1", NO_VALUE},
    {TEXT("'a'"), "1:1", NO_VALUE},
    {TEXT("\xef\xbb\xbf{}"), "1:1", NO_VALUE},
    {TEXT("// x\n1"), "1:1", NO_VALUE},
    {TEXT("1\0"), "1:2", "more text behind the end of the value"},
    {TEXT("{} {}"), "1:4", "more text behind the end of the value"},
    {TEXT("1 2"), "1:3", "more text behind the end of the value"},
    {TEXT("01"), "1:1", "a number must not begin with 0"},
    {TEXT("-01"), "1:1", "a number must not begin with 0"},
    {TEXT("0x10"), "1:2", "more text behind the end of the value"},
    {TEXT("1."), "1:1", "a number needs a digit behind the point"},
    {TEXT("1.e5"), "1:1", "a number needs a digit behind the point"},
    {TEXT("[1e]"), "1:2", "a number needs a digit in its exponent"},
    {TEXT("[1e+]"), "1:2", "a number needs a digit in its exponent"},
    {TEXT("18446744073709551616"), "1:1", "an integer beyond 64 bits"},
    {TEXT("-9223372036854775809"), "1:1", "an integer beyond 64 bits"},
    {TEXT("123456789012345678901234567890"), "1:1", "an integer beyond 64 bits"},
    {TEXT("1e400"), "1:1", "a number beyond the range of double precision"},
    {TEXT("[0,\n -1.0e309]"), "2:2", "a number beyond the range of double precision"},
    {TEXT("\"abc"), "1:1", "the string is not closed"},
    {TEXT("\"abc\\"), "1:5", "the string is not closed"},
    {TEXT("\"a\nb\""), "1:3", "the control character U+000A must be escaped in a string"},
    {TEXT("\"a\0b\""), "1:3", "the control character U+0000 must be escaped in a string"},
    {TEXT("\"\\x41\""), "1:2", "there is no such escape in JSON"},
    {TEXT("\"\\u12g4\""), "1:2", "\\u must be followed by four hexadecimal digits"},
    {TEXT("\"\\u12"), "1:2", "\\u must be followed by four hexadecimal digits"},
    {TEXT("\"\\ud800\""), "1:2", "a high surrogate without a low one behind it"},
    {TEXT("\"\\ud800\\u0041\""), "1:2", "a high surrogate without a low one behind it"},
    {TEXT("\"\\ud800\\ud800\""), "1:2", "a high surrogate without a low one behind it"},
    {TEXT("\"\\udc00\""), "1:2", "a low surrogate without a high one before it"},
    {TEXT("\"\xc3(\""), "1:2", NO_UTF8},
    {TEXT("\"\xed\xa0\x80\""), "1:2", NO_UTF8},
    {TEXT("\"\xc0\x80\""), "1:2", NO_UTF8},
    {TEXT("\"\xc3\xa9\xc3\xa9\xff\""), "1:4", NO_UTF8},
    {TEXT("["), "1:2", NO_END},
    {TEXT("[1"), "1:3", NO_END},
    {TEXT("[1,"), "1:4", NO_END},
    {TEXT("[1,]"), "1:4", NO_VALUE},
    {TEXT("[,1]"), "1:2", NO_VALUE},
    {TEXT("[1 2]"), "1:4", "here a comma or ] is expected"},
    {TEXT("[1}"), "1:3", "here a comma or ] is expected"},
    {TEXT("]"), "1:1", NO_VALUE},
    {TEXT("{\"a\"}"), "1:5", "here a colon is expected"},
    {TEXT("{\"a\":}"), "1:6", NO_VALUE},
    {TEXT("{\"a\":1,}"), "1:8", "here the name of a member is expected, in double quotes"},
    {TEXT("{a:1}"), "1:2", "here the name of a member is expected, in double quotes"},
    {TEXT("{1:1}"), "1:2", "here the name of a member is expected, in double quotes"},
    {TEXT("{\"a\":1]"), "1:7", "here a comma or } is expected"},
    {TEXT("{\"a\\u0000\":1}"), "1:4", "U+0000 is not accepted in a member's name"},
    {TEXT("{\"a\":1,\"b\":2,\"a\":3}"), "1:15", TWICE},
    {TEXT("{\"a\":1,\n\"\\u0061\":2}"), "2:2", TWICE},
    {TEXT("{\"\xc3\xa9\":1,\"\\u00e9\":2}"), "1:9", TWICE},
    {TEXT("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"), "1:20", TWICE},
    {TEXT("{\"\\n\":1,\"\\u000a\":2}"), "1:10", TWICE},
    {TEXT("{\"a\":1,\"a\":2,\"a\":3}"), "1:9", TWICE},
    {TEXT("[{\"x\":{\"b\":1,\"b\":1}}]"), "1:15", TWICE},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct error e = {0};
        char wanted[200];
        CHECK_CASE(i, bad[i].in, json_scan(bad[i].in, bad[i].len, JSON_DEPTH_MAX, &e) == ERR_INVALID);
        unsigned line, column;
        assert_int_equal(sscanf(bad[i].where, "%u:%u", &line, &column), 2);
        snprintf(wanted, sizeof wanted, "line %u, column %u: %s", line, column, bad[i].text);
        CHECK_CASE_TEXT(i, bad[i].in, e.text, wanted);
    }
}

static void test_depth(void **state)
{
    (void)state;
    struct error e = {0};
    struct buf b = BUF_INIT;
    for (unsigned i = 0; i < JSON_DEPTH_MAX; i++)
        buf_addc(&b, '[');
    for (unsigned i = 0; i < JSON_DEPTH_MAX; i++)
        buf_addc(&b, ']');
    struct json_object *value;
    assert_int_equal(json_parse(b.data, b.len, &value, &e), 0);
    json_object_put(value);

    buf_clear(&b);
    for (unsigned i = 0; i < 10000; i++)
        buf_addc(&b, '[');
    assert_int_equal(json_scan(b.data, b.len, JSON_DEPTH_MAX, &e), ERR_INVALID);
    assert_string_equal(e.text,
                        "line 1, column 65: arrays and objects are nested more than 64 deep");
    error_clear(&e);
    assert_int_equal(json_scan(b.data, b.len, 1000000, &e), ERR_INVALID);
    buf_free(&b);
}

/* Many members with a long common beginning: what a hash or a pairwise comparison would suffer from.
 * The time is far below what quadratic work would take. */
static void test_many_members(void **state)
{
    (void)state;
    enum { MEMBERS = 200000 };
    struct error e = {0};
    struct buf b = BUF_INIT;
    buf_addc(&b, '{');
    for (unsigned i = 0; i < MEMBERS; i++)
        buf_addf(&b, "\"aaaaaaaaaaaaaaaaaaaaaaaa%u\":%u,", (i * 7919) % MEMBERS, i);
    size_t len = b.len;
    buf_adds(&b, "\"last\":0}");
    int64_t start = clock_mono_ns();
    assert_int_equal(json_scan(b.data, b.len, JSON_DEPTH_MAX, &e), 0);
    assert_true(clock_mono_ns() - start < INT64_C(20000000000));
    b.len = len;
    buf_adds(&b, "\"aaaaaaaaaaaaaaaaaaaaaaaa0\":0}");
    assert_int_equal(json_scan(b.data, b.len, JSON_DEPTH_MAX, &e), ERR_INVALID);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_many_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
