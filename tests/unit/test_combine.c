/* SPDX-License-Identifier: MIT */
/* test_combine.c: who leads and who only asks, and the breaker, with real threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fcgi/breaker.h"
#include "fcgi/combine.h"
#include "unit.h"

enum { THREADS = 16, ROUNDS = 2000, MAX_BATCH = 8 };

struct job {
    struct combine_job job;
    unsigned question, answer;
};

struct counts {
    atomic_uint running, batches, jobs, largest, finished, rests, faults;
};

static void answer_all(void *context, struct combine_job *first, size_t count)
{
    struct counts *c = context;
    size_t seen = 0;
    if (atomic_fetch_add(&c->running, 1) != 0)
        atomic_fetch_add(&c->faults, 1); /* two batches at a time */
    for (struct combine_job *j = first; j; j = j->next, seen++)
        ((struct job *)j)->answer = ((struct job *)j)->question * 2 + 1;
    if (seen != count || count > MAX_BATCH || count == 0)
        atomic_fetch_add(&c->faults, 1);
    atomic_fetch_add(&c->batches, 1);
    atomic_fetch_add(&c->jobs, (unsigned)count);
    if (count > atomic_load(&c->largest))
        atomic_store(&c->largest, (unsigned)count);
    sched_yield(); /* so that others queue up */
    atomic_fetch_sub(&c->running, 1);
}

/* After each batch, when all its jobs have been finished. */
static void rest(void *context)
{
    struct counts *c = context;
    if (atomic_fetch_add(&c->running, 1) != 0 || atomic_load(&c->finished) != atomic_load(&c->jobs))
        atomic_fetch_add(&c->faults, 1);
    atomic_fetch_add(&c->rests, 1);
    atomic_fetch_sub(&c->running, 1);
}

struct asker {
    struct combiner *combiner;
    struct counts *counts;
    unsigned number;
    pthread_t thread;
};

struct left_job {
    struct job job;
    struct counts *counts;
};

static void finish(struct combine_job *job)
{
    struct left_job *left = (struct left_job *)job;
    if (left->job.answer != left->job.question * 2 + 1)
        atomic_fetch_add(&left->counts->faults, 1);
    atomic_fetch_add(&left->counts->finished, 1);
    free(left);
}

static void leave_job(struct combiner *c, struct counts *counts, unsigned question)
{
    struct left_job *left = calloc(1, sizeof *left);
    assert_non_null(left);
    left->job.question = question;
    left->counts = counts;
    combine_later(c, &left->job.job, finish);
}

static void test_flush(void **state)
{
    (void)state;
    struct counts counts = {0};
    struct combiner *c = combiner_create(MAX_BATCH, answer_all, rest, &counts);
    for (unsigned i = 0; i < MAX_BATCH + 3; i++)
        leave_job(c, &counts, i);
    assert_int_equal(atomic_load(&counts.batches), 0);
    combine_flush(c);
    assert_int_equal(atomic_load(&counts.batches), 2);
    assert_int_equal(atomic_load(&counts.jobs), MAX_BATCH + 3);
    combine_flush(c);
    assert_int_equal(atomic_load(&counts.batches), 2);
    assert_int_equal(atomic_load(&counts.faults), 0);
    combiner_destroy(&c);
}

static void *leave_and_flush(void *argument)
{
    struct asker *a = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        leave_job(a->combiner, a->counts, a->number * ROUNDS + i);
        if (i % 3 == 0 || i == ROUNDS - 1)
            combine_flush(a->combiner);
    }
    return NULL;
}

/* What is queued while another leads is done by the one who leads: nothing is left over, much is done together. */
static void test_flush_together(void **state)
{
    (void)state;
    struct counts counts = {0};
    struct asker askers[THREADS];
    struct combiner *c = combiner_create(MAX_BATCH, answer_all, rest, &counts);
    for (unsigned i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){.combiner = c, .counts = &counts, .number = i};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, leave_and_flush, &askers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(askers[i].thread, NULL);
    assert_int_equal(atomic_load(&counts.faults), 0);
    assert_int_equal(atomic_load(&counts.jobs), THREADS * ROUNDS);
    assert_true(atomic_load(&counts.largest) > 1);
    assert_true(atomic_load(&counts.batches) < THREADS * ROUNDS);
    assert_int_equal(atomic_load(&counts.rests), atomic_load(&counts.batches));
    combiner_destroy(&c);
    assert_null(c);
}

static void wait_until(int64_t ns)
{
    while (clock_mono_ns() < ns)
        usleep(1000);
}

static void test_breaker(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b);
    assert_true(breaker_enter(&b) && breaker_enter(&b)); /* closed: everybody may */
    assert_false(breaker_leave(&b, true));               /* no news */
    assert_true(breaker_leave(&b, false));
    int64_t opened = clock_mono_ns();
    assert_false(breaker_enter(&b));
    wait_until(opened + BREAKER_PAUSE_MSEC * INT64_C(1000000));
    assert_true(breaker_enter(&b)); /* one tries */
    assert_false(breaker_enter(&b));
    assert_false(breaker_leave(&b, false)); /* in vain: no news */
    assert_false(breaker_enter(&b));
    wait_until(clock_mono_ns() + BREAKER_PAUSE_MSEC * INT64_C(1000000));
    assert_true(breaker_enter(&b));
    assert_true(breaker_leave(&b, true));
    assert_true(breaker_enter(&b) && breaker_enter(&b));
    breaker_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_flush_together),
        cmocka_unit_test(test_breaker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
