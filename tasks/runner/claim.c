/* SPDX-License-Identifier: MIT */
/* claim.c: decides what becomes of a claim: the one place that knows when a task is tried again. */
#include "claim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/process.h"
#include "base/random.h"

void claim_list_init(struct claim_list *l)
{
    l->head = NULL;
    l->tail = &l->head;
    l->count = 0;
}

void claim_list_push(struct claim_list *l, struct run_claim *c)
{
    c->next = NULL;
    *l->tail = c;
    l->tail = &c->next;
    l->count++;
}

struct run_claim *claim_list_pop(struct claim_list *l)
{
    struct run_claim *c = l->head;
    if (!c)
        return NULL;
    l->head = c->next;
    if (!l->head)
        l->tail = &l->head;
    l->count--;
    return c;
}

struct run_claim *claim_create(const struct settings *settings, const char *type,
                               const struct claimed *t)
{
    struct arena *arena = arena_create();
    struct run_claim *c = arena_calloc(arena, 1, sizeof *c);
    c->arena = arena;
    c->task = (struct run_task){
        .id = t->id,
        .fence = t->fence,
        .attempt = t->attempt,
        .max_attempts = t->max_attempts,
        .created_by = t->created_by,
        .created_at = t->created_at,
        .type = arena_strdup(arena, type),
        .data = arena_strndup(arena, t->data.p ? t->data.p : "", t->data.len),
        .data_len = t->data.len,
    };
    task_limits_get(settings, type, &c->limits);
    if (!c->task.max_attempts)
        c->task.max_attempts = (unsigned)c->limits.max_attempts;
    c->timeout_at_ns = INT64_MAX;
    c->finish = (struct finish){.id = t->id, .fence = t->fence, .owner = t->created_by, .turn = t->turn};
    return c;
}

void claim_set_request(struct run_claim *c, const struct http_request *r)
{
    c->finish.is_request = true;
    if (!r)
        return;
    struct run_request *q = arena_calloc(c->arena, 1, sizeof *q);
    q->sealed = r->sealed ? arena_strndup(c->arena, r->sealed, r->sealed_len) : NULL;
    q->sealed_len = r->sealed_len;
    q->body_path = r->body_path ? arena_strdup(c->arena, r->body_path) : NULL;
    q->body_bytes = r->body_bytes;
    c->task.request = q;
}

void claim_free(struct run_claim **c)
{
    struct arena *arena = *c ? (*c)->arena : NULL;
    *c = NULL;
    arena_destroy(&arena);
}

static const char *error_json(struct run_claim *c, const char *code, const char *message)
{
    struct buf b = BUF_INIT;
    buf_adds(&b, "{\"code\":");
    buf_json_s(&b, code);
    buf_adds(&b, ",\"message\":");
    buf_json_s(&b, message);
    buf_addc(&b, '}');
    const char *json = arena_strndup(c->arena, buf_str(&b), b.len);
    buf_free(&b);
    return json;
}

/* Doubles with each attempt up to the cap, then 50 to 100% of it, so that tasks that failed together do
 * not come back together. */
static int64_t backoff_usec(const struct run_claim *c)
{
    int64_t pause = c->limits.backoff_usec, most = c->limits.backoff_max_usec;
    for (unsigned i = 1; i < c->task.attempt && pause < most; i++)
        pause *= 2;
    if (most > 0 && pause > most)
        pause = most;
    return random_half(pause);
}

/* AGAIN: another attempt may help. None is made of a task that has committed itself. */
static void end_failed(struct run_claim *c, enum finish_kind final_kind, bool again,
                       const char *code, const char *message)
{
    struct finish *f = &c->finish;
    f->error = error_json(c, code, message);
    f->died = final_kind == FINISH_DROPPED;
    f->keep_usec = c->limits.retention_failure_usec;
    if (again && !c->committed && c->task.attempt < c->task.max_attempts) {
        f->kind = FINISH_RETRY;
        f->retry_usec = backoff_usec(c);
        return;
    }
    f->kind = final_kind;
}

void claim_end_cancelled(struct run_claim *c)
{
    c->finish.kind = FINISH_CANCELLED;
    c->finish.error = c->cancel_error ? c->cancel_error : store_cancel_error(c->arena, 0, NULL);
    c->finish.keep_usec = c->limits.retention_failure_usec;
}

/* A task of nobody's could be seen by nobody, and one above all priorities would go before everybody's. */
bool claim_end_invalid(struct run_claim *c, const struct claimed *t)
{
    bool nobody = t->created_by < 1, beyond = t->priority < PRIORITY_MIN || t->priority > PRIORITY_MAX;
    if (nobody)
        end_failed(c, FINISH_FAILURE, false, "invalid_data", "created_by is no user: those are numbers from 1 on");
    else if (beyond)
        end_failed(c, FINISH_FAILURE, false, "invalid_data", "priority is not one of 0 to 9");
    return nobody || beyond;
}

void claim_end_hand_back(struct run_claim *c)
{
    c->finish.kind = FINISH_HAND_BACK;
    c->finish.keep_usec = c->limits.retention_failure_usec; /* counts where it is cancelled instead */
}

/* The end of a task that did not end by itself, by the reason for which it was stopped. */
static bool end_stopped(struct run_claim *c)
{
    switch (c->stop) {
    case STOP_NONE:
        return false;
    case STOP_CANCELLED:
        claim_end_cancelled(c);
        break;
    case STOP_TIMEOUT:
        end_failed(c, FINISH_FAILURE, true, "timeout",
                   arena_printf(c->arena, "the attempt took longer than its %lld s",
                                (long long)(c->limits.timeout_usec / 1000000)));
        break;
    case STOP_SHUTDOWN:
        if (c->committed)
            end_failed(c, FINISH_DROPPED, false, "runner_stopped",
                       "the runner was told to end, and another attempt might do the same work twice");
        else
            claim_end_hand_back(c);
        break;
    case STOP_LEASE:
        end_failed(c, FINISH_DROPPED, true, "lease_lost",
                   "the runner could not reach the database for most of its lease and ended the task");
        break;
    }
    return true;
}

static void end_success(struct run_claim *c, const struct wire_done *done)
{
    struct finish *f = &c->finish;
    f->kind = FINISH_SUCCESS;
    f->keep_usec = c->limits.retention_success_usec;
    f->result = done->result ? arena_strdup(c->arena, done->result) : NULL;
    f->files = c->files;
    f->file_count = done->file_count;
    for (unsigned i = 0; i < done->file_count; i++) {
        const struct result_info *info = &done->files[i];
        c->files[i] = (struct finish_file){
            .filename = arena_strdup(c->arena, info->filename),
            .format = arena_strdup(c->arena, info->format),
            .path = arena_strdup(c->arena, info->path),
            .sha256 = arena_strdup(c->arena, info->sha256),
            .bytes = info->bytes,
            .rows = info->rows,
            .no_rows = info->rows == RESULT_NO_ROWS,
            .is_result = info->is_result,
            .is_response = info->is_response,
            .role = *info->role ? arena_strdup(c->arena, info->role) : NULL,
            .series = *info->series ? arena_strdup(c->arena, info->series) : NULL,
        };
        if (*info->series) /* goes when enough newer ones are there, not by its age */
            f->keep_usec = 0;
    }
}

void claim_end_done(struct run_claim *c, const struct wire_done *done)
{
    switch (done->end) {
    case RUN_SUCCESS: /* also where it was asked to stop: it was faster */
        end_success(c, done);
        break;
    case RUN_STOPPED:
        if (!end_stopped(c))
            end_failed(c, FINISH_FAILURE, true, "internal", "the task stopped without having been asked to");
        break;
    case RUN_FAILED:
    case RUN_FAILED_FINAL:
    case RUN_DROPPED:
        if (c->stop == STOP_CANCELLED) /* whatever it stumbled over: nobody wants it tried again */
            claim_end_cancelled(c);
        else
            end_failed(c, done->end == RUN_DROPPED ? FINISH_DROPPED : FINISH_FAILURE, done->end == RUN_FAILED,
                       done->code, done->message);
        if (c->finish.retry_usec < done->retry_usec) /* only a FINISH_RETRY looks at it */
            c->finish.retry_usec = done->retry_usec;
        break;
    }
}

void claim_end_died(struct run_claim *c, int status)
{
    if (end_stopped(c)) /* killed because it did not stop in time */
        return;
    const char *message =
        WIFSIGNALED(status)
            ? arena_printf(c->arena, "the worker process was ended by %s%s",
                           process_signal_name(WTERMSIG(status)),
                           WTERMSIG(status) == SIGKILL ? " (out of memory, or killed by hand)" : "")
            : arena_printf(c->arena, "the worker process ended with exit status %d", WEXITSTATUS(status));
    end_failed(c, FINISH_DROPPED, true, "worker_died", message);
}

void claim_end_refused(struct run_claim *c, const char *reason)
{
    struct finish *f = &c->finish;
    c->refused = true;
    f->result = NULL;
    f->progress = NULL;
    f->log = NULL;
    f->file_count = 0; /* the caller removes the files first */
    f->kind = FINISH_FAILURE;
    f->keep_usec = c->limits.retention_failure_usec;
    f->error = error_json(c, "result_refused",
                          arena_printf(c->arena, "the database refused the result: %s", reason));
}

void claim_log_end(const struct run_claim *c)
{
    const struct run_task *t = &c->task;
    const struct finish *f = &c->finish;
    unsigned long long id = t->id;
    switch (f->kind) {
    case FINISH_SUCCESS:
    case FINISH_HAND_BACK:
        break;
    case FINISH_CANCELLED:
        log_info("task %llu (%s): cancelled: %s", id, t->type, f->error);
        break;
    case FINISH_RETRY:
        log_info("task %llu (%s): attempt %u of %u failed, the next one comes in %.1f s: %s", id, t->type, t->attempt,
                 t->max_attempts, (double)f->retry_usec / 1e6, f->error);
        break;
    case FINISH_FAILURE:
    case FINISH_DROPPED:
        log_warning("task %llu (%s): attempt %u of %u failed, there is no other: %s", id, t->type, t->attempt,
                    t->max_attempts, f->error);
        break;
    }
}

/* A copy of LOG that is UTF-8: a task may write anything, and the database refuses what is not. */
static const char *clean_text(struct arena *arena, const char *log)
{
    struct buf b = BUF_INIT;
    buf_utf8(&b, log, strlen(log));
    const char *text = arena_strndup(arena, buf_str(&b), b.len);
    buf_free(&b);
    return text;
}

void claim_end_notes(struct run_claim *c, const char *progress, const char *log)
{
    c->finish.progress = progress;
    c->finish.log = log ? clean_text(c->arena, log) : NULL;
}

const char *claim_progress_json(struct arena *arena, uint64_t done, uint64_t total,
                                const char *unit, const char *message)
{
    if (!done && !total && !*unit && !*message)
        return NULL;
    struct buf b = BUF_INIT;
    buf_adds(&b, "{\"done\":");
    buf_add_u64(&b, done);
    buf_adds(&b, ",\"total\":");
    if (total)
        buf_add_u64(&b, total);
    else
        buf_adds(&b, "null");
    buf_adds(&b, ",\"unit\":");
    buf_json_s(&b, *unit ? unit : NULL);
    buf_adds(&b, ",\"percent\":");
    if (total)
        buf_add_u64(&b, done >= total ? 100 : (uint64_t)((double)done * 100 / (double)total));
    else
        buf_adds(&b, "null");
    buf_adds(&b, ",\"message\":");
    buf_json_s(&b, *message ? message : NULL);
    buf_addc(&b, '}');
    const char *json = arena_strndup(arena, buf_str(&b), b.len);
    buf_free(&b);
    return json;
}
