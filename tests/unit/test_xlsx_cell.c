/* SPDX-License-Identifier: MIT */
/* test_xlsx_cell.c: what an Excel cell can hold, and how. */
#include <stdlib.h>

#include "base/mem.h"
#include "tasks/types/xlsx_cell.h"
#include "unit.h"

static const struct {
    const char *text;
    bool fits;
    double wanted;
} numbers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"0.000", true, 0},
    {"0e0", true, 0},
    {"1", true, 1},
    {"-42", true, -42},
    {"00042", true, 42},
    {"0.1", true, 0.1},
    {"9.2", true, 9.2},
    {"-0.05", true, -0.05},
    {"100.50", true, 100.5},
    {"999999999999999", true, 999999999999999.0},
    {"9999999999999990000", true, 9999999999999990000.0}, /* 15 significant ones */
    {"1000000000000001", false, 0},
    {"9223372036854775807", false, 0},
    {"18446744073709551615", false, 0},
    {"0.123456789012345", true, 0.123456789012345},
    {"0.1234567890123456", false, 0},
    {"123456.789012345", true, 123456.789012345},
    {"123456.7890123450000000", true, 123456.789012345},
    {"0.000000000000000000000000000001", true, 1e-30},
    {"123450000000000000000000000000000", true, 12345e28},
    {"1e22", true, 1e22},
    {"1e23", true, 1e23},
    {"3.40282e38", true, 3.40282e38},
    {"-1.17549e-38", true, -1.17549e-38},
    {"9.99999999999999e307", true, 9.99999999999999e307},
    {"1e308", false, 0},
    {"-1e308", false, 0},
    {"1.7976931348623157e308", false, 0},
    {"5e-324", false, 0},
    {"2.2250738585072e-308", false, 0},
    {"2.3e-308", true, 2.3e-308},
    {"1e999", false, 0},
    {"1e-999", false, 0},
    {"1000e9223372036854775807", false, 0},
    {"12x", false, 0},
    {"nan", false, 0},
};

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        double got = 0;
        bool fits = xlsx_number(numbers[i].text, strlen(numbers[i].text), &got);
        CHECK_CASE(i, numbers[i].text, fits == numbers[i].fits);
        CHECK_CASE(i, numbers[i].text, !fits || memcmp(&got, &numbers[i].wanted, sizeof got) == 0);
    }
}

static const struct {
    bool (*read)(const char *, size_t, double *);
    const char *text;
    bool fits;
    double wanted;
} instants[] = {
    {xlsx_date, "1900-02-28", false, 0},
    {xlsx_date, "1900-03-01", true, 61},
    {xlsx_date, "2000-01-01", true, 36526},
    {xlsx_date, "2024-02-29", true, 45351},
    {xlsx_date, "9999-12-31", true, 2958465},
    {xlsx_date, "2023-02-29", false, 0},
    {xlsx_date, "2100-02-29", false, 0},
    {xlsx_date, "2000-02-29", true, 36585},
    {xlsx_date, "2024-04-31", false, 0},
    {xlsx_date, "2024-02-00", false, 0},
    {xlsx_date, "2024-00-10", false, 0},
    {xlsx_date, "2024-13-10", false, 0},
    {xlsx_date, "0000-00-00", false, 0},
    {xlsx_date, "1000-01-01", false, 0},
    {xlsx_date, "2024-01-01 ", false, 0},
    {xlsx_date, "2024-1-1", false, 0},
    {xlsx_date, "", false, 0},
    {xlsx_datetime, "2024-02-29 12:00:00", true, 45351.5},
    {xlsx_datetime, "2024-02-29 00:00:00.000000", true, 45351},
    {xlsx_datetime, "2024-02-29 06:00:00.120", true, 45351 + 21600.12 / 86400},
    {xlsx_datetime, "9999-12-31 23:59:59.999999", true, 2958465 + 86399.999 / 86400},
    {xlsx_datetime, "9998-12-31 23:59:59.999999", true, 2958100 + 86399.999999 / 86400},
    {xlsx_datetime, "0000-00-00 00:00:00", false, 0},
    {xlsx_datetime, "2024-02-29", false, 0},
    {xlsx_datetime, "2024-02-29T12:00:00", false, 0},
    {xlsx_time, "00:00:00", true, 0},
    {xlsx_time, "18:00:00", true, 0.75},
    {xlsx_time, "838:59:59", true, (838 * 3600 + 3599) / 86400.0},
    {xlsx_time, "12:00:00.000005", true, 43200.000005 / 86400},
    {xlsx_time, "12:00:00.5000", true, 43200.5 / 86400},
    {xlsx_time, "-00:00:01", false, 0},
    {xlsx_time, "12:00", false, 0},
    {xlsx_time, "12:00:00x", false, 0},
    {xlsx_time, "1234:00:00", false, 0},
    {xlsx_time, "", false, 0},
};

static void test_instants(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(instants); i++) {
        double got = 0, wanted = instants[i].wanted;
        size_t len = strlen(instants[i].text);
        CHECK_CASE(i, instants[i].text,
                   instants[i].read(instants[i].text, len, &got) == instants[i].fits);
        CHECK_CASE(i, instants[i].text, got - wanted < 1e-11 && wanted - got < 1e-11);
    }
}

#define BYTES(s) s, sizeof s - 1

static const struct {
    const char *text;
    size_t len;
    const char *wanted;
} texts[] = {
    {BYTES(""), ""},
    {BYTES("plain text of some length"), "plain text of some length"},
    {BYTES("=1+1 <&> \" _ x"), "=1+1 <&> \" _ x"},
    {BYTES("a\0b"), "a_x0000_b"},
    {BYTES("1234567\0"), "1234567_x0000_"},
    {BYTES("tab\tline\nreturn\r\x01\x1f"), "tab\tline\nreturn\r\x01\x1f"}, /* the library's */
    {BYTES("_x0041_"), "_x005F_x0041_"},
    {BYTES("_xABcd_"), "_x005F_xABcd_"},
    {BYTES("__x0041__"), "__x005F_x0041__"},
    {BYTES("_x004_ _x0041 _X0041_ _x00G1_"), "_x004_ _x0041 _X0041_ _x00G1_"},
    {BYTES("snake_case_name"), "snake_case_name"},
    {BYTES("\xc3\xa9\xf0\x9f\x93\x9a"), "\xc3\xa9\xf0\x9f\x93\x9a"},
    {BYTES("\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf"), "\xef\xbf\xbd_xFFFE__xFFFF_"},
    {BYTES("a\xff\xc3"), "a\xef\xbf\xbd\xef\xbf\xbd"},
};

static void test_text(void **state)
{
    (void)state;
    char *room = xmalloc(XLSX_TEXT_ROOM);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CHECK_CASE(i, texts[i].wanted, xlsx_text(room, texts[i].text, texts[i].len));
        CHECK_CASE_TEXT(i, texts[i].wanted, room, texts[i].wanted);
    }
    free(room);
}

/* Text of COUNT times UNIT, with PREFIX before it, ends at a whole character within the limit. */
static void check_limit(const char *prefix, const char *unit, size_t count, size_t wanted, bool whole)
{
    size_t len = strlen(prefix) + count * strlen(unit);
    char *text = xmalloc(len + 1), *p = text, *room = xmalloc(XLSX_TEXT_ROOM);
    p += sprintf(p, "%s", prefix);
    for (size_t i = 0; i < count; i++)
        p += sprintf(p, "%s", unit);
    assert_int_equal(xlsx_text(room, text, len), whole);
    assert_int_equal(strlen(room), wanted);
    assert_memory_equal(room, text, wanted);
    free(room);
    free(text);
}

static void test_limit(void **state)
{
    (void)state;
    check_limit("", "a", 32767, 32767, true);
    check_limit("", "a", 32768, 32767, false);
    check_limit("", "\xc3\xa9", 32767, 2 * 32767, true);
    check_limit("a", "\xe2\x82\xac", 32767, 1 + 3 * 32766, false);
    check_limit("", "\xf0\x9f\x93\x9a", 16383, 4 * 16383, true); /* two units each */
    check_limit("", "\xf0\x9f\x93\x9a", 16384, 4 * 16383, false);
    check_limit("a", "\xf0\x9f\x93\x9a", 16383, 1 + 4 * 16383, true);
    check_limit("ab", "\xf0\x9f\x93\x9a", 16383, 2 + 4 * 16382, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_instants),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
