/* SPDX-License-Identifier: MIT */
/* test_csv_read.c: rows out of CSV, as a table; each case is read in pieces of every size. */
#include <stdlib.h>

#include "base/buf.h"
#include "tasks/types/csv_read.h"
#include "unit.h"

#define BYTES(s) s, sizeof s - 1

enum { ROW_MAX = 40 };

/* In want: fields in <> (in [] where they were quoted), rows end with a newline, a fault is its number, and @ the
 * line of a quote that is never closed. */
static const struct {
    const char *bytes;
    size_t len;
    char delimiter;
    const char *want;
} cases[] = {
    {BYTES(""), ',', ""},
    {BYTES("a"), ',', "<a>\n"},
    {BYTES("a\n"), ',', "<a>\n"},
    {BYTES("a,b\nc,d\n"), ',', "<a><b>\n<c><d>\n"},
    {BYTES("a,b\r\nc,d\r\n"), ',', "<a><b>\n<c><d>\n"},
    {BYTES("a,b\rc,d\r"), ',', "<a><b>\n<c><d>\n"},
    {BYTES("a\r\rb"), ',', "<a>\n<>\n<b>\n"},
    {BYTES("a\n\nb"), ',', "<a>\n<>\n<b>\n"},
    {BYTES("a,\n,b\n,\n"), ',', "<a><>\n<><b>\n<><>\n"},
    {BYTES("a,"), ',', "<a><>\n"},
    {BYTES(",\"\",\n"), ',', "<>[]<>\n"},
    {BYTES("\"\""), ',', "[]\n"},
    {BYTES("\"a,b\",c\n"), ',', "[a,b]<c>\n"},
    {BYTES("\"say \"\"hi\"\"\"\n"), ',', "[say \"hi\"]\n"},
    {BYTES("\"\"\"\"\n"), ',', "[\"]\n"},
    {BYTES("\"\"\"\"\"\"\n"), ',', "[\"\"]\n"},
    {BYTES("\"a\nb\r\nc\rd\",e\nf\n"), ',', "[a\nb\r\nc\rd]<e>\n<f>\n"},
    {BYTES("a\"b,c\"\n"), ',', "<a\"b><c\">\n"},
    {BYTES(" \"a\"\n"), ',', "< \"a\">\n"},
    {BYTES("\xef\xbb\xbf" "a,b\n"), ',', "<a><b>\n"},
    {BYTES("\xef\xbb\xbf" "\"a\"\n"), ',', "[a]\n"},
    {BYTES("\xef\xbb\xbf"), ',', ""},
    {BYTES("a\n\xef\xbb\xbf" "b\n"), ',', "<a>\n<\xef\xbb\xbf" "b>\n"},
    {BYTES("a;b,c\n"), ';', "<a><b,c>\n"},
    {BYTES("a\tb c\n"), '\t', "<a><b c>\n"},
    {BYTES("a|\"b|c\"\n"), '|', "<a>[b|c]\n"},
    {BYTES("a\0b,c\n"), ',', "<a\\0b><c>\n"},
    /* faults: the next row is read all the same */
    {BYTES("\"a\"b,c\nd\n"), ',', "!3\n<d>\n"},
    {BYTES("\"a\" ,c\nd\n"), ',', "!3\n<d>\n"},
    {BYTES("x\n\"a,b\nc\n"), ',', "<x>\n!4@2\n"},
    {BYTES("x\n\"a\"\""), ',', "<x>\n!4@2\n"},
    {BYTES("ok\xff,c\nd\n"), ',', "!5\n<d>\n"},
    {BYTES("\xc3\n\xa9\n"), ',', "!5\n!5\n"},
    {BYTES("1,2,3,4,5\n1,2,3,4\n"), ',', "!2\n<1><2><3><4>\n"},
    {BYTES("0123456789012345678901234567890123456789\nb\n"), ',',
     "<0123456789012345678901234567890123456789>\n<b>\n"},
    {BYTES("01234567890123456789012345678901234567890\nb\n"), ',', "!1\n<b>\n"},
    {BYTES("\"0123456789\n0123456789\n0123456789\n0123456789\n\"\"\"\nb\n"), ',', "!1\n<b>\n"},
    {BYTES("\"0123456789\n0123456789\n0123456789\n0123456789\n"), ',', "!4@1\n"},
    {BYTES("\"a\"b,\"c\nd\n"), ',', "!4@1\n"},
    {BYTES("1,2,3,4,\"5\n6"), ',', "!4@1\n"},
    {BYTES("\"a\nb\",c,\"d\ne\n"), ',', "!4@2\n"},
    {BYTES("b\n0123456789012345678901234567890123456789,1,2,3,4,5\r\nc\r\n"), ',', "<b>\n!1\n<c>\n"},
};

struct pieces {
    const char *p;
    size_t len, size;
};

static int give(void *context, char *out, size_t size, struct error *e)
{
    struct pieces *in = context;
    size_t n = in->len < in->size ? in->len : in->size;
    (void)e;
    (void)size;
    memcpy(out, in->p, n);
    in->p += n;
    in->len -= n;
    return (int)n;
}

static void show_row(struct buf *out, const struct csv_row *row)
{
    char value[ROW_MAX + 1];
    if (row->fault)
        buf_addf(out, "!%d", row->fault);
    if (row->fault == CSV_UNCLOSED)
        buf_addf(out, "@%d", (int)row->quote_line);
    for (unsigned i = 0; i < row->count; i++) {
        const struct csv_field *f = &row->fields[i];
        size_t n = csv_unescape(f, value);
        buf_addc(out, f->quoted ? '[' : '<');
        for (size_t k = 0; k < n; k++)
            value[k] ? buf_addc(out, value[k]) : buf_adds(out, "\\0");
        buf_addc(out, f->quoted ? ']' : '>');
    }
    buf_addc(out, '\n');
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t size = 1; size <= cases[i].len + 1; size++) {
            struct csv_rules rules = {cases[i].delimiter, ROW_MAX, 4};
            struct pieces in = {cases[i].bytes, cases[i].len, size};
            struct csv_reader *r = csv_reader_create(&rules, give, &in, 0, 1);
            struct buf got = BUF_INIT;
            struct csv_row row;
            while (csv_reader_next(r, &row, NULL) == 1)
                show_row(&got, &row);
            CHECK_CASE(i, cases[i].bytes, strcmp(buf_str(&got), cases[i].want) == 0);
            buf_free(&got);
            csv_reader_destroy(&r);
        }
}

/* Where each row begins and ends, so that reading can go on behind any of them. */
static void test_places(void **state)
{
    static const char text[] = "\xef\xbb\xbf" "h\r\n\"a\r\nb\"\nc\r\"d\n\r\ne\",1\nlast";
    static const struct {
        uint64_t line, end;
    } want[] = {{1, 6}, {2, 13}, {4, 15}, {5, 25}, {8, 29}};
    (void)state;
    for (size_t from = 0; from < COUNT_OF(want); from++) {
        struct csv_rules rules = {',', ROW_MAX, 4};
        uint64_t offset = from ? want[from - 1].end : 0, line = want[from].line;
        struct pieces in = {text + offset, sizeof text - 1 - offset, 1};
        struct csv_reader *r = csv_reader_create(&rules, give, &in, offset, line);
        struct csv_row row;
        for (size_t i = from; i < COUNT_OF(want); i++) {
            assert_int_equal(csv_reader_next(r, &row, NULL), 1);
            CHECK_CASE(i, text, row.line == want[i].line && row.end == want[i].end);
        }
        assert_int_equal(csv_reader_next(r, &row, NULL), 0);
        csv_reader_destroy(&r);
    }
}

static void test_utf16(void **state)
{
    (void)state;
    struct csv_rules rules = {',', ROW_MAX, 4};
    struct pieces in = {BYTES("\xff\xfe" "a\0\n\0"), 6};
    struct csv_reader *r = csv_reader_create(&rules, give, &in, 0, 1);
    struct csv_row row;
    struct error e = {0};
    assert_int_equal(csv_reader_next(r, &row, &e), ERR_INVALID);
    csv_reader_destroy(&r);
}

/* A gibibyte without a line end, in little memory. */
struct endless {
    uint64_t left;
};

static int give_endless(void *context, char *out, size_t size, struct error *e)
{
    struct endless *in = context;
    (void)e;
    size_t n = size < in->left ? size : (size_t)in->left;
    memset(out, 'x', n);
    in->left -= n;
    if (n && !in->left)
        out[n - 1] = '\n';
    return (int)n;
}

static void test_a_long_row(void **state)
{
    (void)state;
    struct csv_rules rules = {',', 1 << 20, 4};
    struct endless in = {UINT64_C(1) << 30};
    struct csv_reader *r = csv_reader_create(&rules, give_endless, &in, 0, 1);
    struct csv_row row;
    assert_int_equal(csv_reader_next(r, &row, NULL), 1);
    assert_int_equal(row.fault, CSV_TOO_LONG);
    assert_true(row.len >= 100 && row.len <= 1024 && row.end == UINT64_C(1) << 30);
    assert_int_equal(csv_reader_next(r, &row, NULL), 0);
    csv_reader_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_a_long_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
