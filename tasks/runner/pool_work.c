/* SPDX-License-Identifier: MIT */
/* pool_work.c: what the workers are given, what they answer, and when they are to stop. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "pool_impl.h"

enum {
    READ_SIZE = 64 * 1024,
    BACKLOG_MAX = 4 * 1024 * 1024, /* bytes that a worker has not read: it gets no more tasks meanwhile */
};

/* --- giving ---------------------------------------------------------------------------------------- */

size_t pool_free(const struct pool *p, enum worker_kind kind)
{
    const struct crew *crew = &p->crews[kind];
    size_t n = 0;
    for (size_t i = 0; i < crew->used; i++)
        if (worker_takes(p, &crew->workers[i]))
            n += crew->workers[i].place_count - crew->workers[i].busy;
    if (kind == WORKER_MANY && worker_to_come(p))
        n += crew->places;
    return n;
}

static size_t crew_busy(const struct crew *crew)
{
    size_t n = 0;
    for (size_t i = 0; i < crew->used; i++)
        n += crew->workers[i].busy;
    return n;
}

size_t pool_busy(const struct pool *p)
{
    size_t n = 0;
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        n += crew_busy(&p->crews[kind]);
    return n;
}

bool pool_full(const struct pool *p, enum worker_kind kind)
{
    return !pool_free(p, kind) && (kind == WORKER_MANY || crew_busy(&p->crews[kind]) >= pool_capacity(p, kind));
}

/* The worker is idle and reads, so that this takes no longer than copying; false where it is dead, or
 * stopped and takes nothing for the socket's send timeout. */
static bool send_frame(int fd, const struct buf *b)
{
    ssize_t n;
    do
        n = send(fd, b->data, b->len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)b->len;
}

/* Sends of W's backlog what its socket takes, and watches for the moment when it takes more: WATCHED tells whether
 * that is so already. */
static void flush(struct pool *p, struct pool_worker *w, bool watched)
{
    ssize_t n = 0;
    while (w->out.len && n >= 0) {
        n = send(w->fd, w->out.data, w->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n > 0)
            wire_drop(&w->out, (size_t)n);
    }
    if (n < 0 && errno != EAGAIN) /* it has died: the obituary is on its way */
        buf_clear(&w->out);
    bool watch = w->out.len > 0;
    struct epoll_event ev = {.events = watch ? EPOLLIN | EPOLLOUT : EPOLLIN,
                             .data.u64 = (uint64_t)(w - p->workers)};
    if (watch != watched)
        epoll_ctl(p->epoll, EPOLL_CTL_MOD, w->fd, &ev);
}

/* An ordinary worker that does not take its task at once is ended, and another one gets it. One that carries
 * many may be busy with the others: its dispatcher does not wait for it. */
static bool send_task(struct pool *p, struct pool_worker *w, size_t place, const struct run_task *task)
{
    struct buf frame = BUF_INIT;
    bool sent = true;
    if (w->kind == WORKER_SINGLE) {
        wire_put_task(&frame, place, task);
        sent = send_frame(w->fd, &frame);
        buf_free(&frame);
    } else {
        bool watched = w->out.len > 0;
        wire_put_task(&w->out, place, task);
        flush(p, w, watched);
    }
    if (!sent) { /* it has just died idle, or ought to: the obituary is on its way */
        kill(-w->pid, SIGKILL);
        w->ended = true;
    }
    return sent;
}

static bool assign_to(struct pool *p, struct pool_worker *w, struct run_claim *c, int64_t now_ns)
{
    size_t at = 0;
    while (w->places[at].claim)
        at++;
    slot_reset(w->places[at].slot, now_ns);
    if (!send_task(p, w, at, &c->task))
        return false;
    if (c->limits.timeout_usec > 0)
        c->timeout_at_ns = now_ns + c->limits.timeout_usec * 1000;
    c->assigned_ns = now_ns;
    w->places[at].claim = c;
    w->busy++;
    return true;
}

bool pool_assign(struct pool *p, struct run_claim *c, int64_t now_ns)
{
    struct crew *crew = &p->crews[c->kind];
    for (size_t i = 0; i < crew->used; i++) {
        struct pool_worker *w = &crew->workers[i];
        if (worker_takes(p, w) && w->busy < w->place_count && w->out.len < BACKLOG_MAX &&
            assign_to(p, w, c, now_ns))
            return true;
    }
    return false;
}

/* --- taking ---------------------------------------------------------------------------------------- */

/* A tenth of each new duration, but a long one counts at once: few should wait behind it. */
static void note_duration(struct crew *crew, int64_t took_ns)
{
    double took = took_ns > 1 ? (double)took_ns : 1;
    crew->run_ns = crew->run_ns == 0 || took > 10 * crew->run_ns ? took : crew->run_ns * 0.9 + took * 0.1;
}

void pool_note_slow(struct pool *p, enum worker_kind kind, int64_t waits_ns)
{
    struct crew *crew = &p->crews[kind];
    crew->run_ns = (double)waits_ns > crew->run_ns ? (double)waits_ns : crew->run_ns;
}

/* Hands the claim over as ended, with its last words. */
static void give_up_claim(struct pool *p, struct pool_place *place)
{
    struct run_claim *c = place->claim;
    c->ended_ns = clock_mono_ns();
    note_duration(&p->crews[c->kind], c->ended_ns - c->assigned_ns);
    struct slot_progress progress;
    unsigned version;
    const char *json = NULL;
    if (slot_read(place->slot, &progress, &version))
        json = claim_progress_json(c->arena, progress.done, progress.total, progress.unit, progress.message);
    char *log = slot_log_tail(place->slot);
    claim_end_notes(c, json, log);
    free(log);
    claim_list_push(p->ended, c);
    place->claim = NULL;
    place->worker->busy--;
}

/* The answer at the start of W's input; false where it is none. */
static bool take_answer(struct pool *p, struct pool_worker *w)
{
    size_t at;
    struct wire_done done;
    if (!wire_peek_place(&w->in, &at) || at >= w->place_count || !w->places[at].claim)
        return false;
    struct run_claim *c = w->places[at].claim;
    if (!wire_get_done(&w->in, c->arena, &done))
        return false;
    c->committed = atomic_load(&w->places[at].slot->committed);
    claim_end_done(c, &done);
    give_up_claim(p, &w->places[at]);
    return true;
}

/* Takes all answers that are complete. */
static void take_answers(struct pool *p, struct pool_worker *w)
{
    size_t len;
    while ((len = wire_frame(&w->in))) {
        if (!take_answer(p, w)) {
            log_error("worker %ld sent a malformed answer: ending it", (long)w->pid);
            kill(-w->pid, SIGKILL);
            buf_clear(&w->in);
            return;
        }
        wire_drop(&w->in, len);
    }
}

void pool_receive(struct pool *p, size_t index)
{
    struct pool_worker *w = &p->workers[index];
    if (w->fd >= 0 && w->out.len)
        flush(p, w, true);
    while (w->fd >= 0) {
        buf_reserve(&w->in, READ_SIZE);
        ssize_t n = recv(w->fd, w->in.data + w->in.len, READ_SIZE, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            take_answers(p, w);
            w->ended = true;
            worker_close(w);
            return;
        }
        w->in.len += (size_t)n;
        if ((size_t)n < READ_SIZE)
            break;
    }
    take_answers(p, w);
}

void worker_bury_tasks(struct pool *p, struct pool_worker *w, int status)
{
    for (size_t i = 0; i < w->place_count; i++) {
        struct run_claim *c = w->places[i].claim;
        if (!c)
            continue;
        c->committed = atomic_load(&w->places[i].slot->committed);
        claim_end_died(c, status);
        give_up_claim(p, &w->places[i]);
    }
}

/* --- stopping -------------------------------------------------------------------------------------- */

void pool_stop(struct pool_place *place, enum stop_reason reason, int64_t kill_at_ns)
{
    struct run_claim *c = place->claim;
    if (!c)
        return;
    if (c->stop == STOP_NONE) {
        c->stop = reason;
        c->kill_at_ns = kill_at_ns;
        atomic_store(&place->slot->stop, true);
    } else if (kill_at_ns < c->kill_at_ns) {
        c->kill_at_ns = kill_at_ns;
    }
}

void pool_stop_all(struct pool *p, enum stop_reason reason, int64_t kill_at_ns)
{
    for (size_t i = 0; i < p->place_count; i++)
        pool_stop(&p->places[i], reason, kill_at_ns);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the task in PLACE is past its time to stop; INT64_MAX: never, or its worker has been killed for it. */
static int64_t over_at(const struct pool_place *place)
{
    return place->claim->stop == STOP_NONE ? INT64_MAX : place->claim->kill_at_ns;
}

/* When its worker is to be killed for its sake alone: where that carries others, only if it hangs. */
static int64_t kill_for_at(const struct pool_place *place, int64_t grace_ns)
{
    int64_t over = over_at(place), silent = atomic_load(&place->slot->asked_ns) + grace_ns;
    return place->worker->kind == WORKER_SINGLE || over > silent ? over : silent;
}

/* Once for each task. */
static void kill_worker(struct pool_worker *w)
{
    process_kill_tree(w->pid); /* SIGCHLD brings the obituary */
    for (size_t i = 0; i < w->place_count; i++) {
        struct run_claim *c = w->places[i].claim;
        if (!c || c->stop == STOP_NONE)
            continue;
        c->kill_at_ns = INT64_MAX;
        log_warning("task %llu (%s): did not stop in the time that it was given: its worker %ld is killed",
                    (unsigned long long)c->task.id, c->task.type, (long)w->pid);
    }
}

/* Returns the next instant at which W has to be looked at. */
static int64_t enforce(struct pool_worker *w, int64_t now_ns, int64_t grace_ns)
{
    int64_t first = INT64_MAX, all_over = 0, timeout = INT64_MAX;
    for (size_t i = 0; i < w->place_count; i++) {
        struct pool_place *place = &w->places[i];
        struct run_claim *c = place->claim;
        if (!c)
            continue;
        if (c->stop == STOP_NONE && now_ns >= c->timeout_at_ns)
            pool_stop(place, STOP_TIMEOUT, now_ns + grace_ns);
        if (c->stop == STOP_NONE)
            timeout = least(timeout, c->timeout_at_ns);
        first = least(first, kill_for_at(place, grace_ns));
        all_over = over_at(place) > all_over ? over_at(place) : all_over;
    }
    if (now_ns < first && now_ns < all_over)
        return least(timeout, least(first, all_over));
    kill_worker(w);
    return INT64_MAX;
}

int64_t pool_enforce(struct pool *p, int64_t now_ns, int64_t grace_ns)
{
    int64_t next = INT64_MAX;
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        for (size_t i = 0; i < p->crews[kind].used; i++)
            if (p->crews[kind].workers[i].busy)
                next = least(next, enforce(&p->crews[kind].workers[i], now_ns, grace_ns));
    return next;
}
