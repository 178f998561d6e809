/* SPDX-License-Identifier: MIT */
/* test_page_sql.c: the statements by which an export is read page by page. */
#include <stdlib.h>

#include "tasks/types/key.h"
#include "tasks/types/page_sql.h"
#include "unit.h"

static const struct db_column columns[] = {
    {.name = "a", .type = DB_TYPE_INTEGER},
    {.name = "we`ird", .type = DB_TYPE_TEXT, .max_bytes = 40},
    {.name = "c", .type = DB_TYPE_DECIMAL},
    {.name = "text", .type = DB_TYPE_TEXT, .max_bytes = UINT32_MAX},
    {.name = "bytes", .type = DB_TYPE_BYTES, .max_bytes = UINT32_MAX},
};

#define FROM " FROM (\nQ\n) AS page"

static const struct {
    const char *keys[3];
    unsigned key_count;
    const char *after;
    const char *equal;
    const char *order;
} key_cases[] = {
    {{"a"}, 1, "page.`a` > ?", "page.`a` = ?", "page.`a`"},
    {{"we`ird"}, 1, "page.`we``ird` > ?", "page.`we``ird` = ?", "page.`we``ird`"},
    {{"a", "c"}, 2,
     "page.`a` >= ? AND (page.`a` > ? OR (page.`a` = ? AND page.`c` > ?))",
     "page.`a` = ? AND page.`c` = ?", "page.`a`, page.`c`"},
    {{"c", "a", "we`ird"}, 3,
     "page.`c` >= ? AND (page.`c` > ? OR (page.`c` = ? AND (page.`a` > ? OR (page.`a` = ? AND "
     "page.`we``ird` > ?))))",
     "page.`c` = ? AND page.`a` = ? AND page.`we``ird` = ?", "page.`c`, page.`a`, page.`we``ird`"},
};

static void test_keys(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(key_cases); i++) {
        struct page_query q = {
            .text = "Q",
            .keys = key_cases[i].keys,
            .key_count = key_cases[i].key_count,
            .columns = columns,
            .column_count = COUNT_OF(columns),
        };
        struct page_sql sql;
        page_sql_build(&q, arena, &sql);
        const char *order = key_cases[i].order;
        CHECK_CASE_TEXT(i, "first", sql.first,
                        arena_printf(arena, "SELECT *" FROM " ORDER BY %s LIMIT ?", order));
        CHECK_CASE_TEXT(i, "next", sql.next,
                        arena_printf(arena, "SELECT *" FROM " WHERE %s ORDER BY %s LIMIT ?",
                                     key_cases[i].after, order));
        CHECK_CASE_TEXT(i, "twin", sql.twin,
                        arena_printf(arena,
                                     "SELECT COUNT(*) FROM (SELECT 1" FROM
                                     " WHERE %s LIMIT 2) AS twin",
                                     key_cases[i].equal));
        CHECK_CASE(i, "long", !sql.long_first && !sql.long_next);
        if (q.key_count > 1) {
            CHECK_CASE(i, "one column", !sql.range && !sql.last);
            continue;
        }
        CHECK_CASE_TEXT(i, "range", sql.range,
                        arena_printf(arena, "SELECT *" FROM " WHERE %s > ? AND %s <= ? ORDER BY %s LIMIT ?",
                                     order, order, order));
        CHECK_CASE_TEXT(i, "last", sql.last,
                        arena_printf(arena, "SELECT %s" FROM " ORDER BY %s DESC LIMIT 1", order, order));
    }
    arena_destroy(&arena);
}

static void test_long_columns(void **state)
{
    (void)state;
    static const bool is_long[] = {false, false, false, true, true};
    static const char *const keys[] = {"a"};
    struct arena *arena = arena_create();
    struct page_query q = {
        .text = "Q",
        .keys = keys,
        .key_count = 1,
        .columns = columns,
        .column_count = COUNT_OF(columns),
        .is_long = is_long,
        .long_bytes = 1000,
    };
    struct page_sql sql;
    page_sql_build(&q, arena, &sql);
#define SHORT                                                                                    \
    "SELECT page.`a`, page.`we``ird`, page.`c`, "                                                \
    "IF(LENGTH(page.`text`) > 1000, NULL, page.`text`), "                                        \
    "IF(LENGTH(page.`bytes`) > 1000, NULL, page.`bytes`)"
    assert_string_equal(sql.first,
                        SHORT ", LENGTH(page.`text`) > 1000 OR LENGTH(page.`bytes`) > 1000" FROM
                              " ORDER BY page.`a` LIMIT ?");
    assert_string_equal(sql.long_next,
                        SHORT ", IF(LENGTH(page.`text`) > 1000, CHAR_LENGTH(page.`text`), NULL)"
                              ", IF(LENGTH(page.`bytes`) > 1000, LENGTH(page.`bytes`), NULL)" FROM
                              " WHERE page.`a` > ? ORDER BY page.`a` LIMIT ?");
    assert_string_equal(page_sql_slice(&q, 3, arena),
                        "SELECT SUBSTRING(page.`text`, ?, ?)" FROM " WHERE page.`a` = ?");
    assert_string_equal(page_sql_count("Q", arena), "SELECT COUNT(*)" FROM);
    assert_string_equal(page_sql_describe("Q", arena), "SELECT *" FROM " LIMIT 0");
    arena_destroy(&arena);
}

static void test_key_values(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "we`ird", "C"};
    struct str_list list = {names, COUNT_OF(names)};
    struct error e = {0};
    struct key key = {0};
    assert_int_equal(key_init(&key, &list, columns, COUNT_OF(columns), &e), 0);
    char minus[] = "-7", its[] = "it's", price[] = "1.50", dearer[] = "1.51", long_text[200];
    char *values[5] = {minus, its, price, NULL, NULL};
    unsigned long lengths[5] = {2, 4, 4, 0, 0};
    memset(long_text, 'x', sizeof long_text);
    assert_int_equal(key_check(&key, values, lengths), KEY_NEW);
    key_store(&key, values, lengths);
    assert_int_equal(key_check(&key, values, lengths), KEY_SAME);
    values[2] = dearer;
    assert_int_equal(key_check(&key, values, lengths), KEY_NEW);
    values[1] = NULL;
    assert_int_equal(key_check(&key, values, lengths), KEY_HAS_NULL);
    values[1] = long_text;
    lengths[1] = sizeof long_text;
    key_store(&key, values, lengths);
    assert_int_equal(key_check(&key, values, lengths), KEY_SAME);

    struct db_value out[2 * KEY_PARTS_MAX];
    assert_int_equal(key_equal(&key, out), 3);
    assert_int_equal(key_after(&key, out), 6);
    static const enum db_kind kinds[] = {DB_INT, DB_INT, DB_INT, DB_TEXT, DB_TEXT, DB_DECIMAL};
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(out[i].kind, kinds[i]);
    assert_int_equal(out[0].i, -7);
    assert_int_equal(out[4].s.len, sizeof long_text);
    assert_memory_equal(out[5].s.p, "1.51", 4);
    key_free(&key);
}

/* What a checkpoint keeps of a key is the whole key. */
static void test_saved_key(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "we`ird"};
    struct str_list list = {names, COUNT_OF(names)};
    struct error e = {0};
    struct key key = {0}, again = {0};
    struct checkpoint_bytes saved[KEY_PARTS_MAX];
    assert_int_equal(key_init(&key, &list, columns, COUNT_OF(columns), &e), 0);
    assert_int_equal(key_init(&again, &list, columns, COUNT_OF(columns), &e), 0);
    char minus[] = "-7", text[300];
    memset(text, 'x', sizeof text);
    char *values[2] = {minus, text};
    unsigned long lengths[2] = {2, sizeof text};
    key_store(&key, values, lengths);
    assert_int_equal(key_save(&key, saved), 2);
    assert_false(key_restore(&again, saved, 1));
    assert_false(again.has_last);
    assert_true(key_restore(&again, saved, 2));
    assert_int_equal(key_check(&again, values, lengths), KEY_SAME);
    key_free(&key);
    key_free(&again);
}

/* In the order of the keys, and back again. */
static void test_places(void **state)
{
    (void)state;
    static const struct {
        bool is_unsigned;
        const char *text;
        uint64_t place;
    } cases[] = {
        {false, "-9223372036854775808", 0},
        {false, "-1", UINT64_MAX / 2},
        {false, "0", UINT64_MAX / 2 + 1},
        {false, "9223372036854775807", UINT64_MAX},
        {true, "0", 0},
        {true, "0000000042", 42},
        {true, "18446744073709551615", UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct db_column c = {.name = "k", .type = DB_TYPE_INTEGER, .is_unsigned = cases[i].is_unsigned};
        struct key k = {.parts = {{.type = &c}}, .count = 1};
        CHECK_CASE(i, cases[i].text, key_is_integer(&k));
        CHECK_CASE(i, cases[i].text, key_place_of(&k, cases[i].text) == cases[i].place);
        struct db_value v = key_value_at(&k, cases[i].place);
        CHECK_CASE(i, cases[i].text, v.kind == (c.is_unsigned ? DB_UINT : DB_INT));
        CHECK_CASE(i, cases[i].text,
                   c.is_unsigned ? v.u == strtoull(cases[i].text, NULL, 10)
                                 : v.i == strtoll(cases[i].text, NULL, 10));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_long_columns),
        cmocka_unit_test(test_key_values),
        cmocka_unit_test(test_saved_key),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
