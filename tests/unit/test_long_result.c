/* SPDX-License-Identifier: MIT */
/* test_long_result.c: which results become files, and what is in them. */
#include <stdlib.h>

#include "tasks/runner/long_result.h"
#include "unit.h"

static char directory[] = "/tmp/backdesk-unit-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

/* Runs long_result for a result of LEN bytes with the limits 10 and 100; WHERE: the shared directory. */
static struct run_outcome run(size_t len, unsigned files, const char *where)
{
    const struct settings s = {.files = {.directory = where,
                                         .mode = 0640,
                                         .directory_mode = 0750,
                                         .result_inline_bytes = 10,
                                         .result_max_bytes = 100}};
    const struct run_task task = {.id = 17, .fence = 2};
    struct run_outcome o = {.end = RUN_SUCCESS, .file_count = files};
    for (size_t i = 0; i < len; i++)
        buf_addc(&o.result, '1');
    long_result(&s, &task, &o);
    return o;
}

static void test_which_become_files(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        bool file;
    } cases[] = {{0, false}, {1, false}, {10, false}, {11, true}, {100, true}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (unsigned before = 0; before <= RUN_FILES_MAX; before += RUN_FILES_MAX) {
            struct run_outcome o = run(cases[i].len, before, directory);
            CHECK_CASE(i, "success", o.end == RUN_SUCCESS);
            CHECK_CASE(i, "file", o.file_count == before + cases[i].file);
            CHECK_CASE(i, "rest", o.result.len == (cases[i].file ? 0 : cases[i].len));
            if (cases[i].file) {
                const struct result_info *info = result_file_info(o.files[before]);
                CHECK_CASE(i, "kind", info->is_result && info->rows == RESULT_NO_ROWS);
                CHECK_CASE(i, "bytes", info->bytes == cases[i].len);
                assert_string_equal(info->filename, "task-17-result.json");
                result_file_discard(&o.files[before]);
            }
            buf_free(&o.result);
        }
}

static void test_too_long_and_no_room(void **state)
{
    (void)state;
    struct run_outcome o = run(101, 0, directory);
    assert_int_equal(o.end, RUN_FAILED_FINAL);
    assert_string_equal(o.code, "result_too_long");
    assert_string_equal(o.message, "the result is longer than 100 bytes");
    buf_free(&o.result);
    o = run(11, 0, "/nowhere");
    assert_int_equal(o.end, RUN_FAILED);
    assert_string_equal(o.code, "storage_failed");
    assert_int_equal(o.file_count, 0);
    buf_free(&o.result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_become_files),
        cmocka_unit_test(test_too_long_and_no_room),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
