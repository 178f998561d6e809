/* SPDX-License-Identifier: MIT */
/* test_prefer.c: wait=N among other preferences. */
#include "fcgi/prefer.h"
#include "unit.h"

static void test_wait(void **state)
{
    static const struct {
        const char *header;
        int seconds;
    } cases[] = {
        {"wait=10", 10},
        {"Wait=10", 10},
        {"wait=0", 0},
        {"wait=\"7\"", 7},
        {"wait = 7", 7},
        {" respond-async , wait=5", 5},
        {"respond-async;x=\"a,wait=3\", wait=5 ; y", 5},
        {"x=\"\\\",wait=3\", wait=5", 5},
        {"wait=5, wait=9", 5},
        {"wait=60", 60},
        {"wait=61", 60},
        {"wait=99999999999999999999", 60},
        {"", -1},
        {",", -1},
        {"wait", -1},
        {"wait=", -1},
        {"wait=x", -1},
        {"wait=5x", -1},
        {"wait=-5", -1},
        {"wait=1.5", -1},
        {"wait=\"5", -1},
        {"await=5", -1},
        {"waiting=5", -1},
        {"handling=lenient", -1},
        {"x=\"wait=5", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        CHECK_CASE(i, cases[i].header, prefer_wait(cases[i].header) == cases[i].seconds);
}

static void test_names(void **state)
{
    static const struct {
        const char *header, *without;
        bool has;
    } cases[] = {
        {"respond-async", "", true},
        {"Respond-Async ; x=1", "", true},
        {"wait=5, respond-async, return=minimal", "return=minimal", true},
        {"a=\"respond-async, b\" , c", "a=\"respond-async, b\" , c", false},
        {"respond-asynchronous", "respond-asynchronous", false},
        {", ,respond-async,", "", true},
        {"", "", false},
    };
    static const char *const names[] = {"respond-async", "wait"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf rest = BUF_INIT;
        CHECK_CASE(i, cases[i].header, prefer_has(cases[i].header, "respond-async") == cases[i].has);
        prefer_without(cases[i].header, names, COUNT_OF(names), &rest);
        CHECK_CASE_TEXT(i, cases[i].header, buf_str(&rest), cases[i].without);
        buf_free(&rest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wait), cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
