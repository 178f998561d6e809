/* SPDX-License-Identifier: MIT */
/* test_idempotency.c: keys as clients send them, and fingerprints. */
#include "base/error.h"
#include "fcgi/idempotency.h"
#include "unit.h"

#define FIFTY "01234567890123456789012345678901234567890123456789"
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY "01234"

static void test_keys(void **state)
{
    static const struct {
        const char *header, *key; /* NULL: refused */
    } cases[] = {
        {"a", "a"},
        {"\"a\"", "a"},
        {"  8e03978e-40d5-43dd-bc93-6894a57f9324\t", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
        {" \"8e03978e\" ", "8e03978e"},
        {"\"a\\\"b\\\\\"", "a\"b\\"},
        {"a\"b", "a\"b"},
        {"!~", "!~"},
        {LONG, LONG},
        {"\"" LONG "\"", LONG},
        {LONG "5", NULL},
        {"\"" LONG "5\"", NULL},
        {"", NULL},
        {"  ", NULL},
        {"\"\"", NULL},
        {"\"", NULL},
        {"\"a", NULL},
        {"\"a\"b", NULL},
        {"\"a\";x=1", NULL},
        {"\"a\\\"", NULL},
        {"\"a\\b\"", NULL},
        {"a b", NULL},
        {"\"a b\"", NULL},
        {"a, b", NULL},
        {"a\x7f", NULL},
        {"\xc3\xa9", NULL},
        {"\"\xc3\xa9\"", NULL},
        {"a\tb", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char key[IDEMPOTENCY_KEY_SIZE];
        int result = idempotency_key_parse(cases[i].header, key);
        CHECK_CASE(i, cases[i].header, (result == 0) == (cases[i].key != NULL));
        CHECK_CASE_TEXT(i, cases[i].header, key, cases[i].key ? cases[i].key : "");
    }
}

static void test_hash(void **state)
{
    char hash[BODY_HASH_SIZE];
    (void)state;
    body_hash("abc", 3, hash); /* FIPS 180-4's example */
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_hash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
