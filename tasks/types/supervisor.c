/* SPDX-License-Identifier: MIT */
/* supervisor.c: executes programs, one after the other, waits for the end of each, and ends what it has left behind:
 * this process adopts it (PR_SET_CHILD_SUBREAPER). */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/process.h"

/* The descriptors: standard ones, the socket, then what is opened. */
enum { CONTROL = STDERR_FILENO + 1, FIRST_FREE };

enum { REAP_PAUSE_MS = 2, REAP_PAUSE_MAX_MS = 200, IDLE_MS = 10000 };

struct supervisor {
    int signals;        /* readable when a child has ended */
    char **argv;        /* of every program; the strings are the settings' */
    char *text;         /* of the present start, SUPERVISOR_TEXT_MAX + 1 bytes */
    char **envp;        /* points into it; room for envp_cap */
    size_t envp_cap;
};

/* Of all that the worker has open only the socket stays. */
static void settle(const struct supervisor_setup *s)
{
    setpgid(0, 0); /* what ends the worker's group shall not end the one who cleans up */
    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "taskrunner-cmd");
    dup2(s->control, CONTROL);
    process_close_from(FIRST_FREE);
    fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
    signal(SIGTERM, SIG_IGN); /* it ends when its worker does */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

static int watch_children(void)
{
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_SETMASK, &chld, NULL);
    return signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* execve wants its strings changeable, and does not change them. */
static char **argv_of(const struct command_def *def)
{
    char **argv = xcalloc(def->argv.count + 1, sizeof *argv);
    for (size_t i = 0; i < def->argv.count; i++)
        argv[i] = (char *)(uintptr_t)def->argv.items[i];
    return argv;
}

static void tell(struct supervisor_message m)
{
    (void)!send(CONTROL, &m, sizeof m, MSG_NOSIGNAL); /* nobody there: nothing to tell */
}

/* --- orders ---------------------------------------------------------------------------------------------- */

/* One packet; its descriptors into ENDS, -1 where they have not come: there was no room for them. Returns its length,
 * 0 at the socket's end, -1 with errno. */
static ssize_t receive(struct supervisor *s, struct supervisor_start *start, int *ends)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int[SUPERVISOR_ENDS]))];
    } rights;
    struct iovec parts[] = {{start, sizeof *start}, {s->text, SUPERVISOR_TEXT_MAX}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = rights.bytes,
                       .msg_controllen = sizeof rights.bytes};
    ssize_t n = recvmsg(CONTROL, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    memset(ends, -1, sizeof(int[SUPERVISOR_ENDS]));
    if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int[SUPERVISOR_ENDS])))
        memcpy(ends, CMSG_DATA(c), sizeof(int[SUPERVISOR_ENDS]));
    return n;
}

/* Takes the text apart: LEN bytes of it. */
static void read_start(struct supervisor *s, const struct supervisor_start *start, size_t len, struct launch *l)
{
    char *next = s->text, *end = s->text + len;
    *end = '\0';
    if (s->envp_cap < start->strings + 1) {
        s->envp_cap = start->strings + 1;
        s->envp = xrealloc(s->envp, s->envp_cap * sizeof *s->envp);
    }
    l->output = start->has_output ? next : NULL;
    if (start->has_output)
        next += strlen(next) + 1;
    size_t n = 0;
    for (; n < start->strings && next < end; n++, next += strlen(next) + 1)
        s->envp[n] = next;
    s->envp[n] = NULL;
    l->envp = s->envp;
    l->threads = start->threads;
}

/* The next program; false when there is none to come. */
static bool wait_for_start(struct supervisor *s, struct launch *l)
{
    for (;;) {
        struct supervisor_start start = {0};
        struct pollfd fd = {.fd = CONTROL, .events = POLLIN};
        if (poll(&fd, 1, IDLE_MS) == 0)
            return false; /* an order that comes now is not read, which the worker is told by the kernel */
        ssize_t n = receive(s, &start, l->ends);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return false;
        if (start.order != ORDER_START || (size_t)n < sizeof start)
            continue; /* for one that has ended */
        if (l->ends[0] < 0) {
            tell((struct supervisor_message){NEWS_FAILED, STEP_FORK, EMFILE});
            continue;
        }
        read_start(s, &start, (size_t)n - sizeof start, l);
        return true;
    }
}

/* --- one program ----------------------------------------------------------------------------------------- */

/* Starts it; 0 where that failed. The worker is told. */
static pid_t start_program(const struct launch *l)
{
    struct supervisor_message m;
    pid_t pid = supervisor_execute(l, &m);
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        close(l->ends[i]);
    tell(pid > 0 ? (struct supervisor_message){NEWS_STARTED, STEP_EXECUTE, 0} : m);
    return pid > 0 ? pid : 0;
}

/* Collects the children that have ended; false once there is none at all. Sets *STATUS, *OVER for MAIN. */
static bool reap(pid_t main, int *status, bool *over)
{
    int one;
    pid_t pid;
    while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
        if (pid == main) {
            *status = one;
            *over = true;
        }
    return pid == 0 || errno != ECHILD;
}

/* Until the program ends or the worker wants it ended. */
static void wait_for_end(struct supervisor *s, pid_t main, int *status)
{
    bool over = false;
    while (reap(main, status, &over) && !over) {
        struct pollfd fds[] = {{.fd = CONTROL, .events = POLLIN}, {.fd = s->signals, .events = POLLIN}};
        struct signalfd_siginfo info;
        char order = ORDER_KILL;
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            (void)!read(s->signals, &info, sizeof info);
        if (!fds[0].revents)
            continue;
        ssize_t n = recv(CONTROL, &order, 1, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0 || order == ORDER_KILL)
            return;
        kill(-main, SIGTERM);
    }
}

static void run_program(struct supervisor *s, const struct launch *l)
{
    long pause_ms = REAP_PAUSE_MS;
    int status = 0;
    bool over = false;
    pid_t main = start_program(l);
    if (!main)
        return;
    wait_for_end(s, main, &status);
    while (reap(main, &status, &over)) {
        const struct timespec pause = {0, pause_ms * 1000000L};
        process_kill_descendants(getpid());
        nanosleep(&pause, NULL);
        if (pause_ms < REAP_PAUSE_MAX_MS) /* one that waits for a disk cannot die yet */
            pause_ms *= 2;
    }
    tell((struct supervisor_message){NEWS_ENDED, STEP_EXECUTE, status});
}

void supervisor_main(const struct supervisor_setup *setup)
{
    struct supervisor s = {.envp = NULL};
    settle(setup);
    s.signals = watch_children();
    s.argv = argv_of(setup->def);
    s.text = xmalloc(SUPERVISOR_TEXT_MAX + 1);
    struct launch l = {.def = setup->def, .account = setup->account, .argv = s.argv};
    while (wait_for_start(&s, &l))
        run_program(&s, &l);
    _exit(0);
}
