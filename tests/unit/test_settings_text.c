/* SPDX-License-Identifier: MIT */
/* test_settings_text.c: where a text of the configuration begins and ends, and what it must not hold. */
#include <stdlib.h>

#include "base/settings.h"
#include "unit.h"

#define NICKNAME(text) "runner { nickname = " text " }"
#define PLUS ": + stands outside quotes: put the whole text in quotes"
#define STAR ": * stands outside quotes: put the whole text in quotes"
#define OPEN ": the ${ that begins here is not closed in its line: write ${VARIABLE}, or \\${ in double quotes for " \
             "the signs themselves"
#define NUL ": an escape makes a NUL byte, which no text may hold: take it away"
#define NO_UTF8 ": an escape or variable makes bytes that are not UTF-8"

static const char *nickname(const struct settings *s)
{
    return s->runner.nickname ? s->runner.nickname : "";
}

static const char *argument(const struct settings *s)
{
    return s->commands[0].argv.items[1];
}

static const struct {
    const char *text;
    const char *wanted; /* the value, or where it is wrong and how */
    const char *(*of)(const struct settings *);
} cases[] = {
    /* what begins and ends a comment */
    {NICKNAME("a // no\n"), "a", nickname},
    {NICKNAME("a # no\n"), "a", nickname},
    {NICKNAME("a#no\n"), "a", nickname},
    {NICKNAME("a /* } */"), "a", nickname},
    {NICKNAME("/* no\n*/a"), "a", nickname},
    {NICKNAME("\"a\"//no\n"), "a", nickname},
    {"//no\nrunner{/*no*/nickname=//no\na}//no", "a", nickname},
    {"command \"c\" { argv = {/bin/true,//no\na} }/* no */", "a", argument},
    /* comment signs within a text */
    {NICKNAME("Zm9v//YmFy"), "Zm9v//YmFy", nickname},
    {NICKNAME("a/// // no\n"), "a///", nickname},
    {"command \"c\" { argv = {/usr/bin/curl,\n http://example.org/x,\n --silent} }", "http://example.org/x", argument},
    {NICKNAME("\"a#b//c\""), "a#b//c", nickname},
    {"runner {\n nickname = a/*b*/\n}",
     ":2: /* follows a text without quotes: put the text in quotes, or a space before a comment", nickname},
    /* signs that libconfuse would drop */
    {"runner {\n nickname = ab+\n}", ":2" PLUS, nickname},
    {"command \"c\" { argv = {/bin/date,\n +%s} }", ":2" PLUS, argument},
    {NICKNAME("a*"), ":1" STAR, nickname},
    {NICKNAME("\"a+\""), "a+", nickname},
    {"command \"c\" { argv += {/bin/ls, \"*\"} }", "*", argument},
    /* variables */
    {NICKNAME("${NOT_SET:-a}"), "a", nickname},
    {NICKNAME("\"${NOT_SET:-a\"b}c\""), "a\"bc", nickname},
    {NICKNAME("\"\\${a\""), "${a", nickname},
    {NICKNAME("'${a'"), "${a", nickname},
    {"runner {\n nickname = ${A\n}\n}", ":2" OPEN, nickname},
    {"runner { nickname = \"a\n${\"\n}", ":2" OPEN, nickname},
    {"files { directory = ${NOT_SET:-/srv} }\n\n\naccount \"api\" { }",
     ":4: section account \"api\" has no user: add user = ... (name of the account)", nickname},
    /* bytes that the file itself must not have */
    {NICKNAME("\"\\x41\\060\\xc3\\xa4\\\\x00\""), "A0\xc3\xa4\\x00", nickname},
    {NICKNAME("\"\\x410\\060x\""), "A00x", nickname},
    {NICKNAME("'\\x00'"), "\\x00", nickname},
    {"runner { nickname = \"a\n\\x00b\" }", ":2" NUL, nickname},
    {NICKNAME("\"\\x0g\""), ":1" NUL, nickname},
    {NICKNAME("\"\\000\""), ":1" NUL, nickname},
    {NICKNAME("\"a\\0\""), ":1" NUL, nickname},
    {"runner {\n nickname = \"a\\xffb\" }", ":2: runner nickname" NO_UTF8, nickname},
    {"runner { types = {dummy, \"\\303\"} }", ":1: runner types" NO_UTF8, nickname},
    {NICKNAME("${BYTE}"), ":1: runner nickname" NO_UTF8, nickname},
    {"\nsource \"\\xff\" { }", ":2: section source: its name has bytes that are not UTF-8", nickname},
    /* what editors add */
    {"\xef\xbb\xbf" NICKNAME("a"), "a", nickname},
    {"runner {\r\n nickname = a\r\n}\r\n// no\r\n", "a", nickname},
    {NICKNAME("\xef\xbb\xbf"), "\xef\xbb\xbf", nickname},
};

static void test_texts(void **state)
{
    (void)state;
    setenv("BYTE", "\xff", 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct memory_file f = memory_file(cases[i].text, 0600);
        struct settings *s = NULL;
        struct error e = {0};
        const char *got = settings_load(f.path, &s, &e) ? e.text + strlen(f.path) : cases[i].of(s);
        CHECK_CASE_TEXT(i, cases[i].text, got, cases[i].wanted);
        settings_free(&s);
        close(f.fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
