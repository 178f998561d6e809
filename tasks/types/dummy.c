/* SPDX-License-Identifier: MIT */
/* dummy.c: does nothing for a while, then ends as it was told to: well, as a failure or by a
 * signal. */
#include "dummy.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "task/validate.h"

enum { STEP_NS = 50000000 }; /* how often it looks whether it should stop */

struct dummy {
    double seconds;
    bool fail;
    int64_t steps;
    bool crash;
};

static int bind(struct run *r, struct run_outcome *o, struct dummy *d)
{
    const struct run_task *t = run_task(r);
    const struct task_type *type = catalogue_type(run_catalogue(r), t->type);
    struct bound_params p;
    struct error e = {0};
    if (!type)
        return run_fail(o, RUN_FAILED_FINAL, "unknown_type", "the type %s is not enabled", t->type);
    if (task_bind(run_catalogue(r), type, t->data, t->data_len, run_arena(r), &p, &e))
        return run_fail(o, RUN_FAILED_FINAL, "invalid_data", "%s", e.text);
    d->seconds = bound_param(&p, "seconds")->number;
    d->fail = bound_param(&p, "fail")->boolean;
    d->steps = bound_param(&p, "steps")->integer;
    d->crash = bound_param(&p, "crash")->boolean;
    return 0;
}

/* Waits until END_NS, telling of the steps. False where it was asked to stop. */
static bool wait_steps(struct run *r, const struct dummy *d, int64_t start_ns)
{
    int64_t told = -1;
    for (;;) {
        double passed = (double)(clock_mono_ns() - start_ns) / 1e9;
        bool over = passed >= d->seconds;
        int64_t step = over ? d->steps : (int64_t)((double)d->steps * (passed / d->seconds));
        if (step != told)
            run_progress(r, (uint64_t)step, (uint64_t)d->steps, "steps");
        told = step;
        if (run_stopping(r))
            return false;
        if (over)
            return true;
        double left = (d->seconds - passed) * 1e9;
        struct timespec pause = {.tv_nsec = left < STEP_NS ? (long)left + 1 : STEP_NS};
        nanosleep(&pause, NULL);
    }
}

/* Dies as a program with a bug does, also where a handler (a sanitizer's) would have it otherwise.
 * */
static void crash(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    abort();
}

void dummy_run(struct run *r, struct run_outcome *o, void **state)
{
    (void)state;
    struct dummy d;
    if (bind(r, o, &d))
        return;
    if (!wait_steps(r, &d, clock_mono_ns())) {
        run_fail(o, RUN_STOPPED, "stopped", "the task was asked to stop");
        return;
    }
    if (d.crash)
        crash();
    if (d.fail) {
        run_fail(o, RUN_FAILED, "dummy_failed", "the task was told to fail");
        return;
    }
    buf_clear(&o->result);
    buf_addf(&o->result, "{\"steps\":%lld}", (long long)d.steps);
    run_succeed(o);
}
