/* SPDX-License-Identifier: MIT */
/* pool.c: worker processes as the dispatcher sees them. */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "worker.h"

enum {
    READ_SIZE = 64 * 1024,
    SEND_TIMEOUT_MS = 500,
    END_TIMEOUT_MS = 1000,
    END_STEP_MS = 5,
    CHILDREN_MAX = 2048,
};

static const int64_t respawn_pause_ns = 1000000000;

int pool_init(struct pool *p, size_t cap, int epoll, struct claim_list *ended, struct error *e)
{
    *p = (struct pool){.cap = cap, .epoll = epoll, .ended = ended};
    p->slots = slots_create(cap);
    if (!p->slots)
        return error_errno(e, ERR_SYSTEM, "cannot map memory for %zu workers", cap);
    p->workers = xcalloc(cap, sizeof *p->workers);
    for (size_t i = 0; i < cap; i++) {
        p->workers[i].fd = -1;
        p->workers[i].slot = &p->slots->slot[i];
    }
    return 0;
}

static void close_socket(struct pool_worker *w)
{
    if (w->fd >= 0)
        close(w->fd); /* leaves the epoll set with it */
    w->fd = -1;
    buf_free(&w->in);
}

/* Collects the workers that have ended, all of them at last. Returns how many are left. */
static size_t collect(struct pool *p, bool at_last)
{
    size_t left = 0;
    for (size_t i = 0; i < p->cap; i++) {
        struct pool_worker *w = &p->workers[i];
        if (w->pid && at_last)
            kill(-w->pid, SIGKILL);
        if (w->pid && waitpid(w->pid, NULL, at_last ? 0 : WNOHANG) != 0)
            w->pid = 0;
        left += w->pid != 0;
    }
    return left;
}

void pool_destroy(struct pool *p)
{
    for (size_t i = 0; i < p->cap; i++) {
        struct pool_worker *w = &p->workers[i];
        if (w->pid && w->claim)
            kill(-w->pid, SIGKILL);
        close_socket(w);
        claim_free(&w->claim);
    }
    /* an idle one ends by itself, unless it has been stopped (SIGSTOP) */
    const struct timespec step = {0, END_STEP_MS * 1000000L};
    for (int waited = 0; collect(p, waited >= END_TIMEOUT_MS); waited += END_STEP_MS)
        nanosleep(&step, NULL);
    free(p->workers);
    slots_destroy(&p->slots);
}

void pool_configure(struct pool *p, const struct catalogue *catalogue, size_t count)
{
    p->catalogue = catalogue;
    p->count = count < p->cap ? count : p->cap;
    p->generation++;
}

static void spawn(struct pool *p, size_t index)
{
    struct pool_worker *w = &p->workers[index];
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("cannot make a worker's socket: %s", strerror(errno));
        return;
    }
    slot_reset(w->slot);
    pid_t pid = fork();
    if (pid == 0) {
        struct worker_setup setup = {p->catalogue, p->slots, w->slot, pair[1]};
        worker_main(&setup);
    }
    close(pair[1]);
    if (pid < 0) {
        log_error("cannot fork a worker: %s", strerror(errno));
        close(pair[0]);
        return;
    }
    setpgid(pid, pid); /* the child does the same: whoever comes first */
    const struct timeval most = {0, SEND_TIMEOUT_MS * 1000};
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    w->pid = pid;
    w->fd = pair[0];
    w->generation = p->generation;
    w->ended = false;
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = index};
    epoll_ctl(p->epoll, EPOLL_CTL_ADD, w->fd, &ev);
}

void pool_maintain(struct pool *p, int64_t now_ns)
{
    for (size_t i = 0; i < p->cap; i++) {
        struct pool_worker *w = &p->workers[i];
        bool outdated = w->generation != p->generation || i >= p->count;
        if (w->pid && outdated && !w->claim && w->fd >= 0)
            close_socket(w); /* it sees the end and exits */
        else if (!w->pid && i < p->count && now_ns >= p->respawn_at_ns)
            spawn(p, i);
    }
}

static bool is_idle(const struct pool *p, const struct pool_worker *w)
{
    return w->pid && w->fd >= 0 && !w->ended && !w->claim && w->generation == p->generation;
}

size_t pool_idle(const struct pool *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        n += is_idle(p, &p->workers[i]);
    return n;
}

size_t pool_busy(const struct pool *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->cap; i++)
        n += p->workers[i].claim != NULL;
    return n;
}

/* The worker is idle and reads, so that this takes no longer than copying; false where it is dead, or
 * stopped and takes nothing for SEND_TIMEOUT_MS. */
static bool send_frame(int fd, const struct buf *b)
{
    ssize_t n;
    fcntl(fd, F_SETFL, 0);
    do
        n = send(fd, b->data, b->len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return n == (ssize_t)b->len;
}

bool pool_assign(struct pool *p, struct run_claim *c, int64_t now_ns)
{
    for (size_t i = 0; i < p->count; i++) {
        struct pool_worker *w = &p->workers[i];
        if (!is_idle(p, w))
            continue;
        struct buf frame = BUF_INIT;
        wire_put_task(&frame, &c->task);
        slot_reset(w->slot);
        bool sent = send_frame(w->fd, &frame);
        buf_free(&frame);
        if (!sent) { /* it has just died idle, or ought to: the obituary is on its way */
            kill(-w->pid, SIGKILL);
            w->ended = true;
            continue;
        }
        if (c->limits.timeout_usec > 0)
            c->timeout_at_ns = now_ns + c->limits.timeout_usec * 1000;
        c->assigned_ns = now_ns;
        w->claim = c;
        return true;
    }
    return false;
}

/* A tenth of each new duration, but a long one counts at once: few should wait behind it. */
static void note_duration(struct pool *p, int64_t took_ns)
{
    double took = took_ns > 1 ? (double)took_ns : 1;
    p->run_ns = p->run_ns == 0 || took > 10 * p->run_ns ? took : p->run_ns * 0.9 + took * 0.1;
}

/* Hands the claim of W over as ended, with its last words. */
static void give_up_claim(struct pool *p, struct pool_worker *w)
{
    w->claim->ended_ns = clock_mono_ns();
    note_duration(p, w->claim->ended_ns - w->claim->assigned_ns);
    struct slot_progress progress;
    unsigned version;
    const char *json = NULL;
    if (slot_read(w->slot, &progress, &version))
        json = claim_progress_json(w->claim->arena, progress.done, progress.total, progress.unit,
                                   progress.message);
    char *log = slot_log_tail(w->slot);
    claim_end_notes(w->claim, json, log);
    free(log);
    claim_list_push(p->ended, w->claim);
    w->claim = NULL;
}

/* Takes all answers that are complete. */
static void take_answers(struct pool *p, struct pool_worker *w)
{
    size_t len;
    while ((len = wire_frame(&w->in)) && w->claim) {
        struct wire_done done;
        if (!wire_get_done(&w->in, w->claim->arena, &done)) {
            log_error("worker %ld sent a malformed answer: ending it", (long)w->pid);
            kill(-w->pid, SIGKILL);
            buf_clear(&w->in);
            return;
        }
        wire_drop(&w->in, len);
        claim_end_done(w->claim, &done);
        give_up_claim(p, w);
    }
}

void pool_receive(struct pool *p, size_t index)
{
    struct pool_worker *w = &p->workers[index];
    while (w->fd >= 0) {
        buf_reserve(&w->in, READ_SIZE);
        ssize_t n = read(w->fd, w->in.data + w->in.len, READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            take_answers(p, w);
            w->ended = true;
            close_socket(w);
            return;
        }
        w->in.len += (size_t)n;
        if ((size_t)n < READ_SIZE)
            break;
    }
    take_answers(p, w);
}

/* The obituary. */
static void bury(struct pool *p, size_t index, int status, int64_t now_ns)
{
    struct pool_worker *w = &p->workers[index];
    pool_receive(p, index); /* its last answer may still be in the socket */
    bool crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (crashed)
        log_warning("worker %ld ended by %s while %s", (long)w->pid,
                    WIFSIGNALED(status) ? process_signal_name(WTERMSIG(status)) : "an exit with a status",
                    w->claim ? "it ran a task" : "idle");
    if (w->claim) {
        claim_end_died(w->claim, status);
        give_up_claim(p, w);
    } else if (crashed) {
        p->respawn_at_ns = now_ns + respawn_pause_ns; /* it may be the machine: not in a tight loop */
    }
    close_socket(w);
    w->pid = 0;
}

static bool is_worker(const struct pool *p, pid_t pid)
{
    for (size_t i = 0; i < p->cap; i++)
        if (p->workers[i].pid == pid)
            return true;
    return false;
}

/* What workers that died had started comes to the dispatcher, which is a subreaper: it goes as well. */
static void end_orphans(const struct pool *p)
{
    pid_t children[CHILDREN_MAX];
    size_t count = process_children(children, CHILDREN_MAX);
    for (size_t i = 0; i < count; i++)
        if (!is_worker(p, children[i]))
            process_kill_tree(children[i]);
}

/* Collects those of them that have ended. */
static void bury_orphans(const struct pool *p)
{
    siginfo_t info = {0};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
           !is_worker(p, info.si_pid)) {
        waitpid(info.si_pid, NULL, 0);
        info.si_pid = 0;
    }
}

void pool_reap(struct pool *p, int64_t now_ns)
{
    for (size_t i = 0; i < p->cap; i++) {
        pid_t pid = p->workers[i].pid;
        siginfo_t info = {0};
        int status;
        if (!pid || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid)
            continue;
        kill(-pid, SIGKILL); /* what it left in its process group, while the number is still its own */
        if (waitpid(pid, &status, 0) > 0) {
            bury(p, i, status, now_ns);
            end_orphans(p);
        }
    }
    bury_orphans(p);
}

void pool_stop(struct pool_worker *w, enum stop_reason reason, int64_t kill_at_ns)
{
    if (!w->claim)
        return;
    if (w->claim->stop == STOP_NONE) {
        w->claim->stop = reason;
        w->claim->kill_at_ns = kill_at_ns;
        atomic_store(&w->slot->stop, true);
    } else if (kill_at_ns < w->claim->kill_at_ns) {
        w->claim->kill_at_ns = kill_at_ns;
    }
}

int64_t pool_enforce(struct pool *p, int64_t now_ns, int64_t cancel_grace_ns)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < p->cap; i++) {
        struct pool_worker *w = &p->workers[i];
        struct run_claim *c = w->claim;
        if (!c)
            continue;
        if (c->stop == STOP_NONE && now_ns >= c->timeout_at_ns)
            pool_stop(w, STOP_TIMEOUT, now_ns + cancel_grace_ns);
        if (c->stop != STOP_NONE && now_ns >= c->kill_at_ns) {
            process_kill_tree(w->pid); /* SIGCHLD brings the obituary */
            c->kill_at_ns = INT64_MAX;
        }
        int64_t at = c->stop == STOP_NONE ? c->timeout_at_ns : c->kill_at_ns;
        if (at < next)
            next = at;
    }
    return next;
}
