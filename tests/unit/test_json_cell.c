/* SPDX-License-Identifier: MIT */
/* test_json_cell.c: values as JSON, and which text is JSON already. */
#include <stdlib.h>

#include "base/mem.h"
#include "tasks/types/json_cell.h"
#include "tasks/types/json_check.h"
#include "unit.h"

#define BYTES(s) s, sizeof s - 1

static const struct {
    enum json_kind kind;
    const char *value; /* NULL = SQL's NULL */
    size_t len;
    const char *wanted;
} cases[] = {
    {JSON_TEXT, NULL, 0, "null"},
    {JSON_NUMBER, NULL, 0, "null"},
    {JSON_JSON, NULL, 0, "null"},
    {JSON_BOOLEAN, NULL, 0, "null"},
    {JSON_TEXT, BYTES(""), "\"\""},
    {JSON_BASE64, BYTES(""), "\"\""},
    {JSON_TEXT, BYTES("plain text of some length"), "\"plain text of some length\""},
    {JSON_TEXT, BYTES("say \"hi\" \\ / '"), "\"say \\\"hi\\\" \\\\ / '\""},
    {JSON_TEXT, BYTES("1234567\""), "\"1234567\\\"\""}, /* the last of eight */
    {JSON_TEXT, BYTES("12345678\""), "\"12345678\\\"\""}, /* the first behind eight */
    {JSON_TEXT, BYTES("\b\t\n\f\r\v"), "\"\\b\\t\\n\\f\\r\\u000b\""},
    {JSON_TEXT, BYTES("\0\x01\x1f\x7f !#[]"), "\"\\u0000\\u0001\\u001f\x7f !#[]\""},
    {JSON_TEXT, BYTES("\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f"),
     "\"\\u001f\\u001f\\u001f\\u001f\\u001f\\u001f\\u001f\\u001f\""},
    {JSON_TEXT, BYTES("1234567\xc3\xa9 caf\xc3\xa9"), "\"1234567\xc3\xa9 caf\xc3\xa9\""},
    {JSON_TEXT, BYTES("\xf0\x9f\x93\x9a\xd7\xa2\xe2\x80\xa8"), "\"\xf0\x9f\x93\x9a\xd7\xa2\xe2\x80\xa8\""},
    {JSON_TEXT, BYTES("a\xff\xc3(\xed\xa0\x80"), /* a surrogate is no UTF-8 */
     "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {JSON_TEXT, BYTES("\xc3"), "\"\xef\xbf\xbd\""},
    {JSON_NUMBER, BYTES("0"), "0"},
    {JSON_NUMBER, BYTES("-0"), "-0"},
    {JSON_NUMBER, BYTES("18446744073709551615"), "18446744073709551615"},
    {JSON_NUMBER, BYTES("00042"), "42"}, /* ZEROFILL */
    {JSON_NUMBER, BYTES("0000"), "0"},
    {JSON_NUMBER, BYTES("000003.50"), "3.50"},
    {JSON_NUMBER, BYTES("000000.50"), "0.50"},
    {JSON_NUMBER, BYTES("-0.000000000000000000000000000001"), "-0.000000000000000000000000000001"},
    {JSON_NUMBER, BYTES("1.7976931348623157e308"), "1.7976931348623157e308"},
    {JSON_NUMBER, BYTES("1e-7"), "1e-7"},
    {JSON_NUMBER, BYTES("nan"), "\"nan\""},
    {JSON_NUMBER, BYTES("-inf"), "\"-inf\""},
    {JSON_NUMBER, BYTES(""), "\"\""},
    {JSON_BOOLEAN, BYTES("0"), "false"},
    {JSON_BOOLEAN, BYTES("000"), "false"},
    {JSON_BOOLEAN, BYTES("1"), "true"},
    {JSON_BOOLEAN, BYTES("-1"), "true"},
    {JSON_BOOLEAN, BYTES("10"), "true"},
    {JSON_PLAIN, BYTES("2026-11-21 09:30:00.000001"), "\"2026-11-21 09:30:00.000001\""},
    {JSON_JSON, BYTES("{\"a\": [1, 2.50, null]}"), "{\"a\": [1, 2.50, null]}"},
    {JSON_JSON, BYTES("{\"a\":\r\n\t1}\n"), "{\"a\":  \t1} "},
    {JSON_JSON, BYTES("\"text\""), "\"text\""},
    {JSON_JSON, BYTES("-5"), "-5"},
    {JSON_JSON, BYTES("{\"a\":\n}"), "\"{\\\"a\\\":\\n}\""}, /* none */
    {JSON_JSON, BYTES("\"\xff\""), "\"\\\"\xef\xbf\xbd\\\"\""},
    {JSON_JSON, BYTES(""), "\"\""},
    {JSON_BASE64, BYTES("\xff\xfe"), "\"//4=\""},
    {JSON_HEX, BYTES("\0\xab"), "\"00AB\""},
    {JSON_BIT, BYTES("\0"), "0"},
    {JSON_BIT, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615"},
};

/* The value in exactly the memory that it may need, so that a sanitizer sees a byte too many. */
static void test_cells(void **state)
{
    (void)state;
    const struct db_column integer = {.type = DB_TYPE_INTEGER};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *room = xmalloc(json_room(cases[i].len));
        char *value = cases[i].value ? xmalloc(cases[i].len + 1) : NULL;
        if (value)
            memcpy(value, cases[i].value, cases[i].len);
        char *end = json_cell(room, &integer, cases[i].kind, value, cases[i].len);
        char *got = xstrndup(room, (size_t)(end - room));
        CHECK_CASE_TEXT(i, cases[i].wanted, got, cases[i].wanted);
        free(got);
        free(value);
        free(room);
    }
}

static void test_bit_as_boolean(void **state)
{
    (void)state;
    const struct db_column bit = {.type = DB_TYPE_BIT};
    assert_false(cell_is_true(&bit, "\0\0", 2));
    assert_true(cell_is_true(&bit, "\0\1", 2));
    assert_true(cell_is_true(&bit, "0", 1)); /* bytes, not digits */
}

static const struct {
    const char *text;
    size_t len;
    bool number, json;
} texts[] = {
    {BYTES("0"), true, true},
    {BYTES("-0"), true, true},
    {BYTES("10"), true, true},
    {BYTES("1.5e+10"), true, true},
    {BYTES("1E5"), true, true},
    {BYTES("0.0e-0"), true, true},
    {BYTES(""), false, false},
    {BYTES("-"), false, false},
    {BYTES("+1"), false, false},
    {BYTES("01"), false, false},
    {BYTES("-01"), false, false},
    {BYTES(".5"), false, false},
    {BYTES("5."), false, false},
    {BYTES("1.e5"), false, false},
    {BYTES("1e"), false, false},
    {BYTES("1e+"), false, false},
    {BYTES("0x1"), false, false},
    {BYTES("1 2"), false, false},
    {BYTES("1-"), false, false},
    {BYTES(" 1"), false, true},
    {BYTES("1\t\r\n "), false, true},
    {BYTES("1\0"), false, false},
    {BYTES("NaN"), false, false},
    {BYTES("true"), false, true},
    {BYTES("false "), false, true},
    {BYTES("null"), false, true},
    {BYTES("nul"), false, false},
    {BYTES("nulll"), false, false},
    {BYTES("True"), false, false},
    {BYTES("[]"), false, true},
    {BYTES("[ ]"), false, true},
    {BYTES("[1,]"), false, false},
    {BYTES("[,1]"), false, false},
    {BYTES("[1 2]"), false, false},
    {BYTES("[1"), false, false},
    {BYTES("[1}"), false, false},
    {BYTES("]"), false, false},
    {BYTES("[[[]],[{}],0,-1.5,\"x\",true]"), false, true},
    {BYTES("{}"), false, true},
    {BYTES("{ }"), false, true},
    {BYTES("{\"a\":1,\"a\":{}}"), false, true},
    {BYTES("{ \"a\" : 1 , \"\" : [ ] }"), false, true},
    {BYTES("{\"a\":1,}"), false, false},
    {BYTES("{\"a\"}"), false, false},
    {BYTES("{a:1}"), false, false},
    {BYTES("{1:1}"), false, false},
    {BYTES("{\"a\" 1}"), false, false},
    {BYTES("{\"a\":1]"), false, false},
    {BYTES("{} {}"), false, false},
    {BYTES("1,2"), false, false},
    {BYTES("\"\""), false, true},
    {BYTES("\"a"), false, false},
    {BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), false, true},
    {BYTES("\"\\u00e9\\uD800\""), false, true},
    {BYTES("\"\\u00g9\""), false, false},
    {BYTES("\"\\u00\""), false, false},
    {BYTES("\"\\x41\""), false, false},
    {BYTES("\"\\\0\""), false, false},
    {BYTES("\"\\'\""), false, false},
    {BYTES("'a'"), false, false},
    {BYTES("\"tab\there\""), false, false},
    {BYTES("\"line\nhere and here\""), false, false},
    {BYTES("\"12345678\\\"90123456\xc3\xa9\""), false, true},
    {BYTES("\"\xc3\""), false, false},
    {BYTES("\xef\xbb\xbf{}"), false, false},
    {BYTES("/**/1"), false, false},
};

static void test_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *t = texts[i].text;
        CHECK_CASE(i, t, json_is_number(t, texts[i].len) == texts[i].number);
        /* in two parts, cut at every character */
        for (size_t cut = 0; cut <= texts[i].len; cut++) {
            struct json_check c;
            if (cut < texts[i].len && ((unsigned char)t[cut] & 0xc0) == 0x80)
                continue;
            json_check_begin(&c);
            bool json = json_check_add(&c, t, cut);
            json = json_check_add(&c, t + cut, texts[i].len - cut) && json;
            CHECK_CASE(i, t, (json_check_end(&c) && json) == texts[i].json);
        }
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (unsigned depth = JSON_CHECK_DEPTH - 1; depth <= JSON_CHECK_DEPTH + 1; depth++) {
        struct json_check c;
        json_check_begin(&c);
        for (unsigned i = 0; i < depth; i++)
            (void)json_check_add(&c, "[", 1);
        for (unsigned i = 0; i < depth; i++)
            (void)json_check_add(&c, "]", 1);
        assert_int_equal(json_check_end(&c), depth <= JSON_CHECK_DEPTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_bit_as_boolean),
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
