/* SPDX-License-Identifier: MIT */
/* test_quota.c: what a process remembers of limits, also when more users come than it remembers. */
#include "fcgi/quota.h"
#include "unit.h"

static void test_room(void **state)
{
    (void)state;
    struct quota *q = quota_create();
    assert_int_equal(quota_take(q, 1, 5), 0);
    quota_put(q, 1, 7);
    quota_put(q, 2, 1);
    assert_int_equal(quota_take(q, 1, 5), 5);
    assert_int_equal(quota_take(q, 1, 5), 2);
    assert_int_equal(quota_take(q, 1, 5), 0);
    quota_put(q, 1, 3);
    assert_int_equal(quota_take(q, 1, 3), 3);
    assert_int_equal(quota_take(q, 2, 2), 1);
    quota_destroy(&q);
    assert_null(q);
    quota_destroy(&q);
}

static void test_refusals(void **state)
{
    (void)state;
    struct quota *q = quota_create();
    assert_false(quota_refused(q, 1, 1, 0));
    quota_refuse(q, 1, 3, 100);
    assert_true(quota_refused(q, 1, 3, 99));
    assert_true(quota_refused(q, 1, 4, 99));
    assert_false(quota_refused(q, 1, 2, 99));
    assert_false(quota_refused(q, 1, 3, 100));
    assert_false(quota_refused(q, 2, 3, 99));
    assert_false(quota_refused(q, 0, 3, 99));
    quota_destroy(&q);
}

static void test_held(void **state)
{
    (void)state;
    struct quota *q = quota_create();
    assert_false(quota_held(q, 1, 0));
    quota_hold(q, 1, 100);
    assert_true(quota_held(q, 1, 99));
    assert_false(quota_held(q, 1, 100));
    assert_false(quota_held(q, 2, 99));
    assert_false(quota_refused(q, 1, 1, 99));
    quota_destroy(&q);
}

/* Once a second each, one at a time, and not longer than a twentieth of the time. */
static void test_counting(void **state)
{
    enum { SECOND = 1000000000 };
    (void)state;
    struct quota *q = quota_create();
    quota_put(q, 1, 7);
    assert_true(quota_count_due(q, 1, SECOND));
    assert_false(quota_count_due(q, 1, 2 * (int64_t)SECOND - 1));
    assert_int_equal(quota_take(q, 1, 7), 7);
    assert_false(quota_count_due(q, 2, SECOND)); /* the other one's count is not done */
    quota_counted(q, SECOND, SECOND / 100);
    assert_false(quota_count_due(q, 2, SECOND + SECOND / 100 * 19 - 1));
    assert_true(quota_count_due(q, 2, SECOND + SECOND / 100 * 19));
    quota_counted(q, SECOND, SECOND / 10);
    assert_false(quota_count_due(q, 1, 2 * (int64_t)SECOND));
    assert_true(quota_count_due(q, 1, 3 * (int64_t)SECOND));
    quota_destroy(&q);
}

/* Each finds what it has just put, and the table never gives out more than was put in. */
static void test_many_users(void **state)
{
    enum { USERS = 20000 };
    int64_t left = 0;
    (void)state;
    struct quota *q = quota_create();
    for (int64_t user = 1; user <= USERS; user++) {
        quota_put(q, user, 2);
        assert_int_equal(quota_take(q, user, 1), 1);
    }
    for (int64_t user = 1; user <= USERS; user++)
        left += quota_take(q, user, 2);
    assert_in_range(left, 1, 1 << 10);
    quota_destroy(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_counting),
        cmocka_unit_test(test_many_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
