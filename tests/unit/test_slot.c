/* SPDX-License-Identifier: MIT */
/* test_slot.c: memory shared by dispatcher and worker: copies are whole however often the other side
 * writes, and whenever it dies. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tasks/runner/slot.h"
#include "unit.h"

static int setup(void **state)
{
    struct slots *slots = slots_create(2);
    assert_non_null(slots);
    slot_reset(&slots->slot[0], 0);
    *state = slots;
    return 0;
}

static int teardown(void **state)
{
    struct slots *slots = *state;
    slots_destroy(&slots);
    assert_null(slots);
    slots_destroy(&slots);
    return 0;
}

static void test_a_fresh_slot(void **state)
{
    struct slots *slots = *state;
    struct slot_progress p;
    unsigned version;
    assert_true(slot_read(&slots->slot[0], &p, &version));
    assert_true(p.done == 0 && p.total == 0 && !*p.unit && !*p.message);
    assert_null(slot_log_tail(&slots->slot[0]));
    assert_int_equal(slots->count, 2);
}

static void test_every_write_has_a_version(void **state)
{
    struct slot *slot = &((struct slots *)*state)->slot[0];
    struct slot_progress p = {.done = 1, .total = 2, .unit = "rows", .message = "here"}, got;
    unsigned first, second, third;
    assert_true(slot_read(slot, &got, &first));
    slot_write(slot, &p);
    assert_true(slot_read(slot, &got, &second));
    assert_int_not_equal(first, second);
    assert_memory_equal(&got, &p, sizeof p);
    assert_true(slot_read(slot, &got, &third));
    assert_int_equal(second, third);
}

/* All members say the same number. */
static struct slot_progress same(uint64_t n)
{
    struct slot_progress p = {.done = n, .total = n};
    memset(p.message, 'a' + (int)(n % 26), sizeof p.message - 1);
    memset(p.unit, 'a' + (int)(n % 26), sizeof p.unit - 1);
    return p;
}

static void test_copies_are_whole(void **state)
{
    struct slot *slot = &((struct slots *)*state)->slot[0];
    enum { WRITES = 300000 };
    struct slot_progress first = same(0);
    slot_write(slot, &first);
    pid_t pid = fork();
    if (pid == 0) {
        for (uint64_t n = 1; n <= WRITES; n++) {
            struct slot_progress p = same(n);
            slot_write(slot, &p);
        }
        _exit(0);
    }
    assert_true(pid > 0);
    uint64_t last = 0;
    while (last < WRITES) {
        struct slot_progress got, wanted;
        unsigned version;
        if (!slot_read(slot, &got, &version))
            continue; /* the writer was never at rest: the last copy stands */
        wanted = same(got.done);
        assert_memory_equal(&got, &wanted, sizeof got);
        assert_true(got.done >= last);
        last = got.done;
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_a_writer_that_died_in_the_middle(void **state)
{
    struct slot *slot = &((struct slots *)*state)->slot[0];
    struct slot_progress p = same(5), got = same(7);
    unsigned version;
    slot_write(slot, &p);
    atomic_fetch_add(&slot->version, 1); /* as it is between the two stores of a write */
    assert_false(slot_read(slot, &got, &version));
    slot_reset(slot, 0); /* for the next task */
    assert_true(slot_read(slot, &got, &version));
    assert_true(got.done == 0);
}

static void test_a_reset_forgets(void **state)
{
    struct slot *slot = &((struct slots *)*state)->slot[0];
    struct slot_progress p = same(5), got;
    unsigned version;
    slot_write(slot, &p);
    slot_log(slot, "line\n", 5);
    atomic_store(&slot->stop, true);
    slot_reset(slot, 0);
    assert_true(slot_read(slot, &got, &version) && got.done == 0);
    assert_null(slot_log_tail(slot));
    assert_false(atomic_load(&slot->stop));
}

static void check_log(const struct slot *slot, const char *wanted)
{
    char *tail = slot_log_tail(slot);
    assert_non_null(tail);
    assert_string_equal(tail, wanted);
    free(tail);
}

static void test_a_log_is_kept_whole_while_it_fits(void **state)
{
    struct slot *slot = &((struct slots *)*state)->slot[0];
    slot_log(slot, "one\n", 4);
    slot_log(slot, "t\0wo\n", 5);
    check_log(slot, "one\nt wo\n");
}

static void test_of_a_long_log_the_last_lines_are_kept(void **state)
{
    struct slot *slot = &((struct slots *)*state)->slot[0];
    char line[32];
    for (int i = 0; i < 5000; i++)
        slot_log(slot, line, (size_t)snprintf(line, sizeof line, "line %d\n", i));
    char *tail = slot_log_tail(slot);
    assert_true(strlen(tail) > SLOT_LOG_SIZE - 32 && strlen(tail) <= SLOT_LOG_SIZE);
    assert_int_equal(strncmp(tail, "line ", 5), 0);
    assert_string_equal(tail + strlen(tail) - 10, "line 4999\n");
    free(tail);
}

static void test_a_log_without_an_end_of_line(void **state)
{
    struct slot *slot = &((struct slots *)*state)->slot[0];
    for (int i = 0; i < SLOT_LOG_SIZE + 100; i++)
        slot_log(slot, "x", 1);
    char *tail = slot_log_tail(slot);
    assert_int_equal(strlen(tail), SLOT_LOG_SIZE);
    free(tail);
    slot_log(slot, "\n", 1); /* nothing stands behind it: the tail is not empty all the same */
    tail = slot_log_tail(slot);
    assert_true(strlen(tail) > 1);
    free(tail);
}

#define SLOT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SLOT_TEST(test_a_fresh_slot),
        SLOT_TEST(test_every_write_has_a_version),
        SLOT_TEST(test_copies_are_whole),
        SLOT_TEST(test_a_writer_that_died_in_the_middle),
        SLOT_TEST(test_a_reset_forgets),
        SLOT_TEST(test_a_log_is_kept_whole_while_it_fits),
        SLOT_TEST(test_of_a_long_log_the_last_lines_are_kept),
        SLOT_TEST(test_a_log_without_an_end_of_line),
    };
    return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
