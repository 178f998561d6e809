/* SPDX-License-Identifier: MIT */
/* worker.c: a worker process from its fork to its end, and how an ordinary one runs its tasks. */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "run_impl.h"
#include "wire.h"

enum { READ_SIZE = 64 * 1024, LEASE_CHECK_MS = 250 };

/* Keeps the lease's deadline also for a dispatcher that is only stopped: nobody else would. An idle worker
 * has nothing to lose: it outlives a database that is away. */
static void *watch_lease(void *arg)
{
    struct worker *w = arg;
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
    process_default_signals();
    signal(SIGPIPE, SIG_IGN); /* a write to a lost database answers EPIPE instead */
    prctl(PR_SET_NAME, setup->kind == WORKER_MANY ? "taskrunner-many" : "taskrunner-work");
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

/* Runs one task and sends its outcome. */
static void run_one(struct worker *w, struct run *r)
{
    struct run_outcome outcome = {.end = RUN_FAILED, .code = "internal",
                                  .message = "the task's code did not say how it ended"};
    size_t index;
    const struct type_code *code = find_code(w->setup->catalogue, r->task.type, &index);
    if (code && code->run)
        code->run(r, &outcome, &w->states[index]);
    else
        run_fail(&outcome, RUN_FAILED_FINAL, "unknown_type", "this runner has no code for the type %s",
                 r->task.type);
    run_send(r, &outcome);
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

/* Tasks one after the other, until the dispatcher closes the socket. */
static void serve_single(struct worker *w)
{
    struct run r = {.worker = w, .slot = w->setup->slot, .arena = arena_create()};
    size_t types = catalogue_type_count(w->setup->catalogue);
    w->states = xcalloc(types + 1, sizeof *w->states);
    while (!w->cut_off && receive(w)) {
        arena_reset(r.arena);
        memset(&r.progress, 0, sizeof r.progress);
        if (!wire_get_task(&w->in, r.arena, &r.task))
            log_bug("a malformed frame from the dispatcher");
        wire_drop(&w->in, wire_frame(&w->in));
        atomic_store(&w->busy, 1);
        run_one(w, &r);
    }
    for (size_t i = 0; i < types; i++) {
        const struct type_code *code = type_code_find(catalogue_type_at(w->setup->catalogue, i));
        if (code && code->close)
            code->close(&w->states[i]);
    }
    free(w->states);
    arena_destroy(&r.arena);
}

void worker_main(const struct worker_setup *setup)
{
    struct worker w = {.setup = setup};
    settle(setup);
    start_lease_watch(&w);
    if (setup->kind == WORKER_MANY)
        worker_serve_many(&w);
    else
        serve_single(&w);
    buf_free(&w.in);
    buf_free(&w.out);
    _exit(0); /* not exit: what the dispatcher registered is the dispatcher's */
}
