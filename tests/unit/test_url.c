/* SPDX-License-Identifier: MIT */
/* test_url.c: query strings, their values, and cursors. */
#include <stdlib.h>

#include "base/clock.h"
#include "fcgi/cursor.h"
#include "fcgi/reference.h"
#include "fcgi/url.h"
#include "unit.h"

static const char allowed[] = "a,bb,limit,after";

static const struct {
    const char *text;
    enum url_fault fault;
    const char *out; /* "name=value;..." */
} queries[] = {
    {"", URL_GOOD, ""},
    {"&&", URL_GOOD, ""},
    {"a=1", URL_GOOD, "a=1;"},
    {"a=1&bb=2", URL_GOOD, "a=1;bb=2;"},
    {"&a=1&&bb=&", URL_GOOD, "a=1;bb=;"},
    {"a", URL_GOOD, "a=;"},
    {"a==", URL_GOOD, "a==;"},
    {"%61=%3d%26+%2B", URL_GOOD, "a==& +;"},
    {"a=%F0%9F%93%9A", URL_GOOD, "a=\xf0\x9f\x93\x9a;"},
    {"b=1", URL_UNKNOWN, NULL},
    {"A=1", URL_UNKNOWN, NULL},
    {"a,bb=1", URL_UNKNOWN, NULL},
    {"=1", URL_UNKNOWN, NULL},
    {",=1", URL_UNKNOWN, NULL},
    {"a=1&a=2", URL_MALFORMED, NULL},
    {"a=%", URL_MALFORMED, NULL},
    {"a=%1", URL_MALFORMED, NULL},
    {"a=%1g", URL_MALFORMED, NULL},
    {"a=%00", URL_MALFORMED, NULL},
    {"a=%ff", URL_MALFORMED, NULL},
    {"a=%c0%80", URL_MALFORMED, NULL},
    {"a=%ed%a0%80", URL_MALFORMED, NULL},
};

static void test_parse(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        struct url_query q;
        struct error e = {0};
        char out[256] = "";
        enum url_fault fault = url_query_parse(queries[i].text, allowed, arena, &q, &e);
        CHECK_CASE(i, queries[i].text, fault == queries[i].fault);
        CHECK_CASE(i, queries[i].text, (fault == URL_GOOD) == (e.text[0] == '\0'));
        CHECK_CASE(i, queries[i].text,
                   (fault == URL_UNKNOWN) == (strstr(e.text, "known here: known are a, bb, limit, after.") != NULL));
        if (fault != URL_GOOD)
            continue;
        for (size_t j = 0; j < q.count; j++) {
            strcat(out, q.items[j].name);
            strcat(out, "=");
            strcat(out, q.items[j].value);
            strcat(out, ";");
        }
        CHECK_CASE_TEXT(i, queries[i].text, out, queries[i].out);
    }
    arena_destroy(&arena);
}

static const struct {
    const char *text;
    int64_t value; /* -1: refused */
} integers[] = {
    {"a=1", 1},   {"a=500", 500}, {"a=0", -1},    {"a=501", -1},
    {"a=", -1},   {"a=+1", -1},   {"a=%2B1", -1}, {"a=1.0", -1},
    {"a=0x5", -1}, {"a= 1", -1},  {"a=1+", -1},   {"a=-1", -1},
    {"a=00012", 12}, {"a=99999999999999999999", -1}, {"bb=1", 7},
};

static void test_integer(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(integers); i++) {
        struct url_query q;
        int64_t value = 7;
        assert_int_equal(url_query_parse(integers[i].text, allowed, arena, &q, NULL), URL_GOOD);
        int rc = url_query_integer(&q, "a", 1, 500, &value, NULL);
        CHECK_CASE(i, integers[i].text, (rc != 0) == (integers[i].value < 0));
        CHECK_CASE(i, integers[i].text, rc != 0 || value == integers[i].value);
    }
    arena_destroy(&arena);
}

static const struct {
    const char *text;
    const char *value; /* NULL: refused */
} instants[] = {
    {"a=2026-11-21T09:30:00Z", "2026-11-21T09:30:00.000000Z"},
    {"a=2026-11-21T09:30:00%2B01:00", "2026-11-21T08:30:00.000000Z"},
    {"a=2026-11-21T09:30:00+01:00", "2026-11-21T08:30:00.000000Z"},
    {"a=2026-11-21T09:30:00-01:00", "2026-11-21T10:30:00.000000Z"},
    {"a=2026-11-21", NULL},
    {"a=2026-11-21T09:30:00", NULL},
    {"a=", NULL},
    {"a=now", NULL},
    {"a=2026-11-21T09:30:00.0000000000000000000000000000000000000000000000000000Z", NULL},
};

static void test_instant(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(instants); i++) {
        struct url_query q;
        int64_t value = 0;
        char out[INSTANT_TEXT_SIZE];
        assert_int_equal(url_query_parse(instants[i].text, allowed, arena, &q, NULL), URL_GOOD);
        int rc = url_query_instant(&q, "a", &value, NULL);
        CHECK_CASE(i, instants[i].text, (rc != 0) == !instants[i].value);
        if (rc != 0)
            continue;
        instant_format(value, out);
        CHECK_CASE_TEXT(i, instants[i].text, out, instants[i].value);
    }
    arena_destroy(&arena);
}

static void test_list(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct url_query q;
    const char *words[3];
    size_t count;
    assert_int_equal(url_query_parse("a=x,%2C,y", allowed, arena, &q, NULL), URL_GOOD);
    assert_int_equal(url_query_list(&q, "a", arena, words, 3, &count, NULL), ERR_INVALID);
    assert_int_equal(url_query_parse("a=x,y*", allowed, arena, &q, NULL), URL_GOOD);
    assert_int_equal(url_query_list(&q, "a", arena, words, 3, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_string_equal(words[0], "x");
    assert_string_equal(words[1], "y*");
    assert_int_equal(url_query_list(&q, "a", arena, words, 1, &count, NULL), ERR_INVALID);
    assert_int_equal(url_query_list(&q, "bb", arena, words, 3, &count, NULL), 0);
    assert_int_equal(count, 0);
    arena_destroy(&arena);
}

static void test_cursor(void **state)
{
    (void)state;
    static const uint64_t ids[] = {1, 2, 63, 64, 65, 4096, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct arena *arena = arena_create();
    struct url_query q, other, moved;
    assert_int_equal(url_query_parse("a=1&bb=2&limit=5&after=x", allowed, arena, &q, NULL), URL_GOOD);
    assert_int_equal(url_query_parse("limit=9&bb=2&a=1", allowed, arena, &moved, NULL), URL_GOOD);
    assert_int_equal(url_query_parse("a=12&bb=", allowed, arena, &other, NULL), URL_GOOD);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        char text[CURSOR_TEXT_SIZE], broken[CURSOR_TEXT_SIZE];
        uint64_t id = 0;
        cursor_make("tasks", 1, &q, ids[i], text);
        assert_true(cursor_read("tasks", 1, &q, text, &id));
        assert_true(id == ids[i]);
        assert_true(cursor_read("tasks", 1, &moved, text, &id));
        assert_false(cursor_read("tasks", 1, &other, text, &id));
        assert_false(cursor_read("tasks", 2, &q, text, &id));
        assert_false(cursor_read("exports", 1, &q, text, &id));
        for (size_t at = 0; at < CURSOR_TEXT_SIZE - 1; at++) {
            memcpy(broken, text, sizeof broken);
            broken[at] = broken[at] == 'A' ? 'B' : 'A';
            assert_false(cursor_read("tasks", 1, &q, broken, &id));
        }
        text[CURSOR_TEXT_SIZE - 2] = '\0';
        assert_false(cursor_read("tasks", 1, &q, text, &id));
    }
    arena_destroy(&arena);
}

/* The first ones are those of RFC 3986 section 5.4, as far as they are relative. */
static const struct {
    const char *target, *reference, *out;
} references[] = {
    {"/b/c/d;p?q", "g:h", "g:h"},
    {"/b/c/d;p?q", "g", "/b/c/g"},
    {"/b/c/d;p?q", "./g", "/b/c/g"},
    {"/b/c/d;p?q", "g/", "/b/c/g/"},
    {"/b/c/d;p?q", "/g", "/g"},
    {"/b/c/d;p?q", "//g", "//g"},
    {"/b/c/d;p?q", "?y", "/b/c/d;p?y"},
    {"/b/c/d;p?q", "g?y", "/b/c/g?y"},
    {"/b/c/d;p?q", "#s", "/b/c/d;p?q#s"},
    {"/b/c/d;p?q", "g?y#s", "/b/c/g?y#s"},
    {"/b/c/d;p?q", "", "/b/c/d;p?q"},
    {"/b/c/d;p?q", ".", "/b/c/"},
    {"/b/c/d;p?q", "..", "/b/"},
    {"/b/c/d;p?q", "../g", "/b/g"},
    {"/b/c/d;p?q", "../..", "/"},
    {"/b/c/d;p?q", "../../../g", "/g"},
    {"/b/c/d;p?q", "g.", "/b/c/g."},
    {"/b/c/d;p?q", "..g", "/b/c/..g"},
    {"/b/c/d;p?q", "./../g", "/b/g"},
    {"/b/c/d;p?q", "g/./h", "/b/c/g/h"},
    {"/b/c/d;p?q", "g/../h", "/b/c/h"},
    {"/b/c/d;p?q", "g?y/../x", "/b/c/g?y/../x"},
    {"/b/c/d;p?q", "g#s/../x", "/b/c/g#s/../x"},
    {"/b?a/c", "g", "/g"},
    {"/", "..", "/"},
    {"//h/b", "g", "/.//h/g"},
    {"/b/c", "..//g", "/.//g"},
};

static void test_references(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(references); i++)
        CHECK_CASE_TEXT(i, references[i].reference,
                        reference_resolve(references[i].target, references[i].reference, arena), references[i].out);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),   cmocka_unit_test(test_integer), cmocka_unit_test(test_instant),
        cmocka_unit_test(test_list),    cmocka_unit_test(test_cursor),  cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
