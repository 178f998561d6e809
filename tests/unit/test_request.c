/* SPDX-License-Identifier: MIT */
/* test_request.c: deferred requests as they are kept: what is read, what is refused, and which may be sent twice. */
#include "task/request.h"
#include "unit.h"

#define WITH(method, target, host, address, headers, more)                                                     \
    "{\"site\":\"demo\",\"method\":\"" method "\",\"target\":\"" target "\",\"host\":\"" host                  \
    "\",\"scheme\":\"https\",\"address\":\"" address "\",\"headers\":" headers ",\"user\":7,\"interface\":\"prefer\"" \
    more "}"
#define REST ",\"body_bytes\":3,\"mode\":\"store\""

static void test_what_is_read(void **state)
{
    (void)state;
    static const char data[] =
        WITH("M-SEARCH", "/a/../%2e?b=caf\xc3\xa9", "x_y.test:8080", "2001:db8::1",
             "[[\"A\",\"1\"],[\"a\",\"\"],[\"B\",\"\xc3\xa9\"]]", ",\"body_bytes\":12345678901,\"mode\":\"forget\"");
    struct arena *arena = arena_create();
    struct deferred_request r;
    struct error e = {0};
    if (deferred_request_parse(data, sizeof data - 1, arena, &r, &e))
        fail_msg("%s", e.text);
    assert_string_equal(r.site, "demo");
    assert_string_equal(r.method, "M-SEARCH");
    assert_string_equal(r.target, "/a/../%2e?b=caf\xe9");
    assert_string_equal(r.host, "x_y.test:8080");
    assert_string_equal(r.address, "2001:db8::1");
    assert_true(r.body_bytes == UINT64_C(12345678901) && r.user == 7 && r.forget);
    assert_int_equal(r.headers.count, 3);
    assert_string_equal(r.headers.items[1].name, "a");
    assert_string_equal(r.headers.items[1].value, "");
    assert_string_equal(r.headers.items[2].value, "\xe9");
    arena_destroy(&arena);
}

static const char *const bad[] = {
    "",
    "null",
    "[]",
    "{}",
    WITH("GET", "/", "h", "", "[]", ",\"body_bytes\":3"),
    WITH("GET", "/", "h", "", "[]", ",\"mode\":\"store\""),
    WITH("GET", "/", "h", "", "[]", ",\"body_bytes\":-1,\"mode\":\"store\""),
    WITH("GET", "/", "h", "", "[]", ",\"body_bytes\":\"3\",\"mode\":\"store\""),
    WITH("GET", "/", "h", "", "{}", REST),
    WITH("GET", "/", "h", "", "[[\"A\"]]", REST),
    WITH("GET", "/", "h", "", "[[\"A B\",\"c\"]]", REST),
    WITH("GET", "/", "h", "", "[[\"\",\"c\"]]", REST),
    WITH("GET", "/", "h", "", "[[\"A:\",\"c\"]]", REST),
    WITH("GET", "/", "h", "", "[[\"A\",\"b\\r\\nC: d\"]]", REST),
    WITH("GET", "/", "h", "", "[[\"A\",\"b\\u0000\"]]", REST),
    WITH("", "/", "h", "", "[]", REST),
    WITH("G T", "/", "h", "", "[]", REST),
    WITH("GET\\r\\n", "/", "h", "", "[]", REST),
    WITH("GET", "", "h", "", "[]", REST),
    WITH("GET", "http://x/", "h", "", "[]", REST),
    WITH("GET", "*", "h", "", "[]", REST),
    WITH("GET", "/a b", "h", "", "[]", REST),
    WITH("GET", "/a#b", "h", "", "[]", REST),
    WITH("GET", "/\\u0100", "h", "", "[]", REST),
    WITH("GET", "/ HTTP/1.1\\r\\nX: y", "h", "", "[]", REST),
    WITH("GET", "/", "", "", "[]", REST),
    WITH("GET", "/", "a/b", "", "[]", REST),
    WITH("GET", "/", "a@b", "", "[]", REST),
    WITH("GET", "/", "a\\r\\nX: y", "", "[]", REST),
    WITH("GET", "/", "h", "unix:/x", "[]", REST),
    WITH("GET", "/", "h", "1.2.3.4, 5", "[]", REST),
};

static void test_what_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct arena *arena = arena_create();
        struct deferred_request r;
        struct error e = {0};
        CHECK_CASE(i, bad[i], deferred_request_parse(bad[i], strlen(bad[i]), arena, &r, &e) == ERR_INVALID);
        CHECK_CASE(i, bad[i], *e.text);
        arena_destroy(&arena);
    }
}

static void test_twice(void **state)
{
    (void)state;
    static const struct {
        const char *method, *target;
        bool repeatable, known_site;
    } cases[] = {
        {"GET", "/", true, false},      {"HEAD", "/", true, false},        {"PUT", "/", true, false},
        {"DELETE", "/", true, false},   {"OPTIONS", "/", true, false},     {"POST", "/", false, true},
        {"PATCH", "/", false, true},    {"get", "/", false, true},         {"GETX", "/", false, true},
        {"POST", "/safe", true, true},  {"POST", "/safe/x?y", true, true}, {"POST", "/saf", false, true},
        {"POST", "/safe", false, false}, {"POST", "/x/safe", false, true}, {"POST", "/safe/../x", false, true},
        {"POST", "/safe/%2E%2e/x", false, true}, {"POST", "/safe/.%2e/x", false, true},
        {"POST", "/safe?x=../y", true, true},
    };
    static const char *items[] = {"/other", "/safe"};
    const struct site_def site = {.retry_unsafe = {.items = (void *)items, .count = 2}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct deferred_request r = {.method = cases[i].method, .target = cases[i].target};
        CHECK_CASE(i, cases[i].method,
                   deferred_request_is_repeatable(&r, cases[i].known_site ? &site : NULL) == cases[i].repeatable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_twice),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
