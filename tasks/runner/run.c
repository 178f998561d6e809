/* SPDX-License-Identifier: MIT */
/* run.c: what run.h offers to a running task, and how its end gets to the dispatcher. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "long_result.h"
#include "run_impl.h"
#include "wire.h"

const struct run_task *run_task(const struct run *r)
{
    return &r->task;
}

const struct settings *run_settings(const struct run *r)
{
    return catalogue_settings(run_catalogue(r));
}

const struct catalogue *run_catalogue(const struct run *r)
{
    return r->worker->setup->catalogue;
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
    slot_write(r->slot, &r->progress);
}

void run_progress_message(struct run *r, const char *message)
{
    snprintf(r->progress.message, sizeof r->progress.message, "%s", message ? message : "");
    slot_write(r->slot, &r->progress);
}

void run_commit(struct run *r)
{
    atomic_store(&r->slot->committed, true);
}

bool run_stopping(const struct run *r)
{
    if (r->worker->setup->kind == WORKER_MANY)
        atomic_store_explicit(&r->slot->asked_ns, clock_mono_ns(), memory_order_relaxed);
    return atomic_load_explicit(&r->slot->stop, memory_order_relaxed);
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
    slot_log(r->slot, line, len);
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

void run_send(struct run *r, struct run_outcome *outcome)
{
    struct worker *w = r->worker;
    if (outcome->end == RUN_SUCCESS)
        long_result(run_settings(r), &r->task, outcome);
    bool success = outcome->end == RUN_SUCCESS;
    for (unsigned i = 0; i < outcome->file_count && !success; i++)
        result_file_discard(&outcome->files[i]);
    if (!success)
        outcome->file_count = 0;
    buf_clear(&w->out);
    wire_put_done(&w->out, r->place, outcome);
    atomic_fetch_sub(&w->busy, 1);
    bool sent = send_all(&w->out);
    /* with the whole answer the dispatcher has the files too: it publishes or removes them */
    for (unsigned i = 0; i < outcome->file_count; i++)
        if (sent)
            result_file_release(&outcome->files[i]);
        else
            result_file_discard(&outcome->files[i]);
    buf_free(&outcome->result);
    w->cut_off = w->cut_off || !sent;
}
