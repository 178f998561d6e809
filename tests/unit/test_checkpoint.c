/* SPDX-License-Identifier: MIT */
/* test_checkpoint.c: a checkpoint is read as it was written or not at all, and an unfinished file is taken
 * up by a later claim where its checkpoint says. */
#include <dirent.h>
#include <stdlib.h>

#include "base/mem.h"
#include "directory.h"
#include "task/result_file.h"
#include "unit.h"

static struct checkpoint sample(void)
{
    struct checkpoint c = {.bytes = UINT64_C(0xfedcba9876543210), .rows = 77, .key_count = 2};
    memset(c.fingerprint, 1, sizeof c.fingerprint);
    memset(c.sha256, 2, sizeof c.sha256);
    c.keys[0] = (struct checkpoint_bytes){"-12", 3};
    c.keys[1] = (struct checkpoint_bytes){"a\0b", 3};
    c.state = (struct checkpoint_bytes){"xyz!", 4};
    return c;
}

static bool same(const struct checkpoint_bytes *a, const struct checkpoint_bytes *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct checkpoint c = sample(), d;
    struct buf b = BUF_INIT;
    struct error e = {0};
    checkpoint_encode(&c, &b);
    assert_int_equal(b.err, 0);
    assert_int_equal(checkpoint_decode(b.data, b.len, &d, &e), 0);
    assert_memory_equal(d.fingerprint, c.fingerprint, sizeof c.fingerprint);
    assert_memory_equal(d.sha256, c.sha256, sizeof c.sha256);
    assert_true(d.bytes == c.bytes && d.rows == c.rows && d.key_count == 2);
    assert_true(same(&d.keys[0], &c.keys[0]) && same(&d.keys[1], &c.keys[1]) && same(&d.state, &c.state));

    buf_clear(&b);
    c.key_count = 0;
    c.state.len = 0;
    checkpoint_encode(&c, &b);
    assert_int_equal(checkpoint_decode(b.data, b.len, &d, &e), 0);
    assert_true(d.key_count == 0 && d.state.len == 0);
    buf_free(&b);
}

static void test_whatever_else_is_refused(void **state)
{
    (void)state;
    struct checkpoint c = sample(), d;
    struct buf b = BUF_INIT;
    checkpoint_encode(&c, &b);
    for (size_t len = 0; len < b.len; len++) {
        struct error e = {0};
        char *cut = xmalloc(len + 1); /* exactly so long: a sanitizer sees what is read behind it */
        memcpy(cut, b.data, len);
        CHECK_CASE(len, "cut", checkpoint_decode(cut, len, &d, &e) == ERR_INVALID);
        free(cut);
    }
    for (size_t i = 0; i < b.len; i++) {
        struct error e = {0};
        b.data[i] ^= 4;
        CHECK_CASE(i, "changed", checkpoint_decode(b.data, b.len, &d, &e) == ERR_INVALID);
        b.data[i] ^= 4;
    }
    struct error e = {0};
    buf_addc(&b, 0);
    assert_int_equal(checkpoint_decode(b.data, b.len, &d, &e), ERR_INVALID);
    buf_free(&b);
}

static void test_too_long(void **state)
{
    (void)state;
    struct checkpoint c = sample();
    struct buf b = BUF_INIT;
    char *big = xcalloc(1, CHECKPOINT_SIZE_MAX);
    c.state = (struct checkpoint_bytes){big, CHECKPOINT_SIZE_MAX};
    checkpoint_encode(&c, &b);
    assert_int_equal(b.err, ERR_LIMIT);
    buf_free(&b);
    free(big);
}

/* --- files ------------------------------------------------------------------------------------------ */

/* How many unfinished files of claim FENCE there are; 0 = of any. */
static unsigned count(unsigned fence)
{
    char *path = xasprintf("%s/tmp", directory), *prefix = xasprintf("5-%u-", fence);
    unsigned n = 0;
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        n += *entry->d_name != '.' && (!fence || strncmp(entry->d_name, prefix, strlen(prefix)) == 0);
    closedir(list);
    free(prefix);
    free(path);
    return n;
}

static struct result_file *make(uint64_t fence)
{
    struct result_place at = {directory, 0640, 0750};
    struct result_file *f = NULL;
    struct error e = {0};
    assert_int_equal(result_file_create(&at, 5, fence, "csv", &f, &e), 0);
    return f;
}

/* LEN bytes from AT of a text that never ends. */
static void write_text(struct result_file *f, size_t at, size_t len)
{
    struct error e = {0};
    for (; len; at++, len--) {
        char c = (char)('a' + at * 7 % 23);
        assert_int_equal(result_file_write(f, &c, 1, &e), 0);
    }
}

static struct checkpoint note(struct result_file *f, bool wait)
{
    struct checkpoint c = sample();
    result_file_checkpoint(f, &c, wait);
    return c;
}

static unsigned told, stopping, accepting;

static bool stop(void *ctx)
{
    (void)ctx;
    return stopping;
}

static bool accept(void *ctx, const struct checkpoint *c)
{
    (void)ctx;
    return accepting && c->rows == 77;
}

static void tell(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
    told++;
}

static int resume(struct result_file *f, struct checkpoint *out, struct error *e)
{
    struct arena *arena = arena_create();
    struct checkpoint c = sample();
    struct result_search s = {c.fingerprint, arena, stop, accept, tell, NULL};
    told = 0;
    int rc = result_file_resume(f, &s, out, e);
    arena_destroy(&arena);
    return rc;
}

enum { MOST = 150000, TOTAL = 200000 };

static void test_taken_up(void **state)
{
    (void)state;
    struct error e = {0};
    struct checkpoint c;
    struct result_file *whole = make(1);
    write_text(whole, 0, TOTAL);
    assert_int_equal(result_file_finish(whole, 1, &e), 0);

    struct result_file *first = make(2);
    assert_int_equal(count(2), 1);
    write_text(first, 0, 100);
    note(first, false);
    write_text(first, 100, MOST - 100);
    note(first, true);
    assert_int_equal(count(2), 2);
    write_text(first, MOST, 500); /* what is lost */
    result_file_keep(&first);
    assert_null(first);
    assert_int_equal(count(2), 2);

    accepting = 1;
    struct result_file *second = make(3);
    assert_int_equal(resume(second, &c, &e), 1);
    assert_true(told == 0 && c.bytes == MOST && c.rows == 77);
    assert_true(result_file_bytes(second) == MOST);
    assert_int_equal(count(2), 2);
    note(second, true);
    assert_int_equal(count(2), 0); /* the copy has a checkpoint of its own now */
    assert_int_equal(count(3), 2);
    write_text(second, MOST, TOTAL - MOST);
    assert_int_equal(result_file_finish(second, 1, &e), 0);
    assert_int_equal(count(0), 0);
    assert_string_equal(result_file_info(second)->sha256, result_file_info(whole)->sha256);
    assert_true(result_file_info(second)->bytes == TOTAL);
    result_file_discard(&second);
    result_file_discard(&whole);
}

static void test_not_taken_up(void **state)
{
    (void)state;
    struct error e = {0};
    struct checkpoint c;
    struct result_file *first = make(2);
    write_text(first, 0, 1000);
    note(first, true);
    result_file_keep(&first);

    struct result_file *same_claim = make(2), *earlier = make(1);
    assert_int_equal(resume(same_claim, &c, &e), 0);
    assert_int_equal(resume(earlier, &c, &e), 0);
    assert_int_equal(told, 0);
    result_file_discard(&same_claim);
    result_file_discard(&earlier);

    struct result_file *stopped = make(3);
    stopping = 1;
    assert_int_equal(resume(stopped, &c, &e), ERR_CANCELLED);
    stopping = 0;
    error_clear(&e);
    result_file_discard(&stopped);
    assert_int_equal(count(2), 2);

    struct result_file *refused = make(4);
    accepting = 0;
    assert_int_equal(resume(refused, &c, &e), 0);
    assert_int_equal(told, 1);
    assert_true(result_file_bytes(refused) == 0);
    assert_int_equal(count(2), 0);
    write_text(refused, 0, 10);
    assert_int_equal(result_file_finish(refused, 1, &e), 0);
    assert_true(result_file_info(refused)->bytes == 10);
    result_file_discard(&refused);
}

static void test_no_checkpoint_is_kept_for_nothing(void **state)
{
    (void)state;
    struct result_file *f = make(1);
    write_text(f, 0, 100000);
    result_file_keep(&f); /* none yet */
    assert_int_equal(count(0), 0);
    f = make(1);
    write_text(f, 0, 100000);
    note(f, false);
    result_file_discard(&f);
    assert_int_equal(count(0), 0);
    result_file_keep(&f);
}

/* A claim that may be tried again leaves what has a checkpoint; a task that has ended leaves nothing. */
static void test_removed_with_its_claim(void **state)
{
    (void)state;
    struct error e = {0};
    struct result_claim *claims;
    struct result_file *old = make(1), *kept = make(2), *bare = make(2), *other = make(3);
    note(old, true);
    note(kept, true);
    assert_int_equal(count(1), 0);
    struct result_file *late = make(1);
    note(late, true); /* by a worker that was stopped for a while */
    assert_int_equal(count(0), 6);
    assert_int_equal(result_file_remove_claim(directory, 5, 2, RESULT_KEEP_CHECKPOINT, &e), 0);
    assert_int_equal(count(1), 2);
    assert_int_equal(count(2), 2);
    assert_int_equal(count(3), 1);
    assert_int_equal(result_file_checkpoints(directory, &claims), 2);
    assert_true(claims[0].id == 5 && claims[0].fence + claims[1].fence == 3);
    free(claims);
    assert_int_equal(result_file_remove_claim(directory, 5, 2, RESULT_REMOVE_ALL, &e), 0);
    assert_int_equal(count(0), 1);
    assert_int_equal(result_file_checkpoints(directory, &claims), 0);
    result_file_discard(&old);
    result_file_discard(&kept);
    result_file_discard(&bare);
    result_file_discard(&other);
    result_file_discard(&late);
}

/* An upload of user 5, whose name looks like a file of task 5. */
static void test_uploads_are_of_no_claim(void **state)
{
    (void)state;
    struct error e = {0};
    struct result_file *upload = make(0), *f = make(2), *old = make(1);
    assert_int_equal(count(0), 3);
    note(f, true); /* removes what is of earlier claims */
    assert_int_equal(count(0), 3);
    assert_int_equal(count(1), 0);
    assert_int_equal(result_file_remove_claim(directory, 5, 2, RESULT_REMOVE_ALL, &e), 0);
    assert_int_equal(count(0), 1);
    assert_int_equal(result_file_finish(upload, 0, &e), 0);
    result_file_discard(&upload);
    result_file_discard(&f);
    result_file_discard(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_whatever_else_is_refused),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test_setup_teardown(test_taken_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_taken_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_checkpoint_is_kept_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removed_with_its_claim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_uploads_are_of_no_claim, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
