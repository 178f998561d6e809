/* SPDX-License-Identifier: MIT */
/* test_output.c: a gzip file depends on the bytes and where rows end, and on nothing else. */
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "directory.h"
#include "tasks/types/output.h"
#include "unit.h"

enum { ROW = 1000, BOUNDARY = (OUTPUT_MEMBER + ROW - 1) / ROW, ROWS = BOUNDARY + 300 };

/* Row NUMBER: somewhat compressible, each another. */
static void make_row(char *row, unsigned number)
{
    for (unsigned i = 0; i < ROW; i++)
        row[i] = (char)('a' + (i * number >> 3) % 23);
    snprintf(row, ROW, "%u", number);
}

/* Writes a row in pieces of STEP bytes; 0: through reserve. */
static void write_row(struct output *o, const char *row, size_t step)
{
    struct error e = {0};
    for (size_t at = 0; at < ROW && step; at += step)
        assert_int_equal(output_write(o, row + at, ROW - at < step ? ROW - at : step, &e), 0);
    if (!step) {
        size_t room;
        char *p = output_reserve(o, OUTPUT_RESERVE_MAX, &room, &e);
        assert_true(p && room >= OUTPUT_RESERVE_MAX);
        memcpy(p, row, ROW);
        output_advance(o, ROW);
    }
    assert_int_equal(output_row(o, &e), 0);
}

/* Writes rows FIRST to LAST - 1 to a new file. */
static struct result_file *write_rows(unsigned first, unsigned last, size_t step)
{
    struct result_place place = {directory, 0640, 0750};
    struct result_file *f = NULL;
    struct output *o = NULL;
    struct error e = {0};
    char row[ROW];
    assert_int_equal(result_file_create(&place, 1, 1, "csv.gz", &f, &e), 0);
    assert_int_equal(output_open(f, true, &o, &e), 0);
    for (unsigned i = first; i < last; i++) {
        make_row(row, i);
        write_row(o, row, step);
    }
    assert_int_equal(output_end(o, &e), 0);
    output_close(&o);
    assert_null(o);
    assert_int_equal(result_file_finish(f, last - first, &e), 0);
    return f;
}

static char *path_of(const struct result_file *f)
{
    return xasprintf("%s/%s", directory, result_file_info(f)->path);
}

static char *read_file(const struct result_file *f)
{
    char *path = path_of(f), *data = xmalloc((size_t)result_file_info(f)->bytes);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fread(data, 1, (size_t)result_file_info(f)->bytes, in),
                     result_file_info(f)->bytes);
    fclose(in);
    free(path);
    return data;
}

static void test_same_whatever_the_writes(void **state)
{
    (void)state;
    struct result_file *whole = write_rows(0, ROWS, ROW);
    static const size_t steps[] = {0, 7, 333};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct result_file *f = write_rows(0, ROWS, steps[i]);
        assert_string_equal(result_file_info(f)->sha256, result_file_info(whole)->sha256);
        result_file_discard(&f);
    }
    char *path = path_of(whole), row[ROW], got[ROW];
    gzFile in = gzopen(path, "rb");
    for (unsigned i = 0; i < ROWS; i++) {
        make_row(row, i);
        assert_int_equal(gzread(in, got, ROW), ROW);
        assert_memory_equal(got, row, ROW);
    }
    assert_int_equal(gzread(in, got, 1), 0);
    gzclose(in);
    free(path);
    result_file_discard(&whole);
}

/* What has been written up to a member's end and what comes behind it, each alone, are the file. */
static void test_members(void **state)
{
    (void)state;
    struct result_file *whole = write_rows(0, ROWS, ROW), *first = write_rows(0, BOUNDARY, ROW),
                       *second = write_rows(BOUNDARY, ROWS, ROW);
    size_t a = (size_t)result_file_info(first)->bytes, b = (size_t)result_file_info(second)->bytes;
    char *data = read_file(whole), *before = read_file(first), *behind = read_file(second);
    assert_int_equal(result_file_info(whole)->bytes, a + b);
    assert_memory_equal(data, before, a);
    assert_memory_equal(data + a, behind, b);
    assert_memory_equal(data, "\x1f\x8b\x08\0\0\0\0\0", 8); /* no name, no time */
    free(data);
    free(before);
    free(behind);
    result_file_discard(&whole);
    result_file_discard(&first);
    result_file_discard(&second);
}

static void test_empty(void **state)
{
    (void)state;
    struct result_file *f = write_rows(0, 0, 1);
    assert_int_equal(result_file_info(f)->bytes, 20); /* a header, an empty block, a trailer */
    result_file_discard(&f);
}

static void test_plain(void **state)
{
    (void)state;
    struct result_place place = {directory, 0640, 0750};
    struct result_file *f = NULL;
    struct output *o = NULL;
    struct error e = {0};
    size_t room;
    assert_int_equal(result_file_create(&place, 1, 1, "csv", &f, &e), 0);
    assert_int_equal(output_open(f, false, &o, &e), 0);
    assert_int_equal(output_write(o, "ab", 2, &e), 0);
    char *p = output_reserve(o, 1, &room, &e);
    assert_non_null(p);
    *p = 'c';
    output_advance(o, 1);
    assert_int_equal(output_row(o, &e), 0);
    assert_int_equal(output_end(o, &e), 0);
    assert_null(output_reserve(o, OUTPUT_RESERVE_MAX + 1, &room, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    output_close(&o);
    output_close(&o);
    assert_int_equal(result_file_bytes(f), 3);
    result_file_discard(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_whatever_the_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
