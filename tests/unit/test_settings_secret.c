/* SPDX-License-Identifier: MIT */
/* test_settings_secret.c: passwords from files, and what is said where they cannot be read. */
#include "base/settings.h"
#include "unit.h"

#define BYTES_64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"
#define BYTES_512 BYTES_64 BYTES_64 BYTES_64 BYTES_64 BYTES_64 BYTES_64 BYTES_64 BYTES_64

/* What of a password file is the password, or why there is none. */
static void test_password_files(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t len;
        const char *wanted;
    } files[] = {
        {"p", 1, "p"},
        {"p\n\n", 3, "p"},
        {"p\r\nq\n", 5, "p"},
        {"first\nsecond\n", 13, "first"},
        {"\n", 1, ""},
        {"", 0, ""},
        {"a\nb\0c", 5, "a"},
        {"ab\0cd\n", 6, ": its first line has a NUL byte"},
        {BYTES_512, 512, BYTES_512},
        {BYTES_512 "\r\nmore", 518, BYTES_512},
        {BYTES_512 "+\n", 514, ": its first line is longer than 512 bytes"},
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct memory_file secret = memory_file("", 0600);
        char text[100];
        assert_int_equal(write(secret.fd, files[i].file, files[i].len), (ssize_t)files[i].len);
        snprintf(text, sizeof text, "account \"api\" { user = u password_file = %s }", secret.path);
        struct memory_file conf = memory_file(text, 0600);
        struct settings *s = NULL;
        struct error e = {0};
        assert_int_equal(settings_load(conf.path, &s, &e), 0);
        const struct account_def *a = &s->accounts[0];
        const char *got = a->password_fault ? strrchr(a->password_fault, ':') : a->password;
        CHECK_CASE_TEXT(i, files[i].file, got, files[i].wanted);
        settings_free(&s);
        close(conf.fd);
        close(secret.fd);
    }
}

static void test_addresses(void **state)
{
    (void)state;
    struct memory_file secret = memory_file("s3cret\n", 0600);
    char text[400];
    snprintf(text, sizeof text,
             "account \"api\" { user = u password_file = \"%s\" }\n"
             "account \"runner\" { user = u password_file = \"/nonexistent/x\" }\n"
             "database { socket = /s name = d }\n"
             "source \"shop\" { database = d user = u password_file = /nonexistent/y }\n"
             "backup \"own\" { user = u password_file = /nonexistent/z }\n"
             "backup \"shared\" { }",
             secret.path);
    struct memory_file conf = memory_file(text, 0644);
    struct settings *s = NULL;
    struct error e = {0};
    struct db_address address;
    assert_int_equal(settings_load(conf.path, &s, &e), 0);
    assert_int_equal(settings_queue_address(s, "api", &address, &e), 0);
    assert_string_equal(address.password, "s3cret");
    assert_string_equal(address.socket, "/s");
    assert_string_equal(address.name, "d");
    assert_int_equal(settings_queue_address(s, "runner", &address, &e), ERR_DENIED);
    assert_non_null(strstr(e.text, ":2: account \"runner\" password_file /nonexistent/x: cannot read it: No such"));
    error_clear(&e);
    assert_int_equal(settings_queue_address(s, "migration", &address, &e), ERR_NOT_FOUND);

    static const char *const whose[] = {"backup \"own\" password_file /nonexistent/z: cannot read it: No such",
                                        "source \"shop\" password_file /nonexistent/y: cannot read it: No such"};
    for (size_t i = 0; i < s->backup_count; i++) {
        struct source_def source = settings_backup_source(s, &s->backups[i]);
        error_clear(&e);
        assert_int_equal(settings_source_address(&source, &address, &e), ERR_DENIED);
        assert_int_equal(strncmp(e.text, whose[i], strlen(whose[i])), 0);
    }
    settings_free(&s);
    close(conf.fd);
    close(secret.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password_files),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
