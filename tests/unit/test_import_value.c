/* SPDX-License-Identifier: MIT */
/* test_import_value.c: fields as values of columns, as a table; and back from what an export writes. */
#include "tasks/types/csv_cell.h"
#include "tasks/types/import_value.h"
#include "unit.h"

#define BYTES(s) s, sizeof s - 1

static const struct import_column tiny = {.kind = IMPORT_INTEGER, .size = 1, .nullable = true},
    big = {.kind = IMPORT_INTEGER, .size = 8}, ubig = {.kind = IMPORT_INTEGER, .size = 8, .is_unsigned = true},
    decimal = {.kind = IMPORT_DECIMAL, .size = 5, .scale = 2}, whole = {.kind = IMPORT_DECIMAL, .size = 3},
    number = {.kind = IMPORT_FLOAT}, bit = {.kind = IMPORT_BIT, .size = 3}, date = {.kind = IMPORT_DATE},
    datetime = {.kind = IMPORT_DATETIME, .scale = 3}, clock_time = {.kind = IMPORT_TIME, .scale = 6},
    year = {.kind = IMPORT_YEAR}, text = {.kind = IMPORT_TEXT, .max_chars = 4, .nullable = true},
    bytes = {.kind = IMPORT_BYTES, .max_bytes = 3},
    member = {.kind = IMPORT_TEXT, .members = "'a','20','x''2''y',' 7','','3')"},
    single = {.kind = IMPORT_TEXT, .members = "'1')"};

/* WANT: the value as text ("NULL" is SQL's), or NULL: refused. */
static const struct {
    const struct import_column *column;
    const char *field;
    size_t len;
    const char *want;
} cases[] = {
    {&tiny, BYTES("-128"), "-128"},
    {&tiny, BYTES("+127"), "127"},
    {&tiny, BYTES("007"), "7"},
    {&tiny, BYTES("128"), NULL},
    {&tiny, BYTES("-129"), NULL},
    {&tiny, BYTES(""), "NULL"},
    {&tiny, BYTES("-"), NULL},
    {&tiny, BYTES("1 "), NULL},
    {&tiny, BYTES("1\0"), NULL},
    {&big, BYTES("-9223372036854775808"), "-9223372036854775808"},
    {&big, BYTES("9223372036854775808"), NULL},
    {&big, BYTES(""), NULL},
    {&ubig, BYTES("18446744073709551615"), "18446744073709551615"},
    {&ubig, BYTES("18446744073709551616"), NULL},
    {&ubig, BYTES("-1"), NULL},
    {&ubig, BYTES("-0"), "0"},
    {&decimal, BYTES("999.99"), "999.99"},
    {&decimal, BYTES("-0999.9900"), "-0999.9900"},
    {&decimal, BYTES(".5"), ".5"},
    {&decimal, BYTES("5."), "5."},
    {&decimal, BYTES("."), NULL},
    {&decimal, BYTES("1000"), NULL},
    {&decimal, BYTES("1.234"), NULL},
    {&decimal, BYTES("1e2"), NULL},
    {&decimal, BYTES("1,5"), NULL},
    {&whole, BYTES("999.000"), "999.000"},
    {&number, BYTES("-1.5e-300"), "-1.5e-300"},
    {&number, BYTES("1e400"), NULL},
    {&number, BYTES("nan"), NULL},
    {&number, BYTES("0x10"), NULL},
    {&number, BYTES("1e"), NULL},
    {&bit, BYTES("7"), "7"},
    {&bit, BYTES("8"), NULL},
    {&date, BYTES("2024-02-29"), "2024-02-29"},
    {&date, BYTES("2023-02-29"), NULL},
    {&date, BYTES("0000-00-00"), "0000-00-00"},
    {&date, BYTES("2024-13-01"), NULL},
    {&date, BYTES("24-01-01"), NULL},
    {&date, BYTES("2024-01-01 00:00:00"), NULL},
    {&datetime, BYTES("2024-01-01 23:59:59.123"), "2024-01-01 23:59:59.123"},
    {&datetime, BYTES("2024-01-01T23:59"), "2024-01-01T23:59"},
    {&datetime, BYTES("2024-01-01"), "2024-01-01"},
    {&datetime, BYTES("2024-01-01 00:00:00.123000"), "2024-01-01 00:00:00.123000"},
    {&datetime, BYTES("2024-01-01 00:00:00.1234"), NULL},
    {&datetime, BYTES("2024-01-01 00:00:60"), NULL},
    {&datetime, BYTES("2024-01-01 00:00:00Z"), NULL},
    {&datetime, BYTES("2024-01-01 00:00:00."), NULL},
    {&clock_time, BYTES("-838:59:59"), "-838:59:59"},
    {&clock_time, BYTES("838:59:59.000000"), "838:59:59.000000"},
    {&clock_time, BYTES("838:59:59.000001"), NULL},
    {&clock_time, BYTES("839:00:00"), NULL},
    {&clock_time, BYTES("1:02"), "1:02"},
    {&clock_time, BYTES("12:60:00"), NULL},
    {&clock_time, BYTES("12"), NULL},
    {&year, BYTES("0000"), "0"},
    {&year, BYTES("1901"), "1901"},
    {&year, BYTES("1900"), NULL},
    {&year, BYTES("99"), NULL},
    {&text, BYTES("\xf0\x9f\x93\x9a\xf0\x9f\x93\x9a\xf0\x9f\x93\x9a\xf0\x9f\x93\x9a"),
     "\xf0\x9f\x93\x9a\xf0\x9f\x93\x9a\xf0\x9f\x93\x9a\xf0\x9f\x93\x9a"},
    {&text, BYTES("abcde"), NULL},
    {&text, BYTES("'=ab"), "=ab"},
    {&text, BYTES("''-"), "'-"},
    {&text, BYTES("'"), "'"},
    {&text, BYTES("'a="), "'a="},
    {&text, BYTES("=ab"), "=ab"},
    {&member, BYTES("a"), "a"},
    {&member, BYTES("b"), "b"},
    {&member, BYTES("20"), "20"},
    {&member, BYTES("3  "), "3  "},
    {&member, BYTES(" 7"), " 7"},
    {&member, BYTES("7"), NULL},
    {&member, BYTES("2"), NULL},
    {&member, BYTES("0"), NULL},
    {&member, BYTES("1 "), NULL},
    {&member, BYTES(" +1"), NULL},
    {&member, BYTES("'-0"), NULL},
    {&member, BYTES("\xc2\xa0" "3"), NULL},
    {&member, BYTES("1a"), "1a"},
    {&member, BYTES("20,3"), "20,3"},
    {&single, BYTES("1"), "1"},
    {&single, BYTES("2"), NULL},
    {&bytes, BYTES("AAEC"), "\0\1\2"},
    {&bytes, BYTES("QQ=="), "A"},
    {&bytes, BYTES("AAECAA=="), NULL},
    {&bytes, BYTES("AAE"), NULL},
    {&bytes, BYTES("A==="), NULL},
    {&bytes, BYTES("A=AA"), NULL},
    {&bytes, BYTES("AA C"), NULL},
};

static const char *show(const struct db_value *v, char *out, size_t size)
{
    switch (v->kind) {
    case DB_INT:
        snprintf(out, size, "%lld", (long long)v->i);
        break;
    case DB_UINT:
        snprintf(out, size, "%llu", (unsigned long long)v->u);
        break;
    case DB_NULL:
        snprintf(out, size, "NULL");
        break;
    default:
        snprintf(out, size, "%.*s", (int)v->s.len, v->s.p);
    }
    return out;
}

static void test_cases(void **state)
{
    static const struct import_style style = {.guard = true};
    struct arena *arena = arena_create();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct csv_field f = {cases[i].field, cases[i].len, false, false};
        struct db_value v = db_null();
        char shown[100];
        const char *wrong = import_value(&style, cases[i].column, &f, arena, &v);
        CHECK_CASE(i, cases[i].field,
                   cases[i].want ? !wrong && strcmp(show(&v, shown, sizeof shown), cases[i].want) == 0
                                 : wrong && *wrong);
    }
    arena_destroy(&arena);
}

/* What an export writes of a text, or of NULL, is read as the same, whatever stands for NULL. */
static void test_there_and_back(void **state)
{
    static const char *const values[] = {NULL, "", "NULL", "a", "=1", "'=1", "''", "\"", "a\"b", "a,b", "\n", "'\t",
                                         "-", "\"NULL\"", "\\N"};
    static const char *const nulls[] = {"", "NULL", "-", "\\N", "=1", "''"};
    static const struct import_column any = {.kind = IMPORT_TEXT, .nullable = true};
    struct arena *arena = arena_create();
    (void)state;
    for (size_t n = 0; n < COUNT_OF(nulls); n++)
        for (size_t i = 0; i < 2 * COUNT_OF(values); i++) {
            const char *value = values[i / 2];
            struct csv_style out = {.guard = i % 2};
            struct import_style in = {.guard = i % 2};
            in.null_text = out.null_text = csv_null(arena, nulls[n], &out.null_len);
            in.null_len = out.null_len;
            char cell[100];
            size_t len = (size_t)(csv_cell(cell, &out, CELL_TEXT, value, value ? strlen(value) : 0) - cell);
            struct csv_field f = {cell, len, false, false};
            if (len && cell[0] == '"')
                f = (struct csv_field){cell + 1, len - 2, true, memchr(cell + 1, '"', len - 2) != NULL};
            struct db_value v;
            assert_null(import_value(&in, &any, &f, arena, &v));
            CHECK_CASE(n * 100 + i, value ? value : "(NULL)",
                       value ? v.kind == DB_TEXT && v.s.len == strlen(value) && memcmp(v.s.p, value, v.s.len) == 0
                             : v.kind == DB_NULL);
        }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_there_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
