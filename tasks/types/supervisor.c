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

enum { REAP_PAUSE_MS = 2, REAP_PAUSE_MAX_MS = 200 };

/* Strings up to a NULL. */
struct strings {
    char **items;
    size_t cap;
};

struct supervisor {
    int signals;               /* readable when a child has ended */
    char *text;                /* of the present start, SUPERVISOR_TEXT_MAX + 1 bytes */
    struct strings argv, envp; /* of the present start: the settings', and in the text */
};

/* Of all that the worker has open only the socket stays. */
static void settle(int control)
{
    setpgid(0, 0); /* what ends the worker's group shall not end the one who cleans up */
    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "taskrunner-cmd");
    dup2(control, CONTROL);
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

/* Makes room for COUNT strings and a NULL. */
static void make_room(struct strings *s, size_t count)
{
    if (s->cap > count)
        return;
    s->cap = count + 1;
    s->items = xrealloc(s->items, s->cap * sizeof *s->items);
}

static void tell(struct supervisor_message m)
{
    (void)!send(CONTROL, &m, sizeof m, MSG_NOSIGNAL); /* nobody there: nothing to tell */
}

/* --- orders ---------------------------------------------------------------------------------------------- */

/* The descriptors that came with M into ENDS; all are -1 where there was no room for all of them. */
static void take_ends(struct msghdr *m, int *ends)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    size_t count = c && c->cmsg_type == SCM_RIGHTS ? (c->cmsg_len - CMSG_LEN(0)) / sizeof *ends : 0;
    memset(ends, -1, sizeof(int[SUPERVISOR_ENDS]));
    if (count)
        memcpy(ends, CMSG_DATA(c), count * sizeof *ends);
    for (size_t i = 0; count < SUPERVISOR_ENDS && i < count; i++) {
        close(ends[i]);
        ends[i] = -1;
    }
}

/* One packet; see take_ends. Returns its length, 0 at the socket's end, -1 with errno. */
static ssize_t receive(struct supervisor *s, struct supervisor_start *start, int *ends)
{
    union supervisor_rights rights;
    struct iovec parts[] = {{start, sizeof *start}, {s->text, SUPERVISOR_TEXT_MAX}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = rights.bytes,
                       .msg_controllen = sizeof rights.bytes};
    ssize_t n = recvmsg(CONTROL, &m, MSG_CMSG_CLOEXEC);
    if (n > 0)
        take_ends(&m, ends);
    return n;
}

/* Fills L, whose start has LEN bytes of text. */
static void read_start(struct supervisor *s, size_t len, struct launch *l)
{
    const struct str_list *argv = &l->start.def->argv;
    char *next = s->text, *end = s->text + len;
    size_t n = 0;
    *end = '\0';
    make_room(&s->argv, argv->count);
    for (size_t i = 0; i < argv->count; i++)
        s->argv.items[i] = (char *)(uintptr_t)argv->items[i]; /* execve does not change what it wants changeable */
    s->argv.items[argv->count] = NULL;
    l->output = l->start.has_output ? next : NULL;
    if (l->output)
        next += strlen(next) + 1;
    make_room(&s->envp, l->start.strings);
    for (; n < l->start.strings && next < end; n++, next += strlen(next) + 1)
        s->envp.items[n] = next;
    s->envp.items[n] = NULL;
    l->argv = s->argv.items;
    l->envp = s->envp.items;
}

/* The next program; false when there is none to come. */
static bool wait_for_start(struct supervisor *s, struct launch *l)
{
    for (;;) {
        l->start = (struct supervisor_start){0};
        ssize_t n = receive(s, &l->start, l->ends);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        if (l->start.order != ORDER_START || (size_t)n < sizeof l->start)
            continue; /* for one that has ended */
        if (l->ends[0] < 0) {
            tell((struct supervisor_message){NEWS_FAILED, STEP_FORK, EMFILE});
            continue;
        }
        read_start(s, (size_t)n - sizeof l->start, l);
        return true;
    }
}

/* --- one program ----------------------------------------------------------------------------------------- */

/* Starts it; 0 where that failed. The worker is told. */
static pid_t start_program(const struct launch *l)
{
    struct supervisor_message news;
    pid_t pid = supervisor_execute(l, &news);
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        close(l->ends[i]);
    tell(news);
    return pid;
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

void supervisor_main(int control)
{
    struct supervisor s = {.text = NULL};
    struct launch l;
    settle(control);
    s.signals = watch_children();
    s.text = xmalloc(SUPERVISOR_TEXT_MAX + 1);
    while (wait_for_start(&s, &l))
        run_program(&s, &l);
    _exit(0);
}
