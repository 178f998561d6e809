/* SPDX-License-Identifier: MIT */
/* test_cell.c: values as CSV fields and as HTML text. */
#include <stdlib.h>

#include "base/mem.h"
#include "tasks/types/csv_cell.h"
#include "tasks/types/html_cell.h"
#include "unit.h"

#define BYTES(s) s, sizeof s - 1

static const struct {
    enum cell_kind kind;
    const char *value; /* NULL = SQL's NULL */
    size_t len;
    const char *plain;   /* the field without guard */
    const char *guarded; /* NULL = the same */
} csv_cases[] = {
    {CELL_TEXT, NULL, 0, "", NULL},
    {CELL_PLAIN, NULL, 0, "", NULL},
    {CELL_TEXT, BYTES(""), "\"\"", NULL},
    {CELL_BASE64, BYTES(""), "\"\"", NULL},
    {CELL_TEXT, BYTES("a"), "a", NULL},
    {CELL_TEXT, BYTES(" a "), " a ", NULL},
    {CELL_TEXT, BYTES("a,b"), "\"a,b\"", NULL},
    {CELL_TEXT, BYTES("a;b\tc"), "a;b\tc", NULL},
    {CELL_TEXT, BYTES("\""), "\"\"\"\"", NULL},
    {CELL_TEXT, BYTES("say \"hi\""), "\"say \"\"hi\"\"\"", NULL},
    {CELL_TEXT, BYTES("1234567\""), "\"1234567\"\"\"", NULL}, /* the last of eight */
    {CELL_TEXT, BYTES("12345678\""), "\"12345678\"\"\"", NULL}, /* the first behind eight */
    {CELL_TEXT, BYTES("1234567,90123456"), "\"1234567,90123456\"", NULL},
    {CELL_TEXT, BYTES("12345678\n"), "\"12345678\n\"", NULL},
    {CELL_TEXT, BYTES("12345678\x0b\x0c\x01\x0e\x1f#!+-"), "12345678\x0b\x0c\x01\x0e\x1f#!+-", NULL},
    {CELL_TEXT, BYTES("\r"), "\"\r\"", "\"'\r\""},
    {CELL_TEXT, BYTES("\n"), "\"\n\"", "\"'\n\""},
    {CELL_TEXT, BYTES("\t"), "\t", "'\t"},
    {CELL_TEXT, BYTES("=1+1"), "=1+1", "'=1+1"},
    {CELL_TEXT, BYTES("+1"), "+1", "'+1"},
    {CELL_TEXT, BYTES("-1"), "-1", "'-1"},
    {CELL_TEXT, BYTES("@x"), "@x", "'@x"},
    {CELL_TEXT, BYTES("=a,b"), "\"=a,b\"", "\"'=a,b\""},
    {CELL_TEXT, BYTES("'=x"), "'=x", "''=x"},
    {CELL_TEXT, BYTES("'''-"), "'''-", "''''-"},
    {CELL_TEXT, BYTES("'"), "'", NULL},
    {CELL_TEXT, BYTES("'x="), "'x=", NULL},
    {CELL_TEXT, BYTES("a=b"), "a=b", NULL},
    {CELL_TEXT, BYTES(" =b"), " =b", NULL},
    {CELL_TEXT, BYTES("\xef\xbc\x9d"), "\xef\xbc\x9d", NULL},
    {CELL_TEXT, BYTES("\xf0\x9f\x93\x9a,\xd7\xa2"), "\"\xf0\x9f\x93\x9a,\xd7\xa2\"", NULL},
    {CELL_PLAIN, BYTES("-5"), "-5", NULL},
    {CELL_PLAIN, BYTES("-1.5e-9"), "-1.5e-9", NULL},
    {CELL_JSON, BYTES("-5"), "-5", NULL},
    {CELL_JSON, BYTES("{\"a\": 1}"), "\"{\"\"a\"\": 1}\"", NULL},
    {CELL_BASE64, BYTES("\0"), "AA==", NULL},
    {CELL_BASE64, BYTES("\xff\xfe"), "//4=", NULL},
    {CELL_BASE64, BYTES("\xfb\xef\xbe"), "++++", NULL}, /* no text: not guarded */
    {CELL_HEX, BYTES("\0\xab"), "00AB", NULL},
    {CELL_BIT, BYTES("\0"), "0", NULL},
    {CELL_BIT, BYTES("\x01\x00"), "256", NULL},
    {CELL_BIT, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615", NULL},
};

/* The field in exactly the memory that it may need, so that a sanitizer sees a byte too many. */
static void check_csv(size_t i, const struct csv_style *style, const char *wanted)
{
    char *room = xmalloc(csv_room(style, csv_cases[i].len));
    char *value = csv_cases[i].value ? xmalloc(csv_cases[i].len) : NULL;
    if (value && csv_cases[i].len)
        memcpy(value, csv_cases[i].value, csv_cases[i].len);
    char *end = csv_cell(room, style, csv_cases[i].kind, value, csv_cases[i].len);
    char *got = xstrndup(room, (size_t)(end - room));
    CHECK_CASE_TEXT(i, wanted, got, wanted);
    free(got);
    free(value);
    free(room);
}

static void test_csv(void **state)
{
    (void)state;
    const struct csv_style plain = {.guard = false}, guarded = {.guard = true};
    for (size_t i = 0; i < COUNT_OF(csv_cases); i++) {
        check_csv(i, &plain, csv_cases[i].plain);
        check_csv(i, &guarded,
                  csv_cases[i].guarded ? csv_cases[i].guarded : csv_cases[i].plain);
    }
}

static const struct {
    const char *null_text;
    enum cell_kind kind;
    const char *value;
    const char *wanted;
} null_cases[] = {
    {"NULL", CELL_TEXT, NULL, "NULL"},
    {"NULL", CELL_TEXT, "NULL", "\"NULL\""},
    {"NULL", CELL_TEXT, "null", "null"},
    {"NULL", CELL_TEXT, "NULLs", "NULLs"},
    {"NULL", CELL_TEXT, "", "\"\""},
    {"NULL", CELL_BASE64, "5B\xcb", "\"NULL\""},
    {"0", CELL_PLAIN, "0", "\"0\""},
    {"\\N", CELL_TEXT, "\\N", "\"\\N\""},
    {"a,b", CELL_TEXT, NULL, "\"a,b\""},
    {"", CELL_TEXT, NULL, ""},
    {NULL, CELL_TEXT, NULL, ""},
};

static void test_csv_null(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(null_cases); i++) {
        struct csv_style style = {0};
        const char *value = null_cases[i].value;
        char room[100];
        style.null_text = csv_null(arena, null_cases[i].null_text, &style.null_len);
        *csv_cell(room, &style, null_cases[i].kind, value, value ? strlen(value) : 0) = '\0';
        CHECK_CASE_TEXT(i, null_cases[i].wanted, room, null_cases[i].wanted);
    }
    arena_destroy(&arena);
}

/* In parts of any size a value comes out as in one, but that text is always quoted. */
static void test_csv_stream(void **state)
{
    (void)state;
    const struct csv_style style = {.guard = true};
    for (size_t i = 0; i < COUNT_OF(csv_cases); i++) {
        enum cell_kind kind = csv_cases[i].kind;
        if (kind == CELL_BIT || kind == CELL_PLAIN || csv_cases[i].len == 0)
            continue;
        bool bytes = kind == CELL_BASE64 || kind == CELL_HEX;
        char whole[200], parts[200], *p = parts;
        *csv_cell(whole, &style, kind, csv_cases[i].value, csv_cases[i].len) = '\0';
        for (size_t step = bytes ? 3 : 1; step < 10; step += bytes ? 3 : 1) {
            struct csv_stream stream;
            csv_stream_begin(&stream, &style, kind);
            p = parts + snprintf(parts, sizeof parts, "%s", stream.quote);
            for (size_t at = 0; at < csv_cases[i].len; at += step) {
                size_t n = csv_cases[i].len - at < step ? csv_cases[i].len - at : step;
                p = csv_stream_add(&stream, p, csv_cases[i].value + at, n);
            }
            snprintf(p, sizeof parts - (size_t)(p - parts), "%s", stream.quote);
            const char *got = !bytes && whole[0] != '"' ? parts + 1 : parts;
            if (got != parts)
                p[0] = '\0';
            CHECK_CASE_TEXT(i, whole, got, whole);
        }
    }
}

static void test_csv_large(void **state)
{
    (void)state;
    struct csv_style style = {0};
    char *text = xmalloc(CSV_LARGE + 1), *room = xmalloc(csv_room(&style, CSV_LARGE + 1));
    memset(text, 'x', CSV_LARGE + 1);
    assert_int_equal(csv_cell(room, &style, CELL_TEXT, text, CSV_LARGE) - room, CSV_LARGE);
    assert_int_equal(csv_cell(room, &style, CELL_TEXT, text, CSV_LARGE + 1) - room, CSV_LARGE + 3);
    free(room);
    free(text);
}

static const struct {
    const char *text;
    size_t len;
    const char *wanted;
} html_cases[] = {
    {BYTES(""), ""},
    {BYTES("plain text of some length"), "plain text of some length"},
    {BYTES("<b>&\"'</b>"), "&lt;b&gt;&amp;\"'&lt;/b&gt;"},
    {BYTES("1234567<"), "1234567&lt;"},
    {BYTES("12345678<"), "12345678&lt;"},
    {BYTES("&amp;"), "&amp;amp;"},
    {BYTES("a\r\nb\tc"), "a&#13;\nb\tc"},
    {BYTES("12\0" "45678"), "12\xef\xbf\xbd" "45678"},
    {BYTES("&&&&&&&&&"), "&amp;&amp;&amp;&amp;&amp;&amp;&amp;&amp;&amp;"},
    {BYTES("\x01\x0b\x1f\x7f '%/="), "\x01\x0b\x1f\x7f '%/="},
    {BYTES("\xf0\x9f\x93\x9a \xd7\xa2 \xe2\x80\xae"), "\xf0\x9f\x93\x9a \xd7\xa2 \xe2\x80\xae"},
};

static void test_html(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(html_cases); i++) {
        char *room = xmalloc(html_room(html_cases[i].len));
        char *text = xmalloc(html_cases[i].len);
        memcpy(text, html_cases[i].text, html_cases[i].len);
        char *end = html_text(room, text, html_cases[i].len);
        char *got = xstrndup(room, (size_t)(end - room));
        CHECK_CASE_TEXT(i, html_cases[i].wanted, got, html_cases[i].wanted);
        free(got);
        free(text);
        free(room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),       cmocka_unit_test(test_csv_null),
        cmocka_unit_test(test_csv_stream), cmocka_unit_test(test_csv_large),
        cmocka_unit_test(test_html),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
