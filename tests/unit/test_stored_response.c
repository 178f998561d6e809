/* SPDX-License-Identifier: MIT */
/* test_stored_response.c: heads of kept responses: what is written is read back, byte for byte, and nothing
 * else is taken for one. */
#include "task/stored_response.h"
#include "unit.h"

static struct stored_header headers[] = {
    {"Content-Type", "text/plain; charset=utf-8"},
    {"Set-Cookie", "a=\"1\"; Path=/"},
    {"set-cookie", "b=2\\"},
    {"X-Empty", ""},
    {"X-Tab", "a\tb"},
    {"X-Utf8", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
    {"X-Latin1", "caf\xe9 \xff\x80"},
};

static const struct stored_response sample = {
    .status = 418, .reason = "I'm a teapot", .headers = headers, .header_count = COUNT_OF(headers)};

static void check_sample(const struct stored_response *r)
{
    assert_int_equal(r->status, 418);
    assert_string_equal(r->reason, sample.reason);
    assert_int_equal(r->header_count, COUNT_OF(headers));
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        CHECK_CASE_TEXT(i, "name", r->headers[i].name, headers[i].name);
        CHECK_CASE_TEXT(i, "value", r->headers[i].value, headers[i].value);
    }
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct arena *arena = arena_create();
    struct stored_response r;
    stored_response_head(&sample, &b);
    assert_int_equal(b.data[b.len - 1], '\n');
    assert_ptr_equal(memchr(b.data, '\n', b.len), b.data + b.len - 1);
    assert_int_equal(stored_response_parse(b.data, b.len - 1, arena, &r, NULL), 0);
    check_sample(&r);
    arena_destroy(&arena);
    buf_free(&b);
}

static void test_of_a_file(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct arena *arena = arena_create();
    struct stored_response r;
    stored_response_head(&sample, &b);
    size_t head = b.len;
    for (size_t body = 0; body <= 40000; body = body * 7 + 1) {
        b.len = head;
        for (size_t i = 0; i < body; i++)
            buf_addc(&b, "x\n\xff"[i % 3]);
        struct memory_file f = memory_file("", 0600);
        assert_int_equal(write(f.fd, b.data, b.len), (ssize_t)b.len);
        assert_int_equal(stored_response_read(f.fd, arena, &r, NULL), 0);
        check_sample(&r);
        assert_true(r.body_at == head && r.body_bytes == body);
        close(f.fd);
    }
    arena_destroy(&arena);
    buf_free(&b);
}

static void test_a_long_head(void **state)
{
    (void)state;
    struct buf b = BUF_INIT, line = BUF_INIT;
    struct arena *arena = arena_create();
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, 'v');
    struct stored_header one = {"X-Long", buf_str(&b)};
    struct stored_response r, long_one = {.status = 200, .reason = "", .headers = &one, .header_count = 1};
    stored_response_head(&long_one, &line);
    struct memory_file f = memory_file(buf_str(&line), 0600);
    assert_int_equal(stored_response_read(f.fd, arena, &r, NULL), 0);
    assert_string_equal(r.headers[0].value, one.value);
    assert_int_equal(r.body_bytes, 0);
    close(f.fd);
    arena_destroy(&arena);
    buf_free(&b);
    buf_free(&line);
}

static void test_what_is_no_head(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"status\":200,\"reason\":\"\",\"headers\":[]} x",
        "{\"status\":199,\"reason\":\"\",\"headers\":[]}",
        "{\"status\":1000,\"reason\":\"\",\"headers\":[]}",
        "{\"status\":\"200\",\"reason\":\"\",\"headers\":[]}",
        "{\"status\":200,\"reason\":null,\"headers\":[]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":{}}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[\"a\"]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"a\"]]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"\",\"b\"]]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"a\",\"b\",\"c\"]]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"a\",1]]}",
        "{\"status\":200,\"reason\":\"a\\r\\nb: c\",\"headers\":[]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"a\",\"b\\r\\nc: d\"]]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"a\",\"b\\u0000c\"]]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"a\",\"\\u0100\"]]}",
        "{\"status\":200,\"reason\":\"\",\"headers\":[[\"a\",\"\\ud83d\\ude00\"]]}",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct arena *arena = arena_create();
        struct stored_response r;
        struct error e = {0}, of_file = {0};
        CHECK_CASE(i, bad[i], stored_response_parse(bad[i], strlen(bad[i]), arena, &r, &e) == ERR_INVALID);
        CHECK_CASE(i, bad[i], *e.text);
        struct memory_file f = memory_file(arena_printf(arena, "%s\n", bad[i]), 0600);
        CHECK_CASE(i, bad[i], stored_response_read(f.fd, arena, &r, &of_file) == ERR_INVALID);
        CHECK_CASE_TEXT(i, bad[i], of_file.text, e.text);
        close(f.fd);
        arena_destroy(&arena);
    }
}

static void test_no_line(void **state)
{
    (void)state;
    static const char head[] = "{\"status\":200,\"reason\":\"\",\"headers\":[]}";
    struct arena *arena = arena_create();
    struct stored_response r;
    struct error e = {0};
    struct memory_file f = memory_file(head, 0600);
    assert_int_equal(stored_response_read(f.fd, arena, &r, &e), ERR_INVALID);
    assert_string_equal(e.text, "the stored response has no head");
    assert_int_equal(write(f.fd, "\n", 1), 1);
    assert_int_equal(stored_response_read(f.fd, arena, &r, NULL), 0);
    close(f.fd);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_of_a_file),
        cmocka_unit_test(test_a_long_head),
        cmocka_unit_test(test_what_is_no_head),
        cmocka_unit_test(test_no_line),
    };
    return cmocka_run_group_tests_name("stored_response", tests, NULL, NULL);
}
