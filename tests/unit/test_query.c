/* SPDX-License-Identifier: MIT */
/* test_query.c: where the lexer sees parameters, and what it refuses. */
#include "base/buf.h"
#include "task/query.h"
#include "unit.h"

#define TEXT(s) s, sizeof s - 1

static const struct {
    const char *in;
    size_t len;
    const char *text;
    const char *names; /* with a space behind each */
} good[] = {
    {TEXT("SELECT 1"), "SELECT 1", ""},
    {TEXT("select :owner"), "select ?", "owner "},
    {TEXT(" \n SELECT a FROM t WHERE o = :owner AND b > :since AND c < :since ;\n"),
     " \n SELECT a FROM t WHERE o = ? AND b > ? AND c < ?", "owner since since "},
    {TEXT("WITH x AS (SELECT 1) SELECT * FROM x"), "WITH x AS (SELECT 1) SELECT * FROM x", ""},
    {TEXT("(SELECT :a) UNION (SELECT :b)"), "(SELECT ?) UNION (SELECT ?)", "a b "},
    {TEXT("((select 1))"), "((select 1))", ""},
    /* strings and quoted identifiers */
    {TEXT("SELECT ':owner'"), "SELECT ':owner'", ""},
    {TEXT("SELECT \":owner ?\""), "SELECT \":owner ?\"", ""},
    {TEXT("SELECT `:owner;`"), "SELECT `:owner;`", ""},
    {TEXT("SELECT 'it''s :a', :b"), "SELECT 'it''s :a', ?", "b "},
    {TEXT("SELECT 'it\\'s :a', :b"), "SELECT 'it\\'s :a', ?", "b "},
    {TEXT("SELECT '\\\\', :b, '\\''"), "SELECT '\\\\', ?, '\\''", "b "},
    {TEXT("SELECT `a\\`, :b, `c``:d`"), "SELECT `a\\`, ?, `c``:d`", "b "},
    {TEXT("SELECT '; /* -- # ?'"), "SELECT '; /* -- # ?'", ""},
    {TEXT("SELECT x'00', N'a', _utf8mb4'b'"), "SELECT x'00', N'a', _utf8mb4'b'", ""},
    {TEXT("SELECT '\xc3\xa9', t\xc3\xa9l FROM t"), "SELECT '\xc3\xa9', t\xc3\xa9l FROM t", ""},
    /* comments */
    {TEXT("SELECT /* :a ? ; ' */ 1"), "SELECT   1", ""},
    {TEXT("SELECT 1 -- :a ' ?\n, :b"), "SELECT 1 \n, ?", "b "},
    {TEXT("SELECT 1 # :a ' ?\n, :b"), "SELECT 1 \n, ?", "b "},
    {TEXT("SELECT 1--:a"), "SELECT 1--?", "a "},
    {TEXT("SELECT 1 --"), "SELECT 1", ""},
    {TEXT("SELECT 1 --\t:a\n"), "SELECT 1", ""},
    {TEXT("SELECT 1 --\x7f:a\n"), "SELECT 1", ""},
    {TEXT("-- first\nSELECT 1; -- last ;"), "\nSELECT 1", ""},
    {TEXT("SELECT 1 /* a /* b */"), "SELECT 1", ""},
    {TEXT("SELECT /*+ MAX_EXECUTION_TIME(10) :x */ 1"),
     "SELECT /*+ MAX_EXECUTION_TIME(10) :x */ 1", ""},
    {TEXT("SELECT 6/2, a-b"), "SELECT 6/2, a-b", ""},
    /* colons that are no parameters */
    {TEXT("SELECT @a := 1"), "SELECT @a := 1", ""},
    {TEXT("SELECT @a:=b"), "SELECT @a:=b", ""},
    {TEXT("SELECT a::b"), "SELECT a::b", ""},
    {TEXT("SELECT : a, :1"), "SELECT : a, :1", ""},
    {TEXT("SELECT :a_1,:_b"), "SELECT ?,?", "a_1 _b "},
    {TEXT("SELECT 1;;; \n ;"), "SELECT 1", ""},
};

static void test_good(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct buf names = BUF_INIT;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct query q;
        struct error e = {0};
        int rc = query_parse(good[i].in, good[i].len, arena, &q, &e);
        CHECK_CASE_TEXT(i, good[i].in, e.text, "");
        CHECK_CASE(i, good[i].in, rc == 0);
        CHECK_CASE_TEXT(i, good[i].in, q.text, good[i].text);
        CHECK_CASE(i, good[i].in, q.len == strlen(q.text));
        buf_clear(&names);
        for (size_t k = 0; k < q.count; k++)
            buf_addf(&names, "%s ", q.names[k]);
        CHECK_CASE_TEXT(i, good[i].in, buf_str(&names), good[i].names);
    }
    buf_free(&names);
    arena_destroy(&arena);
}

#define MINUS "-- in front of this would become a comment: put a space between them"
#define READS "an export only reads: the query must begin with SELECT or WITH"

static const struct {
    const char *in;
    size_t len;
    int line;
    const char *text;
} bad[] = {
    {TEXT(""), 1, "the query is empty"},
    {TEXT(" \n-- nothing\n;"), 3, "the query is empty"},
    {TEXT("UPDATE t SET a = 1"), 1, READS},
    {TEXT("\n\nDELETE FROM t"), 3, READS},
    {TEXT("selects"), 1, READS},
    {TEXT("'SELECT'"), 1, READS},
    {TEXT(":a SELECT"), 1, READS},
    {TEXT("@SELECT"), 1, READS},
    {TEXT("SELECT 1; DROP TABLE t"), 1, "there is more than one statement: an export has one query"},
    {TEXT("SELECT 1;\n:a"), 2, "there is more than one statement: an export has one query"},
    {TEXT("SELECT 1;'a'"), 1, "there is more than one statement: an export has one query"},
    {TEXT("SELECT\n?"), 2, "a ? has no name: write a parameter, such as :since"},
    {TEXT("SELECT /*!50000 :a */ 1"), 1,
     "an executable comment hides SQL from this check: write it openly"},
    {TEXT("SELECT /*M!100100 1 */"), 1,
     "an executable comment hides SQL from this check: write it openly"},
    {TEXT("SELECT 'a"), 1, "a quote is not closed"},
    {TEXT("SELECT\n'a\\'"), 2, "a quote is not closed"},
    {TEXT("SELECT \"a''"), 1, "a quote is not closed"},
    {TEXT("SELECT `a\\`b`"), 1, "a quote is not closed"},
    {TEXT("SELECT 1 /* a"), 1, "a comment is not closed"},
    {TEXT("SELECT 1 /*"), 1, "a comment is not closed"},
    {TEXT("SELECT 1 /*/"), 1, "a comment is not closed"},
    {TEXT("SELECT 1--/* */ 2"), 1, MINUS},
    {TEXT("SELECT 1--# \n 2"), 1, MINUS},
    {TEXT("SELECT 1--;"), 1, MINUS},
    {TEXT("SELECT 1\0"), 1, "a NUL byte"},
    {TEXT("SELECT /*+ \n\0 */ '\0'"), 2, "a NUL byte"},
    {TEXT("SELECT :na\xc3\xafve"), 1, "the name of a parameter is made of letters, digits and _"},
    {TEXT("SELECT :a$b"), 1, "the name of a parameter is made of letters, digits and _"},
    {TEXT("SELECT :aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 1,
     "the name of a parameter is longer than 64 bytes"},
};

static void test_bad(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct query q;
        struct error e = {0};
        CHECK_CASE(i, bad[i].in, query_parse(bad[i].in, bad[i].len, arena, &q, &e) == ERR_INVALID);
        CHECK_CASE_TEXT(i, bad[i].in, e.text, bad[i].text);
        CHECK_CASE(i, bad[i].in, q.line == bad[i].line);
    }
    arena_destroy(&arena);
}

static void test_uses(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    struct query q;
    const char *sql = "SELECT ':owner' /* :owner */ WHERE a = :own";
    assert_int_equal(query_parse(sql, strlen(sql), arena, &q, NULL), 0);
    assert_false(query_uses(&q, "owner"));
    assert_true(query_uses(&q, "own"));
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
