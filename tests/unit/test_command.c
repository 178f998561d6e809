/* SPDX-License-Identifier: MIT */
/* test_command.c: the site's own programs as far as they are text: what they get, the lines that they
 * write; and the directories that they leave. */
#include <dirent.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "task/command.h"
#include "task/run.h"
#include "task/validate.h"
#include "task/work_dir.h"
#include "tasks/types/command_log.h"
#include "tasks/types/command_progress.h"
#include "unit.h"

/* --- what a runner offers: here it writes down what it is told -------------------------------------- */

static struct buf said = BUF_INIT;

void run_log(struct run *r, const char *fmt, ...)
{
    char line[1100];
    va_list ap;
    (void)r;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    buf_addf(&said, "%s\n", line);
}

void run_progress(struct run *r, uint64_t done, uint64_t total, const char *unit)
{
    (void)r;
    buf_addf(&said, "%llu/%llu %s", (unsigned long long)done, (unsigned long long)total, unit);
}

void run_progress_message(struct run *r, const char *message)
{
    (void)r;
    buf_addf(&said, " [%s]\n", message ? message : "");
}

/* --- lines ------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *wanted;
} progress[] = {
    {"{\"done\":1}\n", "1/0  []\n"},
    {"{\"done\":1,\"total\":4,\"unit\":\"rows\",\"message\":\"m\"}\n{\"done\":2}\n", "1/4 rows [m]\n2/4 rows [m]\n"},
    {"{\"message\":\"m\"}\n{\"message\":null}\n", "0/0  [m]\n0/0  []\n"},
    {"{\"percent\":12.5}\n{\"percent\":99.9}\n", "12/100 % []\n99/100 % []\n"},
    {"{\"total\":8,\"percent\":50}\n", "4/8  []\n"},
    {"{\"done\":3,\"total\":8,\"percent\":50}\n", "3/8  []\n"},
    {"{\"done\":2.9}\n{\"done\":18446744073709551615}\n", "2/0  []\n18446744073709551615/0  []\n"},
    {"{}\n \r\n\n{\"other\":[]}\n", "0/0  []\n0/0  []\n"},
    {"{\"unit\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}\n",
     "0/0 \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 []\n"},
    {"{\"done\":1}", ""},
#define SAID_ONCE "descriptor 3: what is no line of progress is left out (said once)\n"
    {"x\n[]\n1\nnull\n{\"done\":-1}\n{\"done\":\"1\"}\n{\"percent\":101}\n{\"unit\":1}\n{\"message\":[]}\n", SAID_ONCE},
    {"{\"done\":1}\n{\"done\":2,\"total\":-1}\n{\"unit\":\"u\"}\n", "1/0  []\n" SAID_ONCE "1/0 u []\n"},
};

static void test_progress(void **state)
{
    (void)state;
    static struct command_progress p;
    for (size_t i = 0; i < COUNT_OF(progress); i++) {
        for (size_t step = 1; step < 20; step += 9) { /* as pipes cut it */
            size_t len = strlen(progress[i].text);
            buf_clear(&said);
            command_progress_begin(&p, NULL);
            for (size_t at = 0; at < len; at += step)
                command_progress_add(&p, progress[i].text + at, step < len - at ? step : len - at);
            CHECK_CASE_TEXT(i, progress[i].text, buf_str(&said), progress[i].wanted);
        }
    }
}

static void test_long_line_of_progress(void **state)
{
    (void)state;
    static struct command_progress p;
    char x[PROGRESS_LINE_SIZE + 10];
    memset(x, ' ', sizeof x);
    buf_clear(&said);
    command_progress_begin(&p, NULL);
    command_progress_add(&p, x, sizeof x);
    command_progress_add(&p, x, sizeof x);
    command_progress_add(&p, "{}\n{\"done\":1}\n", 14);
    assert_string_equal(buf_str(&said), SAID_ONCE "1/0  []\n");
}

static void test_log(void **state)
{
    (void)state;
    static struct command_log l;
    buf_clear(&said);
    command_log_begin(&l, NULL, 8);
    command_log_add(&l, "one\n\n \r\ntw", 10);
    command_log_add(&l, "o\r\nthree\nx\nfo\0r", 16);
    command_log_end(&l);
    assert_string_equal(buf_str(&said), "one\ntwo\nthree\nx\nfo r\n");
    assert_string_equal(l.last, "fo r");

    /* a flood: the beginning, what is missing, the end */
    buf_clear(&said);
    command_log_begin(&l, NULL, 8);
    for (int i = 0; i < 100000; i++) {
        char line[16];
        command_log_add(&l, line, (size_t)snprintf(line, sizeof line, "%06d\n", i));
    }
    command_log_end(&l);
    const char *text = buf_str(&said);
    size_t kept = COMMAND_TAIL_SIZE / 7;
    char wanted[100];
    snprintf(wanted, sizeof wanted, "000000\n(%zu lines are left out here: see max_log)\n%06zu\n",
             99999 - kept, 100000 - kept);
    assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
    assert_string_equal(text + strlen(text) - 7, "099999\n");

    /* no line breaks at all */
    char *wall = xmalloc(3000);
    memset(wall, 'w', 3000);
    buf_clear(&said);
    command_log_begin(&l, NULL, 1 << 20);
    command_log_add(&l, wall, 3000);
    command_log_end(&l);
    assert_int_equal(said.len, 3000 + 4);
    free(wall);
}

/* --- data ---------------------------------------------------------------------------------------------- */

static const char config[] =
    "command \"some\" { argv = {/bin/true}\n"
    "  param \"n\" { type = integer default = 3 }\n"
    "  param \"x\" { type = number }\n"
    "  param \"day\" { type = date required = yes }\n"
    "  param \"owner\" { }\n"
    "}\n"
    "command \"any\" { argv = {/bin/true} any_data = yes role = admin title = T description = D }\n"
    "command \"off\" { argv = {/bin/true} }\n"
    "type \"off\" { enabled = no }\n";

static const struct {
    const char *type, *data, *wanted;
} payloads[] = {
    {"some", "{\"day\":\"2026-11-21\"}", "{\"n\":3,\"day\":\"2026-11-21\"}"},
    {"some", "{\"owner\":\"\\n\\u0001\",\"x\":0.10,\"day\":\"2026-11-21\",\"n\":-4.0}",
     "{\"n\":-4,\"x\":0.1,\"day\":\"2026-11-21\",\"owner\":\"\\n\\u0001\"}"},
    {"some", "{}", "/data/day: is missing"},
    {"some", "{\"day\":\"2026-11-21\",\"z\":1}", "/data/z: is not known here: known are n, x, day, owner"},
    {"any", "null", "{}"},
    {"any", "{\n\"a\" :\r\n [1.0, \"\\n\"]}\n", "{ \"a\" :   [1.0, \"\\n\"]} "},
    {"any", "[]", "/data: must be an object"},
    {"any", "{\"a\":1,\"a\":2}", "data is no valid JSON: line 1, column 9"},
    {"off", "{}", "the type off is switched off here"},
};

static void test_payload(void **state)
{
    (void)state;
    struct memory_file f = memory_file(config, 0600);
    struct settings *settings;
    struct catalogue *catalogue;
    struct error e = {0};
    if (catalogue_load(f.path, &settings, &catalogue, &e))
        fail_msg("%s", e.text);
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        struct buf out = BUF_INIT;
        struct error fault = {0};
        const struct task_type *type = catalogue_known_type(catalogue, payloads[i].type);
        assert_non_null(type);
        int rc = command_payload(catalogue, type, payloads[i].data, strlen(payloads[i].data), arena, &out, &fault);
        bool same = strncmp(rc ? fault.text : buf_str(&out), payloads[i].wanted, strlen(payloads[i].wanted)) == 0;
        if (!same)
            fail_msg("case %zu: %s", i, rc ? fault.text : buf_str(&out));
        buf_free(&out);
    }
    const struct task_type *any = catalogue_type(catalogue, "any");
    assert_string_equal(any->role, "admin");
    assert_string_equal(any->title, "T");
    assert_string_equal(any->description, "D");
    assert_null(catalogue_type(catalogue, "off"));
    assert_null(catalogue_known_type(catalogue, "nothing"));
    struct buf json = BUF_INIT;
    catalogue_json(catalogue, true, &json);
    assert_non_null(strstr(buf_str(&json), "\"name\":\"any\",\"title\":\"T\",\"description\":\"D\",\"role\":\"admin\","
                                           "\"parameters\":{\"type\":\"object\"}}"));
    assert_non_null(strstr(buf_str(&json), "],\"roles\":[\"admin\"]}"));
    buf_clear(&json);
    catalogue_json(catalogue, false, &json);
    assert_null(strstr(buf_str(&json), "\"role\":\"admin\""));
    assert_non_null(strstr(buf_str(&json), "],\"roles\":[]}"));
    buf_free(&json);
    arena_destroy(&arena);
    catalogue_free(&catalogue);
    settings_free(&settings);
    close(f.fd);
}

/* --- directories --------------------------------------------------------------------------------------- */

/* As where a file system is mounted over the directory: the program is given a path. */
static void test_work_dir_after_a_mount(void **state)
{
    (void)state;
    char shared[] = "/tmp/backdesk-unit-XXXXXX";
    assert_non_null(mkdtemp(shared));
    char *tmp = xasprintf("%s/tmp", shared), *old = xasprintf("%s/old", shared);
    struct work_place place = {shared, 0750, -1};
    struct error e = {0};
    for (int i = 0; i < 3; i++) {
        struct work_dir dir = WORK_DIR_INIT;
        assert_int_equal(work_dir_create(&place, 1, 1, &dir, &e), 0);
        char *path = xasprintf("%s/%s", tmp, dir.name);
        assert_int_equal(access(path, W_OK), 0);
        free(path);
        work_dir_remove(&dir);
        if (i == 0)
            assert_int_equal(rename(tmp, old), 0);
        else if (i == 1)
            assert_int_equal(rmdir(tmp), 0);
    }
    work_place_close(&place);
    assert_int_equal(rmdir(tmp), 0);
    assert_int_equal(rmdir(old), 0);
    assert_int_equal(rmdir(shared), 0);
    free(tmp);
    free(old);
}

static void test_work_dir(void **state)
{
    (void)state;
    char shared[] = "/tmp/backdesk-unit-XXXXXX", outside[] = "/tmp/backdesk-unit-XXXXXX";
    assert_non_null(mkdtemp(shared));
    assert_non_null(mkdtemp(outside));
    struct work_place place = {shared, 0750, -1};
    struct work_dir dir = WORK_DIR_INIT;
    struct error e = {0};
    work_dir_remove(&dir);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(work_dir_create(&place, 258, 3, &dir, &e), 0);
        assert_int_equal(strncmp(dir.name, "258-3-", 6), 0);
        int fd = work_dir_open(&dir, NULL);
        assert_true(fd >= 0);
        assert_true(work_dir_open(&dir, "out") < 0);

        /* deep, shut, and with a way out that must not be taken */
        assert_int_equal(mkdirat(fd, "out", 0700), 0);
        assert_int_equal(symlinkat(outside, fd, "link"), 0);
        assert_true(work_dir_open(&dir, "link") < 0);
        int at = dup(fd), next;
        for (int depth = 0; depth < 3000; depth++, at = next) {
            assert_int_equal(mkdirat(at, "d", 0700), 0);
            next = openat(at, "d", O_RDONLY | O_DIRECTORY);
            assert_true(next >= 0);
            close(at);
        }
        assert_int_equal(symlinkat(outside, at, "link"), 0);
        assert_int_equal(mkdirat(at, ".removed-1", 0700), 0);
        close(at);
        assert_int_equal(fchmodat(fd, "d", 0, 0), 0);
        assert_int_equal(fchmod(fd, 0), 0);
        close(fd);
        assert_false(work_dir_remove_empty(&dir));
        if (i == 0)
            work_dir_remove(&dir);
        else /* as for a claim that is lost */
            assert_int_equal(result_file_remove_claim(shared, 258, 3, RESULT_REMOVE_ALL, &e), 0);
        assert_int_equal(unlinkat(place.tmp, dir.name[0] ? dir.name : "gone", AT_REMOVEDIR), -1);
    }
    work_dir_remove(&dir); /* gone already */
    assert_int_equal(unlinkat(AT_FDCWD, outside, AT_REMOVEDIR), 0);
    char *tmp = xasprintf("%s/tmp", shared);
    work_place_close(&place);
    assert_int_equal(rmdir(tmp), 0); /* nothing is left in it */
    assert_int_equal(rmdir(shared), 0);
    free(tmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress), cmocka_unit_test(test_long_line_of_progress),
        cmocka_unit_test(test_log),      cmocka_unit_test(test_payload),
        cmocka_unit_test(test_work_dir),
        cmocka_unit_test(test_work_dir_after_a_mount),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&said);
    return rc;
}
