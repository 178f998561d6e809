/* SPDX-License-Identifier: MIT */
/* test_log.c: what of a text gets into a line of the log. */
#include "base/log.h"
#include "unit.h"

/* What is behind the head of the line that log_error writes of TEXT. */
static void logged(const char *text, char *out, size_t size)
{
    int saved = dup(STDERR_FILENO), fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(saved >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    log_error("%s", text);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    char line[4096];
    ssize_t len = pread(fd, line, sizeof line - 1, 0);
    assert_true(len > 0);
    line[len] = '\0';
    const char *behind = strstr(line, "] error: ");
    assert_non_null(behind);
    snprintf(out, size, "%s", behind + strlen("] error: "));
    close(saved);
    close(fd);
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        {"", "\n"},
        {"text \\ \"\"", "text \\ \"\"\n"},
        {"a\nb\x1b[m\x7f", "a\\x0ab\\x1b[m\\x7f\n"},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0\n"},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
         "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xa9\xe2\x80\xaa\n"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n"},
        {"\x9b\xff\xc3", "\\x9b\\xff\\xc3\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char got[4096];
        logged(cases[i].text, got, sizeof got);
        CHECK_CASE_TEXT(i, cases[i].text, got, cases[i].wanted);
    }
}

/* A line stays a line, whatever its escapes take. */
static void test_long_texts(void **state)
{
    (void)state;
    static const char *const parts[] = {"x", "\n", "\xff", "\xc2\x9b", "\xe2\x80\xa8", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        for (size_t before = 0; before < 16; before++) {
            char text[2000] = "................", got[4096];
            for (size_t at = before; at + strlen(parts[i]) < sizeof text; at += strlen(parts[i]))
                strcpy(text + at, parts[i]);
            logged(text, got, sizeof got);
            size_t len = strlen(got);
            CHECK_CASE(i, "long", len > 1400 && len < 2048 && strcspn(got, "\n") == len - 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
