/* SPDX-License-Identifier: MIT */
/* pool.c: worker processes as the dispatcher sees them, from the fork to the obituary. What they work on is
 * in pool_work.c. */
#include "pool.h"

#include <errno.h>
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
#include "pool_impl.h"
#include "worker.h"

enum {
    SEND_TIMEOUT_MS = 500,
    END_TIMEOUT_MS = 1000,
    END_STEP_MS = 5,
};

static const int64_t respawn_pause_ns = 1000000000;

/* --- making and ending the pool -------------------------------------------------------------------- */

/* Gives CAP workers from *WORKER on, with PLACES each from *PLACE on, to the crew of KIND. */
static void form_crew(struct pool *p, enum worker_kind kind, size_t cap, size_t places, size_t *worker,
                      size_t *place)
{
    p->crews[kind] = (struct crew){.workers = p->workers + *worker, .cap = cap};
    for (size_t i = 0; i < cap; i++) {
        struct pool_worker *w = &p->workers[(*worker)++];
        w->kind = kind;
        w->fd = -1;
        w->places = p->places + *place;
        for (size_t k = 0; k < places; k++, ++*place)
            p->places[*place] = (struct pool_place){w, &p->slots->slot[*place], NULL};
    }
}

int pool_init(struct pool *p, const struct pool_size *size, int epoll, struct claim_list *ended, struct error *e)
{
    *p = (struct pool){.epoll = epoll, .ended = ended};
    size_t places = size->workers + size->many_workers * size->many_places;
    p->slots = slots_create(places);
    if (!p->slots)
        return error_errno(e, ERR_SYSTEM, "cannot map memory for %zu tasks", places);
    p->worker_count = size->workers + size->many_workers;
    p->workers = xcalloc(p->worker_count, sizeof *p->workers);
    p->place_count = places;
    p->places = xcalloc(places, sizeof *p->places);
    size_t worker = 0, place = 0;
    form_crew(p, WORKER_SINGLE, size->workers, 1, &worker, &place);
    form_crew(p, WORKER_MANY, size->many_workers, size->many_places, &worker, &place);
    return 0;
}

void worker_close(struct pool_worker *w)
{
    if (w->fd >= 0)
        close(w->fd); /* leaves the epoll set with it */
    w->fd = -1;
    buf_free(&w->in);
    buf_free(&w->out);
}

/* Collects the workers that have ended, all of them at last. Returns how many are left. */
static size_t collect(struct pool *p, bool at_last)
{
    size_t left = 0;
    for (size_t i = 0; i < p->worker_count; i++) {
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
    for (size_t i = 0; i < p->worker_count; i++) {
        struct pool_worker *w = &p->workers[i];
        if (w->pid && w->busy)
            kill(-w->pid, SIGKILL);
        worker_close(w);
    }
    for (size_t i = 0; i < p->place_count; i++)
        claim_free(&p->places[i].claim);
    /* an idle one ends by itself, unless it has been stopped (SIGSTOP) */
    const struct timespec step = {0, END_STEP_MS * 1000000L};
    for (int waited = 0; collect(p, waited >= END_TIMEOUT_MS); waited += END_STEP_MS)
        nanosleep(&step, NULL);
    free(p->workers);
    free(p->places);
    slots_destroy(&p->slots);
}

/* --- as many as there should be -------------------------------------------------------------------- */

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

void pool_configure(struct pool *p, const struct catalogue *catalogue, size_t workers, size_t many_places,
                    bool many_anew)
{
    struct crew *single = &p->crews[WORKER_SINGLE], *many = &p->crews[WORKER_MANY];
    size_t most = many->cap ? (p->place_count - single->cap) / many->cap : 0;
    single->count = at_most(workers, single->cap);
    single->places = 1;
    many->places = at_most(many_places, most);
    many->count = many->places > 0;
    p->catalogue = catalogue;
    p->generation++;
    if (many_anew)
        p->many_generation = p->generation;
}

size_t pool_capacity(const struct pool *p, enum worker_kind kind)
{
    return p->crews[kind].count * p->crews[kind].places;
}

/* False where there is none. */
static bool spawn(struct pool *p, struct pool_worker *w)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("cannot make a worker's socket: %s", strerror(errno));
        return false;
    }
    w->place_count = p->crews[w->kind].places;
    pid_t pid = fork();
    if (pid == 0) {
        struct worker_setup setup = {p->catalogue, w->kind, p->slots, w->places->slot, w->place_count, pair[1]};
        worker_main(&setup);
    }
    close(pair[1]);
    if (pid < 0) {
        log_error("cannot fork a worker: %s", strerror(errno));
        close(pair[0]);
        return false;
    }
    setpgid(pid, pid); /* the child does the same: whoever comes first */
    const struct timeval most = {0, SEND_TIMEOUT_MS * 1000};
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    w->pid = pid;
    w->fd = pair[0];
    w->generation = p->generation;
    w->ended = false;
    struct crew *crew = &p->crews[w->kind];
    size_t number = (size_t)(w - crew->workers) + 1;
    crew->used = number > crew->used ? number : crew->used;
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uint64_t)(w - p->workers)};
    if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, w->fd, &ev) == 0)
        return true;
    log_error("cannot hear a worker: %s", strerror(errno));
    worker_close(w); /* it sees the end and exits */
    return false;
}

/* What keeps one from being made may last: the next try comes after a pause. */
static void spawn_or_pause(struct pool *p, struct pool_worker *w, int64_t now_ns)
{
    if (now_ns >= p->respawn_at_ns && !spawn(p, w))
        p->respawn_at_ns = now_ns + respawn_pause_ns;
}

/* An ordinary worker of an older configuration keeps its successor from starting until it is idle, so that there
 * are never more of them than configured. */
static void maintain_single(struct pool *p, struct pool_worker *w, int64_t now_ns)
{
    const struct crew *crew = &p->crews[w->kind];
    bool wanted = (size_t)(w - crew->workers) < crew->count;
    if (w->pid && !w->busy && w->fd >= 0 && (!wanted || w->generation != p->generation))
        worker_close(w); /* it sees the end and exits */
    else if (!w->pid && wanted)
        spawn_or_pause(p, w, now_ns);
}

static void summon(struct pool *p, int64_t now_ns)
{
    struct pool_worker *w = worker_to_come(p);
    if (w)
        spawn_or_pause(p, w, now_ns);
}

void pool_maintain(struct pool *p, bool many_wanted, int64_t now_ns)
{
    const struct crew *single = &p->crews[WORKER_SINGLE], *many = &p->crews[WORKER_MANY];
    for (size_t i = 0; i < single->cap; i++)
        maintain_single(p, &single->workers[i], now_ns);
    for (size_t i = 0; i < many->cap; i++) {
        struct pool_worker *w = &many->workers[i];
        if (w->pid && !w->busy && w->fd >= 0 && w->generation != p->generation)
            worker_close(w);
    }
    if (many_wanted)
        summon(p, now_ns);
}

struct pool_worker *worker_to_come(const struct pool *p)
{
    const struct crew *many = &p->crews[WORKER_MANY];
    struct pool_worker *none = NULL;
    for (size_t i = 0; i < many->cap; i++) {
        struct pool_worker *w = &many->workers[i];
        if (w->pid && w->generation == p->generation)
            return NULL;
        if (!w->pid && !none)
            none = w;
    }
    return many->count ? none : NULL;
}

/* Where all that carry many still do so for older configurations and there is room for no other, the newest of them
 * goes on, if it knows enough: it may be hours before the first has ended. NULL elsewhere. */
static const struct pool_worker *stand_in(const struct pool *p)
{
    const struct crew *many = &p->crews[WORKER_MANY];
    const struct pool_worker *newest = NULL;
    for (size_t i = 0; i < many->cap; i++) {
        const struct pool_worker *w = &many->workers[i];
        if (!w->pid || w->generation == p->generation)
            return NULL;
        if (!newest || w->generation > newest->generation)
            newest = w;
    }
    return many->count && newest && newest->generation >= p->many_generation ? newest : NULL;
}

bool worker_takes(const struct pool *p, const struct pool_worker *w)
{
    return w->pid && w->fd >= 0 && !w->ended &&
           (w->generation == p->generation || (w->kind == WORKER_MANY && w == stand_in(p)));
}

/* --- those that have ended ------------------------------------------------------------------------- */

/* The obituary. */
static void bury(struct pool *p, struct pool_worker *w, int status, int64_t now_ns)
{
    pool_receive(p, (size_t)(w - p->workers)); /* its last answers may still be in the socket */
    bool crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (crashed)
        log_warning("worker %ld ended by %s; tasks that it ran: %zu", (long)w->pid,
                    WIFSIGNALED(status) ? process_signal_name(WTERMSIG(status)) : "an exit with a status", w->busy);
    if (w->busy)
        worker_bury_tasks(p, w, status);
    else if (crashed)
        p->respawn_at_ns = now_ns + respawn_pause_ns; /* it may be the machine: not in a tight loop */
    worker_close(w);
    w->pid = 0;
}

static bool is_worker(const void *pool, pid_t pid)
{
    const struct pool *p = pool;
    for (size_t i = 0; i < p->worker_count; i++)
        if (p->workers[i].pid == pid)
            return true;
    return false;
}

/* Collects children that have ended and are no workers. */
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
    bool buried = false;
    for (size_t i = 0; i < p->worker_count; i++) {
        pid_t pid = p->workers[i].pid;
        siginfo_t info = {0};
        int status;
        if (!pid || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid)
            continue;
        kill(-pid, SIGKILL); /* what it left in its process group, while the number is still its own */
        if (waitpid(pid, &status, 0) > 0) {
            bury(p, &p->workers[i], status, now_ns);
            buried = true;
        }
    }
    if (buried) /* what it had started has come to the dispatcher, which is a subreaper: it goes as well */
        process_kill_children(is_worker, p);
    bury_orphans(p);
}
