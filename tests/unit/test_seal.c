/* SPDX-License-Identifier: MIT */
/* test_seal.c: sealed texts open with their key and in their context only. */
#include <string.h>

#include "base/buf.h"
#include "task/seal.h"
#include "unit.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

struct fixture {
    struct seal_key key;
    struct buf context, sealed, plain;
};

static const char text[] = "[[\"Cookie\",\"sid=1\"]]";

static struct fixture sealed_text(const char *plain, size_t len)
{
    struct fixture f = {.context = BUF_INIT, .sealed = BUF_INIT, .plain = BUF_INIT};
    struct error e = {0};
    assert_int_equal(seal_key_read(KEY, &f.key, &e), 0);
    seal_request_context(&f.context, "shop", "GET", "/report?x=1");
    assert_int_equal(seal_close(&f.key, &f.context, plain, len, &f.sealed, &e), 0);
    return f;
}

static void release(struct fixture *f)
{
    buf_free(&f->context);
    buf_free(&f->sealed);
    buf_free(&f->plain);
}

static int open_it(struct fixture *f)
{
    struct error e = {0};
    return seal_open(&f->key, &f->context, f->sealed.data, f->sealed.len, &f->plain, &e);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct fixture f = sealed_text(text, strlen(text));
    assert_int_equal(open_it(&f), 0);
    assert_string_equal(buf_str(&f.plain), text);
    for (size_t i = 0; i + 6 < f.sealed.len; i++)
        assert_memory_not_equal(f.sealed.data + i, "Cookie", 6);
    release(&f);
    f = sealed_text("", 0);
    assert_int_equal(open_it(&f), 0);
    assert_int_equal(f.plain.len, 0);
    release(&f);
}

static void test_two_are_never_alike(void **state)
{
    (void)state;
    struct fixture a = sealed_text(text, strlen(text)), b = sealed_text(text, strlen(text));
    assert_int_equal(a.sealed.len, b.sealed.len);
    assert_memory_not_equal(a.sealed.data, b.sealed.data, a.sealed.len);
    release(&a);
    release(&b);
}

static void test_any_changed_bit(void **state)
{
    (void)state;
    struct fixture f = sealed_text(text, strlen(text));
    for (size_t i = 0; i < f.sealed.len; i++) {
        f.sealed.data[i] ^= 1;
        int rc = open_it(&f);
        assert_true(rc == ERR_INVALID || rc == ERR_DENIED);
        assert_int_equal(f.plain.len, 0);
        f.sealed.data[i] ^= 1;
    }
    for (size_t len = f.sealed.len; len--;) {
        f.sealed.len = len;
        assert_true(open_it(&f) < 0);
    }
    release(&f);
}

static void test_another_place(void **state)
{
    static const char *const places[][3] = {
        {"shop", "GET", "/report?x=2"},
        {"shop", "POST", "/report?x=1"},
        {"other", "GET", "/report?x=1"},
        {"shopGET", "", "/report?x=1"},
    };
    (void)state;
    struct fixture f = sealed_text(text, strlen(text));
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        buf_clear(&f.context);
        seal_request_context(&f.context, places[i][0], places[i][1], places[i][2]);
        assert_int_equal(open_it(&f), ERR_INVALID);
    }
    release(&f);
}

static void test_another_key(void **state)
{
    struct error e = {0};
    (void)state;
    struct fixture f = sealed_text(text, strlen(text));
    char other[] = KEY;
    other[0] = '1';
    assert_int_equal(seal_key_read(other, &f.key, &e), 0);
    assert_int_equal(open_it(&f), ERR_DENIED);
    release(&f);
    other[3] = 'g';
    assert_int_equal(seal_key_read(other, &f.key, &e), ERR_INVALID);
    assert_int_equal(seal_key_read("0011", &f.key, &e), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_two_are_never_alike),
        cmocka_unit_test(test_any_changed_bit), cmocka_unit_test(test_another_place),
        cmocka_unit_test(test_another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
