/* SPDX-License-Identifier: MIT */
/* worker.c: a worker process from its fork to its end, and what run.h offers to a running task. */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "db/db.h"
#include "task/run.h"
#include "wire.h"

enum { READ_SIZE = 64 * 1024, LEASE_CHECK_MS = 250 };

struct run {
    const struct worker_setup *setup;
    struct run_task task;
    struct arena *arena;
    struct slot_progress progress;
};

struct worker {
    const struct worker_setup *setup;
    struct buf in, out;
    void **states;    /* of the types, by their place in the catalogue */
    atomic_bool busy; /* read by the thread that watches the lease */
};

/* --- run.h ----------------------------------------------------------------------------------- */

const struct run_task *run_task(const struct run *r)
{
    return &r->task;
}

const struct settings *run_settings(const struct run *r)
{
    return catalogue_settings(r->setup->catalogue);
}

const struct catalogue *run_catalogue(const struct run *r)
{
    return r->setup->catalogue;
}

struct arena *run_arena(struct run *r)
{
    return r->arena;
}

void run_progress(struct run *r, uint64_t done, uint64_t total, const char *unit)
{
    r->progress.done = done;
    r->progress.total = total;
    snprintf(r->progress.unit, sizeof r->progress.unit, "%s", unit ? unit : "");
    slot_write(r->setup->slot, &r->progress);
}

void run_progress_message(struct run *r, const char *message)
{
    snprintf(r->progress.message, sizeof r->progress.message, "%s", message ? message : "");
    slot_write(r->setup->slot, &r->progress);
}

bool run_stopping(const struct run *r)
{
    return atomic_load_explicit(&r->setup->slot->stop, memory_order_relaxed);
}

void run_log(struct run *r, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    size_t len = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    log_info("task %llu: %s", (unsigned long long)r->task.id, line);
    line[len++] = '\n';
    slot_log(r->setup->slot, line, len);
}

/* --- the process --------------------------------------------------------------------------------- */

/* Keeps the lease's deadline also for a dispatcher that is only stopped: nobody else would. An idle worker
 * has nothing to lose: it outlives a database that is away. */
static void *watch_lease(void *arg)
{
    const struct worker *w = arg;
    const struct timespec pause = {0, LEASE_CHECK_MS * 1000000L};
    for (;;) {
        nanosleep(&pause, NULL);
        if (atomic_load(&w->busy) && clock_mono_ns() > atomic_load(&w->setup->slots->lease_until_ns)) {
            log_error("the lease has run out and the dispatcher has not renewed it: ending");
            kill(0, SIGKILL); /* the whole process group: nothing of this worker goes on */
        }
    }
    return NULL;
}

static void start_lease_watch(struct worker *w)
{
    pthread_t thread;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    if (pthread_create(&thread, &attr, watch_lease, w) != 0)
        log_bug("cannot start the thread that watches the lease");
    pthread_attr_destroy(&attr);
}

/* A process of its own: own group, signals as at birth, no descriptor but the socket. */
static void settle(const struct worker_setup *setup)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what its task starts stays its descendant: see process_kill_tree */
    setpgid(0, 0);
    dup2(setup->socket, WORKER_SOCKET);
    process_close_from(WORKER_SOCKET + 1);
    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    signal(SIGPIPE, SIG_IGN); /* a write to a lost database answers EPIPE instead */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, "taskrunner-work");
}

/* The code of the type NAME and its place in the catalogue. */
static const struct type_code *find_code(const struct catalogue *c, const char *name, size_t *index)
{
    for (size_t i = 0; i < catalogue_type_count(c); i++) {
        const struct task_type *type = catalogue_type_at(c, i);
        if (strcmp(type->name, name) == 0) {
            *index = i;
            return type_code_find(type);
        }
    }
    return NULL;
}

/* Until the whole frame is out; false where the dispatcher is gone. */
static bool send_all(const struct buf *b)
{
    size_t at = 0;
    while (at < b->len) {
        ssize_t n = write(WORKER_SOCKET, b->data + at, b->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* Runs one task and sends its outcome. False where the dispatcher is gone. */
static bool run_one(struct worker *w, struct run *r)
{
    struct run_outcome outcome = {.end = RUN_FAILED, .code = "internal",
                                  .message = "the task's code did not say how it ended"};
    size_t index;
    const struct type_code *code = find_code(w->setup->catalogue, r->task.type, &index);
    if (code)
        code->run(r, &outcome, &w->states[index]);
    else
        run_fail(&outcome, RUN_FAILED_FINAL, "unknown_type", "this runner has no code for the type %s",
                 r->task.type);
    bool success = outcome.end == RUN_SUCCESS;
    for (unsigned i = 0; i < outcome.file_count && !success; i++)
        result_file_discard(&outcome.files[i]);
    if (!success)
        outcome.file_count = 0;
    buf_clear(&w->out);
    wire_put_done(&w->out, &outcome);
    atomic_store(&w->busy, false);
    bool sent = send_all(&w->out);
    /* with the whole answer the dispatcher has the files too: it publishes or removes them */
    for (unsigned i = 0; i < outcome.file_count; i++)
        if (sent)
            result_file_release(&outcome.files[i]);
        else
            result_file_discard(&outcome.files[i]);
    buf_free(&outcome.result);
    return sent;
}

/* Reads until a whole frame is there; false at the socket's end. */
static bool receive(struct worker *w)
{
    while (!wire_frame(&w->in)) {
        buf_reserve(&w->in, READ_SIZE);
        ssize_t n = read(WORKER_SOCKET, w->in.data + w->in.len, READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        w->in.len += (size_t)n;
    }
    return true;
}

void worker_main(const struct worker_setup *setup)
{
    struct worker w = {.setup = setup};
    settle(setup);
    start_lease_watch(&w);
    struct run r = {.setup = setup, .arena = arena_create()};
    size_t types = catalogue_type_count(setup->catalogue);
    w.states = xcalloc(types + 1, sizeof *w.states);
    bool alive = true;
    while (alive && receive(&w)) {
        arena_reset(r.arena);
        memset(&r.progress, 0, sizeof r.progress);
        if (!wire_get_task(&w.in, r.arena, &r.task))
            log_bug("a malformed frame from the dispatcher");
        wire_drop(&w.in, wire_frame(&w.in));
        atomic_store(&w.busy, true);
        alive = run_one(&w, &r);
    }
    for (size_t i = 0; i < types; i++) {
        const struct type_code *code = type_code_find(catalogue_type_at(setup->catalogue, i));
        if (code && code->close)
            code->close(&w.states[i]);
    }
    free(w.states);
    buf_free(&w.in);
    buf_free(&w.out);
    arena_destroy(&r.arena);
    _exit(0); /* not exit: what the dispatcher registered is the dispatcher's */
}
