/* SPDX-License-Identifier: MIT */
/* test_result_file.c: a result file is published whole or not at all, whatever fails. The linker puts
 * the __wrap functions before the system's (--wrap), so that each call can be made to fail. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "directory.h"
#include "task/result_file.h"
#include "unit.h"

/* Which call fails next, after how many of its kind, and how. */
static struct {
    const char *call; /* NULL = none */
    int after;
    int error;
} fault;

static int fails(const char *call)
{
    if (!fault.call || strcmp(fault.call, call) != 0 || fault.after-- > 0)
        return 0;
    fault.call = NULL;
    errno = fault.error;
    return 1;
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (fails("write"))
        return -1;
    if (fails("write of a part") && len > 1)
        len /= 2;
    return __real_write(fd, data, len);
}

#define WRAP(name, parameters, arguments)     \
    int __real_##name parameters;             \
    int __wrap_##name parameters;             \
    int __wrap_##name parameters              \
    {                                         \
        return fails(#name) ? -1 : __real_##name arguments; \
    }

WRAP(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))

/* What was fsynced, and how far the clock went on since the shards were made. */
static ino_t synced[10];
static size_t synced_count;
static bool clock_is_ours;
static time_t later;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    struct stat st;
    if (fails("fsync"))
        return -1;
    if (synced_count < COUNT_OF(synced) && fstat(fd, &st) == 0)
        synced[synced_count++] = st.st_ino;
    return __real_fsync(fd);
}

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
    int rc = __real_fstat(fd, st);
    clock_is_ours = true;
    st->st_ctime += later;
    return rc;
}

/* --- a shared directory of the test's own ------------------------------------------------------ */

/* How many regular files are below PATH; *NAME gets the path of one. */
static unsigned count_files(const char *path, char *name, size_t size)
{
    unsigned count = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        char *below = xasprintf("%s/%s", path, entry->d_name);
        struct stat st;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            assert_int_equal(lstat(below, &st), 0);
            if (S_ISDIR(st.st_mode))
                count += count_files(below, name, size);
            else
                count++, snprintf(name, size, "%s", below);
        }
        free(below);
    }
    closedir(d);
    return count;
}

static struct result_place place(void)
{
    return (struct result_place){directory, 0640, 0750};
}

/* --- tests ---------------------------------------------------------------------------------------- */

static void test_publish(void **state)
{
    (void)state;
    struct result_place at = place();
    struct result_file *f = NULL;
    struct error e = {0};
    char name[300];
    mode_t before = umask(077); /* the modes do not depend on it */
    assert_int_equal(result_file_create(&at, 17, 2, "csv", &f, &e), 0);
    assert_int_equal(count_files(directory, name, sizeof name), 1);
    char *prefix = xasprintf("%s/tmp/17-2-", directory);
    assert_memory_equal(name, prefix, strlen(prefix));
    assert_string_equal(name + strlen(name) - 9, ".csv.part");
    free(prefix);

    assert_int_equal(result_file_write(f, "ab", 2, &e), 0);
    size_t room;
    char *p = result_file_reserve(f, 1, &room, &e);
    assert_true(p && room > 1000);
    *p = 'c';
    result_file_advance(f, 1);
    assert_int_equal(result_file_bytes(f), 3);
    result_file_name(f, "a/b\n\xc3\xbc.csv", "csv");
    assert_int_equal(result_file_finish(f, 1, &e), 0);
    umask(before);

    const struct result_info *info = result_file_info(f);
    assert_string_equal(info->sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(info->bytes, 3);
    assert_int_equal(info->rows, 1);
    assert_string_equal(info->filename, "a_b_\xc3\xbc.csv");
    assert_int_equal(count_files(directory, name, sizeof name), 1);
    char *final = xasprintf("%s/%s", directory, info->path);
    assert_string_equal(name, final);
    free(final);
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    *strrchr(name, '/') = '\0';
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);

    char path[RESULT_PATH_SIZE];
    strcpy(path, info->path);
    result_file_release(&f);
    assert_null(f);
    assert_int_equal(count_files(directory, name, sizeof name), 1);
    assert_int_equal(result_file_remove(directory, path, &e), 0);
    assert_int_equal(result_file_remove(directory, path, &e), 0);
    assert_int_equal(count_files(directory, name, sizeof name), 0);
}

/* Large and small writes in every mixture give the same bytes. */
static void test_sizes(void **state)
{
    (void)state;
    enum { TOTAL = 300000 };
    struct result_place at = place();
    char *data = xmalloc(TOTAL), sha[SHA256_HEX_SIZE] = "", name[300];
    for (size_t i = 0; i < TOTAL; i++)
        data[i] = (char)(i * 7 + i / 256);
    static const size_t steps[] = {1, 100, 32 * 1024, 65535, 65536, 65537, TOTAL};
    for (size_t s = 0; s < COUNT_OF(steps); s++) {
        struct result_file *f = NULL;
        struct error e = {0};
        assert_int_equal(result_file_create(&at, 1, 1, "html", &f, &e), 0);
        for (size_t at_byte = 0; at_byte < TOTAL; at_byte += steps[s]) {
            size_t n = TOTAL - at_byte < steps[s] ? TOTAL - at_byte : steps[s];
            assert_int_equal(result_file_write(f, data + at_byte, n, &e), 0);
        }
        assert_int_equal(result_file_finish(f, 0, &e), 0);
        if (*sha)
            assert_string_equal(result_file_info(f)->sha256, sha);
        strcpy(sha, result_file_info(f)->sha256);
        assert_int_equal(result_file_info(f)->bytes, TOTAL);
        result_file_discard(&f); /* also what is finished already */
        assert_int_equal(count_files(directory, name, sizeof name), 0);
    }
    free(data);
}

/* A library has written the file by its name. */
static void test_adopt(void **state)
{
    (void)state;
    struct result_place at = place();
    struct result_file *f = NULL;
    struct error e = {0};
    char name[300];
    assert_int_equal(result_file_create(&at, 17, 2, "xlsx", &f, &e), 0);
    FILE *library = fopen(result_file_path(f), "wb");
    assert_non_null(library);
    fputs("abc", library);
    fclose(library);
    assert_int_equal(result_file_take_written(f, &e), 0);
    assert_int_equal(result_file_finish(f, 1, &e), 0);
    assert_string_equal(result_file_info(f)->sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(result_file_info(f)->bytes, 3);
    result_file_discard(&f);

    /* not one that it has put in its place: what would be fsynced is the first one */
    assert_int_equal(result_file_create(&at, 17, 2, "xlsx", &f, &e), 0);
    assert_int_equal(unlink(result_file_path(f)), 0);
    library = fopen(result_file_path(f), "wb");
    assert_non_null(library);
    fclose(library);
    assert_int_equal(result_file_take_written(f, &e), ERR_IO);
    assert_int_equal(result_file_finish(f, 1, &e), ERR_IO);
    result_file_discard(&f);
    assert_int_equal(count_files(directory, name, sizeof name), 0);
}

static const struct {
    const char *call;
    int after;
    int error;
    const char *message;
} faults[] = {
    {"mkdirat", 0, ENOSPC, "the result file cannot be created: No space left on device"},
    {"mkdirat", 0, EROFS, "the result file cannot be created: Read-only file system"},
    {"fsync", 0, EIO, "the result file cannot be created: Input/output error"}, /* of "tmp" */
    {"write", 0, ENOSPC, "the result file cannot be written: No space left on device"},
    {"write", 1, EDQUOT, "the result file cannot be written: Disk quota exceeded"},
    {"write", 2, EIO, "the result file cannot be written: Input/output error"},
    {"write", 2, EROFS, "the result file cannot be written: Read-only file system"},
    {"fchmod", 0, EPERM, "the result file cannot be given its mode: Operation not permitted"},
    {"fsync", 1, EIO, "the result file cannot be written to the disk: Input/output error"},
    {"fsync", 1, ENOSPC, "the result file cannot be written to the disk: No space left on device"},
    {"mkdirat", 1, ENOSPC, "the result file cannot be given its final name: No space left on device"},
    {"mkdirat", 2, EDQUOT, "the result file cannot be given its final name: Disk quota exceeded"},
    {"fsync", 2, EIO, "the result file cannot be given its final name: Input/output error"},
    {"fsync", 3, EIO, "the result file cannot be given its final name: Input/output error"},
    {"fsync", 4, EIO, "the result file cannot be given its final name: Input/output error"},
    {"renameat", 0, EIO, "the result file cannot be given its final name: Input/output error"},
    {"renameat", 0, EROFS, "the result file cannot be given its final name: Read-only file system"},
};

/* One file from its beginning to its end; 0 or the first error. */
static int write_file(struct result_file **out, struct error *e)
{
    struct result_place at = place();
    struct result_file *f = NULL;
    char block[100000] = {0};
    int rc = result_file_create(&at, 1, 1, "csv", &f, e);
    for (int i = 0; i < 3 && !rc; i++)
        rc = result_file_write(f, block, sizeof block, e);
    if (!rc)
        rc = result_file_finish(f, 0, e);
    *out = f;
    return rc;
}

static void test_faults(void **state)
{
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct result_file *f = NULL;
        struct error e = {0}, again = {0};
        char name[300];
        fault.call = faults[i].call;
        fault.after = faults[i].after;
        fault.error = faults[i].error;
        CHECK_CASE(i, faults[i].message, write_file(&f, &e) == ERR_IO);
        CHECK_CASE(i, faults[i].message, !fault.call);
        CHECK_CASE_TEXT(i, faults[i].call, e.text, faults[i].message);
        if (f) { /* it sticks */
            CHECK_CASE(i, faults[i].message, result_file_write(f, "x", 1, &again) == ERR_IO);
            CHECK_CASE(i, faults[i].message, result_file_finish(f, 0, &again) == ERR_IO);
            CHECK_CASE_TEXT(i, faults[i].call, again.text, faults[i].message);
        }
        result_file_discard(&f);
        CHECK_CASE(i, faults[i].message, count_files(directory, name, sizeof name) == 0);
        tear_down(state);
        set_up(state);
    }
}

/* What is no failure: an interrupted write, one of a part, a shard that a sweeper removes meanwhile. */
static void test_hiccups(void **state)
{
    static const struct {
        const char *call;
        int error;
    } hiccups[] = {{"write", EINTR}, {"write of a part", 0}, {"renameat", ENOENT}};
    for (size_t i = 0; i < COUNT_OF(hiccups); i++) {
        struct result_file *f = NULL;
        struct error e = {0};
        fault.call = hiccups[i].call;
        fault.after = 0;
        fault.error = hiccups[i].error;
        CHECK_CASE(i, hiccups[i].call, write_file(&f, &e) == 0);
        CHECK_CASE(i, hiccups[i].call, !fault.call && result_file_info(f)->bytes == 300000);
        result_file_discard(&f);
        tear_down(state);
        set_up(state);
    }
}

static bool was_synced(const char *name)
{
    struct stat st;
    char *path = xasprintf("%s/%s", directory, name);
    assert_int_equal(stat(path, &st), 0);
    free(path);
    for (size_t i = 0; i < synced_count; i++)
        if (synced[i] == st.st_ino)
            return true;
    return false;
}

static void make_shard(mode_t mode)
{
    static const char *const names[] = {"tmp", "01", "01/00"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *path = xasprintf("%s/%s", directory, names[i]);
        assert_int_equal(mkdir(path, mode), 0);
        free(path);
    }
}

/* Somebody else has made the shard. What holds its name is fsynced unless that was long ago. */
static void test_shard_of_others(void **state)
{
    static const struct {
        const char *name;
        time_t later;
        bool synced;
    } shards[] = {{"a moment ago", 0, true}, {"a minute ago", 60, true}, {"an hour ago", 3600, false},
                  {"the clock was set back", -3600, true}};
    for (size_t i = 0; i < COUNT_OF(shards); i++) {
        struct result_file *f = NULL;
        struct error e = {0};
        make_shard(0700);
        later = shards[i].later;
        synced_count = 0;
        CHECK_CASE(i, shards[i].name, write_file(&f, &e) == 0);
        later = 0;
        if (!clock_is_ours)
            skip(); /* fstat has another name here */
        CHECK_CASE(i, shards[i].name, was_synced("01/00"));
        CHECK_CASE(i, shards[i].name, was_synced("01") == shards[i].synced);
        CHECK_CASE(i, shards[i].name, was_synced(".") == shards[i].synced);
        CHECK_CASE(i, shards[i].name, synced_count == (shards[i].synced ? 4 : 2));
        result_file_discard(&f);
        tear_down(state);
        set_up(state);
    }
}

/* What could not be fsynced is not there for the next one. */
static void test_shard_not_synced(void **state)
{
    static const struct {
        int after;
        const char *lost;
    } shards[] = {{1, "01"}, {2, "01/00"}};
    for (size_t i = 0; i < COUNT_OF(shards); i++) {
        struct result_file *f = NULL;
        struct error e = {0};
        make_shard(0700);
        char *path = xasprintf("%s/01/00", directory), *lost = xasprintf("%s/%s", directory, shards[i].lost);
        assert_int_equal(rmdir(path), 0);
        fault.call = "fsync";
        fault.after = shards[i].after;
        fault.error = EIO;
        CHECK_CASE(i, shards[i].lost, write_file(&f, &e) == ERR_IO && !fault.call);
        CHECK_CASE(i, shards[i].lost, access(lost, F_OK) < 0 && errno == ENOENT);
        result_file_discard(&f);
        free(path);
        free(lost);
        tear_down(state);
        set_up(state);
    }
}

static void test_directory(void **state)
{
    (void)state;
    struct result_place at = {"/nonexistent/backdesk", 0640, 0750};
    struct result_file *f = NULL;
    struct error e = {0};
    assert_int_equal(result_file_create(&at, 1, 1, "csv", &f, &e), ERR_IO);
    assert_null(f);
    result_file_discard(&f);
    result_file_release(&f);
}

static void test_remove_refuses(void **state)
{
    (void)state;
#define R "0123456789abcdef0123456789abcdef"
    static const char *const refused[] = {
        "", "x", "/etc/passwd", "../../etc/passwd", "ab/cd/../1-1-" R ".csv", "tmp/1-1-" R ".csv.part",
        "ab/cd/1-1-" R, "ab/cd/1-1-" R ".", "ab/cd/1-1-" R "./x", "ab/cd/1-1-" R ".csv/x",
        "AB/cd/1-1-" R ".csv", "ab/cd/1-1-" R "0.csv", "ab/cd/-1-" R ".csv", "ab/cd/1-1-" R "..",
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct error e = {0};
        CHECK_CASE(i, refused[i], result_file_remove(directory, refused[i], &e) == ERR_INVALID);
    }
    struct error e = {0};
    assert_int_equal(result_file_remove(directory, "ab/cd/1-1-" R ".csv.gz", &e), 0);
}

/* A lost claim's files go, finished and unfinished ones, and no other's. */
static void test_remove_claim(void **state)
{
    (void)state;
    static const struct {
        uint64_t id, fence;
        int goes;
    } claims[] = {{258, 1, 1}, {258, 1, 1}, {258, 11, 0}, {258, 2, 0}, {2, 1, 0}, {25, 81, 0}};
    struct result_place at = place();
    struct result_file *f[COUNT_OF(claims)] = {0};
    struct error e = {0};
    char name[300];
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        assert_int_equal(
            result_file_create(&at, claims[i].id, claims[i].fence, "csv", &f[i], &e), 0);
        if (i % 2)
            assert_int_equal(result_file_finish(f[i], 0, &e), 0);
    }
    assert_int_equal(result_file_remove_claim(directory, 258, 1, RESULT_KEEP_FINISHED, &e), 0);
    assert_int_equal(count_files(directory, name, sizeof name), COUNT_OF(claims) - 1);
    assert_int_equal(result_file_remove_claim(directory, 258, 1, RESULT_REMOVE_ALL, &e), 0);
    assert_int_equal(count_files(directory, name, sizeof name), COUNT_OF(claims) - 2);
    for (size_t i = 0; i < COUNT_OF(claims); i++)
        result_file_discard(&f[i]);
    assert_int_equal(count_files(directory, name, sizeof name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_publish, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adopt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hiccups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shard_of_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shard_not_synced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_remove_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_remove_claim, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
