/* SPDX-License-Identifier: MIT */
/* supervisor.c: forks the children and writes their obituaries. A generation is the children of one
 * reading of the configuration; a new one serves before the old one is sent away. */
#include "fcgi/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"

enum {
    MSEC = 1000000,             /* nanoseconds */
    QUICK_DEATH_MSEC = 10000,   /* a child that lived shorter is started again with a delay */
    DELAY_FIRST_MSEC = 100,     /* doubled with each quick death */
    DELAY_MAX_MSEC = 10000,
    READY_MSEC = 15000,         /* a new generation that takes longer is given up */
    LEAVE_EXTRA_MSEC = 10000,   /* beyond the drain time, then SIGKILL */
};

static const int handled_signals[] = {SIGCHLD, SIGHUP, SIGINT, SIGTERM};

/* A place that is to be filled with a living child. */
struct slot {
    pid_t pid; /* 0 = empty */
    int ready; /* read end of its report; -1 = no report is expected (any more) */
    bool serves; /* it has reported */
    int64_t started_ns;
    int64_t start_at_ns; /* when empty */
    unsigned quick_deaths;
};

struct generation {
    struct plan plan;
    struct slot *slots; /* plan.processes of them; NULL = there is no such generation */
    int64_t deadline_ns; /* for its readiness */
};

/* A child that has been told to end. */
struct leaver {
    pid_t pid;
    int64_t kill_at_ns;
};

struct supervisor {
    const struct supervisor_calls *calls;
    void *context;
    int listener;
    int handover[2];
    int signals;
    sigset_t old_mask;
    struct generation current;
    struct generation next; /* being started after SIGHUP */
    struct leaver *leavers;
    size_t leaver_count;
    bool reload;   /* SIGHUP came while a new generation was being started */
    bool stopping;
};

static void close_ready(struct slot *slot)
{
    if (slot->ready >= 0)
        close(slot->ready);
    slot->ready = -1;
}

static void close_reports(struct generation *g)
{
    for (unsigned i = 0; g->slots && i < g->plan.processes; i++)
        close_ready(&g->slots[i]);
}

/* In the child: keeps the socket and what children share, gives everything else up. */
static NO_RETURN void child_main(struct supervisor *s, const struct plan *plan, pid_t parent, int ready)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    close(s->signals);
    close_reports(&s->next);
    signal(SIGINT, SIG_IGN); /* at a terminal: the parent gets it too, and decides */
    signal(SIGHUP, SIG_IGN);
    sigset_t mask = s->old_mask;
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    const struct child_descriptors descriptors = {
        .listener = s->listener,
        .handover_in = s->handover[0],
        .handover_out = s->handover[1],
        .ready = ready,
    };
    exit(s->calls->serve(s->context, plan, &descriptors));
}

static void delay_start(struct slot *slot)
{
    int64_t delay = DELAY_FIRST_MSEC;
    for (unsigned i = 0; i < slot->quick_deaths && delay < DELAY_MAX_MSEC; i++)
        delay *= 2;
    slot->quick_deaths++;
    slot->start_at_ns = clock_mono_ns() + (delay < DELAY_MAX_MSEC ? delay : DELAY_MAX_MSEC) * MSEC;
}

static void start_child(struct supervisor *s, const struct plan *plan, struct slot *slot)
{
    bool reports = plan == &s->next.plan; /* only a reload waits for it */
    int report[2] = {-1, -1};
    pid_t parent = getpid(), pid = -1;
    if (!reports || pipe(report) == 0)
        pid = fork();
    if (pid == 0) {
        if (reports)
            close(report[0]);
        child_main(s, plan, parent, report[1]);
    }
    if (pid < 0) {
        log_error("cannot start a child: %s", strerror(errno));
        delay_start(slot);
    } else {
        slot->pid = pid;
        slot->started_ns = clock_mono_ns();
    }
    if (report[1] >= 0)
        close(report[1]);
    slot->ready = report[0];
}

static void generation_init(struct generation *g)
{
    g->slots = xcalloc(g->plan.processes, sizeof *g->slots);
    for (unsigned i = 0; i < g->plan.processes; i++)
        g->slots[i].ready = -1;
    g->deadline_ns = clock_mono_ns() + (int64_t)READY_MSEC * MSEC;
}

/* Sends every child of the generation away with SIGNO and forgets the generation. */
static void generation_leave(struct supervisor *s, struct generation *g, int signo)
{
    int64_t patience = g->plan.drain_usec * 1000 + (int64_t)LEAVE_EXTRA_MSEC * MSEC;
    close_reports(g);
    for (unsigned i = 0; i < g->plan.processes; i++) {
        pid_t pid = g->slots[i].pid;
        if (!pid)
            continue;
        kill(pid, signo);
        s->leavers = xrealloc(s->leavers, (s->leaver_count + 1) * sizeof *s->leavers);
        s->leavers[s->leaver_count++] = (struct leaver){pid, clock_mono_ns() + patience};
    }
    free(g->slots);
    g->slots = NULL;
    s->calls->release(s->context, &g->plan);
}

static void obituary(pid_t pid, int status)
{
    if (WIFSIGNALED(status))
        log_error("child %ld died by %s%s", (long)pid, process_signal_name(WTERMSIG(status)),
                  WCOREDUMP(status) ? " and left a core" : "");
    else if (WEXITSTATUS(status) != 0)
        log_error("child %ld ended with status %d", (long)pid, WEXITSTATUS(status));
    else
        log_info("child %ld ended", (long)pid);
}

static struct slot *find_slot(struct generation *g, pid_t pid)
{
    for (unsigned i = 0; g->slots && i < g->plan.processes; i++)
        if (g->slots[i].pid == pid)
            return &g->slots[i];
    return NULL;
}

static void bury(struct supervisor *s, pid_t pid, int status)
{
    obituary(pid, status);
    for (size_t i = 0; i < s->leaver_count; i++)
        if (s->leavers[i].pid == pid) {
            s->leavers[i] = s->leavers[--s->leaver_count];
            return;
        }
    struct slot *slot = find_slot(&s->next, pid);
    if (slot) {
        slot->pid = 0;
        log_error("a child of the new configuration ended at once: the old children go on");
        generation_leave(s, &s->next, SIGTERM);
        return;
    }
    slot = find_slot(&s->current, pid);
    if (!slot)
        return;
    slot->pid = 0;
    if (clock_mono_ns() - slot->started_ns < (int64_t)QUICK_DEATH_MSEC * MSEC)
        return delay_start(slot);
    slot->quick_deaths = 0;
    slot->start_at_ns = 0;
}

static void reload(struct supervisor *s)
{
    struct error e = {0};
    if (s->next.slots) {
        s->reload = true;
        return;
    }
    s->reload = false;
    if (s->calls->load(s->context, &s->next.plan, &e) != 0) {
        log_error("the configuration is not taken over: %s", e.text);
        return;
    }
    log_info("new configuration: starting %u children", s->next.plan.processes);
    generation_init(&s->next);
    for (unsigned i = 0; i < s->next.plan.processes; i++)
        start_child(s, &s->next.plan, &s->next.slots[i]);
}

static void stop(struct supervisor *s)
{
    if (s->stopping) { /* asked twice: at once */
        for (size_t i = 0; i < s->leaver_count; i++)
            s->leavers[i].kill_at_ns = 0;
        return;
    }
    s->stopping = true;
    log_info("ending");
    for (size_t i = 0; i < s->leaver_count; i++)
        kill(s->leavers[i].pid, SIGTERM); /* nobody is left to pass connections on to */
    if (s->next.slots)
        generation_leave(s, &s->next, SIGTERM);
    generation_leave(s, &s->current, SIGTERM);
}

static void take_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;
    if (read(s->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGCHLD) {
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            bury(s, pid, status);
    } else if (info.ssi_signo == SIGHUP) {
        if (!s->stopping)
            reload(s);
    } else {
        stop(s);
    }
}

/* Once every child of the new generation serves, the old one may go. */
static void finish_reload(struct supervisor *s)
{
    if (!s->next.slots)
        return;
    for (unsigned i = 0; i < s->next.plan.processes; i++)
        if (!s->next.slots[i].serves) {
            if (clock_mono_ns() < s->next.deadline_ns)
                return;
            log_error("the new children are not ready in time: the old ones go on");
            return generation_leave(s, &s->next, SIGTERM);
        }
    log_info("the new children serve: ending the old ones");
    generation_leave(s, &s->current, SIGUSR2);
    s->current = s->next;
    s->next.slots = NULL;
}

/* Starts, kills and takes over what is due; returns how long nothing more will be, in milliseconds. */
static int work_off(struct supervisor *s)
{
    int64_t now = clock_mono_ns(), until = now + (int64_t)60000 * MSEC;
    finish_reload(s);
    if (s->reload && !s->next.slots && !s->stopping)
        reload(s); /* asked for while another was being started, whether that has come to serve or not */
    if (s->next.slots && s->next.deadline_ns < until)
        until = s->next.deadline_ns;
    for (unsigned i = 0; s->current.slots && i < s->current.plan.processes; i++) {
        struct slot *slot = &s->current.slots[i];
        if (!slot->pid && slot->start_at_ns <= now)
            start_child(s, &s->current.plan, slot);
        if (!slot->pid && slot->start_at_ns < until)
            until = slot->start_at_ns;
    }
    for (size_t i = 0; i < s->leaver_count; i++) {
        struct leaver *leaver = &s->leavers[i];
        if (leaver->kill_at_ns <= now) {
            kill(leaver->pid, SIGKILL);
            leaver->kill_at_ns = INT64_MAX;
        }
        if (leaver->kill_at_ns < until)
            until = leaver->kill_at_ns;
    }
    return until <= now ? 0 : (int)((until - now) / MSEC) + 1;
}

/* Sleeps until a signal, a report of readiness, or the time is over. */
static void wait_for_news(struct supervisor *s, int timeout_msec)
{
    unsigned waiting = s->next.slots ? s->next.plan.processes : 0;
    struct pollfd *fds = xcalloc(waiting + 1, sizeof *fds);
    fds[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    for (unsigned i = 0; i < waiting; i++) /* poll passes over -1 */
        fds[i + 1] = (struct pollfd){.fd = s->next.slots[i].ready, .events = POLLIN};
    if (poll(fds, waiting + 1, timeout_msec) < 0 && errno != EINTR)
        log_bug("poll: %s", strerror(errno));
    char byte;
    for (unsigned i = 0; i < waiting; i++)
        if (fds[i + 1].revents) {
            s->next.slots[i].serves = read(fds[i + 1].fd, &byte, 1) == 1;
            close_ready(&s->next.slots[i]);
        }
    if (fds[0].revents)
        take_signal(s);
    free(fds);
}

static int open_descriptors(struct supervisor *s, struct error *e)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT_OF(handled_signals); i++)
        sigaddset(&set, handled_signals[i]);
    sigprocmask(SIG_BLOCK, &set, &s->old_mask);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->handover) != 0)
        return error_errno(e, ERR_SYSTEM, "cannot open signalfd or a socket pair");
    return 0;
}

int supervisor_run(int listener, const struct supervisor_calls *calls, void *context,
                   struct error *e)
{
    struct supervisor state = {
        .calls = calls,
        .context = context,
        .listener = listener,
        .handover = {-1, -1},
        .signals = -1,
    };
    struct supervisor *s = &state;
    int result = calls->load(context, &s->current.plan, e);
    if (result != 0)
        return result;
    generation_init(&s->current);
    result = open_descriptors(s, e);
    if (result == 0)
        log_info("starting %u children", s->current.plan.processes);
    while (result == 0 && (!s->stopping || s->leaver_count))
        wait_for_news(s, work_off(s));

    if (s->current.slots) {
        free(s->current.slots);
        calls->release(context, &s->current.plan);
    }
    free(s->leavers);
    for (int i = 0; i < 2; i++)
        if (s->handover[i] >= 0)
            close(s->handover[i]);
    if (s->signals >= 0)
        close(s->signals);
    return result;
}
