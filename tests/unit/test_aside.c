/* SPDX-License-Identifier: MIT */
/* test_aside.c: a thread beside a loop: one thing at a time, seen whole, and nothing left behind. */
#include <poll.h>
#include <stdatomic.h>
#include <time.h>

#include "tasks/runner/aside.h"
#include "unit.h"

/* Work that may be held up; COUNT is not atomic: the thread and the loop must not meet there. */
struct work {
    atomic_bool held, begun;
    int count;
};

static void do_work(void *context)
{
    struct work *w = context;
    const struct timespec step = {0, 1000000};
    atomic_store(&w->begun, true);
    while (atomic_load(&w->held))
        nanosleep(&step, NULL);
    w->count++;
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static int ends;

static void note_end(void)
{
    ends++;
}

static struct aside *start(void)
{
    struct error e = {0};
    struct aside *a = aside_start(note_end, &e);
    assert_non_null(a);
    ends = 0;
    return a;
}

/* Its thread has said good-bye. */
static void stop(struct aside *a)
{
    aside_stop(&a);
    assert_null(a);
    assert_int_equal(ends, 1);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    struct aside *a = start();
    struct work w = {0};
    for (int i = 1; i <= 1000; i++) {
        aside_give(a, do_work, &w);
        assert_true(is_readable(aside_fd(a), 20000));
        assert_true(aside_done(a));
        assert_int_equal(w.count, i);
        assert_false(aside_done(a));
        assert_false(is_readable(aside_fd(a), 0));
    }
    stop(a);
    a = NULL;
    aside_stop(&a);
}

static void test_the_loop_goes_on_meanwhile(void **state)
{
    (void)state;
    struct aside *a = start();
    struct work w = {.held = true};
    const struct timespec step = {0, 1000000};
    aside_give(a, do_work, &w);
    while (!atomic_load(&w.begun))
        nanosleep(&step, NULL);
    assert_false(aside_done(a));
    assert_false(is_readable(aside_fd(a), 0));
    atomic_store(&w.held, false);
    aside_wait(a);
    assert_true(aside_done(a));
    assert_int_equal(w.count, 1);
    stop(a);
}

static void test_what_was_given_is_done_before_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) { /* with and without a chance to begin */
        struct aside *a = start();
        struct work w = {0};
        aside_give(a, do_work, &w);
        if (i % 2)
            aside_wait(a);
        stop(a);
        assert_int_equal(w.count, 1);
    }
    stop(start());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_the_loop_goes_on_meanwhile),
        cmocka_unit_test(test_what_was_given_is_done_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
