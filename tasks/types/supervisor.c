/* SPDX-License-Identifier: MIT */
/* supervisor.c: executes a program with its limits, waits for its end, and lets nothing that it has
 * started outlive it. Adopts what its children leave (PR_SET_CHILD_SUBREAPER). */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"

/* The supervisor's descriptors: its socket, then the program's ends. */
enum { CONTROL = 3, ENDS = 4, FIRST_FREE = ENDS + SUPERVISOR_ENDS, ASIDE = 64 };

enum { REPORT = 4, REAP_PAUSE_MS = 2, REAP_PAUSE_MAX_MS = 200 };

/* How much rather than others the kernel's memory killer takes a program; of 1000. */
static const char oom_score[] = "500";

/* --- the program, until it is executed ----------------------------------------------------------- */

static NO_RETURN void report_failure(enum supervisor_step step)
{
    struct supervisor_message m = {NEWS_FAILED, step, errno};
    (void)!write(REPORT, &m, sizeof m);
    _exit(127);
}

/* Never more than what holds already. */
static int limit(int resource, int64_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now))
        return -1;
    if (now.rlim_max == RLIM_INFINITY || (rlim_t)value < now.rlim_max)
        now.rlim_max = (rlim_t)value;
    now.rlim_cur = now.rlim_max;
    return setrlimit(resource, &now);
}

static int set_limits(const struct command_def *def, const struct program_account *account)
{
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_NOFILE, def->open_files))
        return -1;
    if (def->memory_bytes && limit(RLIMIT_DATA, def->memory_bytes))
        return -1;
    if (def->file_size_bytes && limit(RLIMIT_FSIZE, def->file_size_bytes))
        return -1;
    if (def->processes && limit(RLIMIT_NPROC, (int64_t)account->threads + def->processes))
        return -1;
    return def->nice && setpriority(PRIO_PROCESS, 0, (int)def->nice) ? -1 : 0;
}

static void prefer_for_memory_killer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, oom_score, sizeof oom_score - 1); /* a wish, no promise */
    close(fd);
}

static int become(const struct program_account *a)
{
    if (!a->name)
        return 0;
    return initgroups(a->name, a->gid) || setgid(a->gid) || setuid(a->uid) ? -1 : 0;
}

static void signals_as_at_birth(void)
{
    sigset_t none;
    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* 0, 1, 2 and 3 are the program's; REPORT closes itself when it is executed. */
static void arrange_descriptors(int report)
{
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        dup2(ENDS + i, i);
    dup3(report, REPORT, O_CLOEXEC);
    process_close_from(REPORT + 1);
}

static NO_RETURN void execute(const struct supervisor_task *t, int report, pid_t supervisor)
{
    const struct command_def *def = t->def;
    arrange_descriptors(report);
    signals_as_at_birth();
    setsid();
    prefer_for_memory_killer();
    if (become(t->account))
        report_failure(STEP_ACCOUNT);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* behind the change of account, which would reset it */
    if (getppid() != supervisor)
        _exit(127);
    if (set_limits(def, t->account) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        report_failure(STEP_LIMITS);
    if (chdir(def->directory))
        report_failure(STEP_DIRECTORY);
    if (t->output && access(t->output, W_OK | X_OK))
        report_failure(STEP_OUTPUT);
    /* copied: execve wants its strings changeable, and does not change them */
    char **argv = calloc(def->argv.count + 1, sizeof *argv);
    for (size_t i = 0; argv && i < def->argv.count; i++)
        argv[i] = (char *)(uintptr_t)def->argv.items[i];
    if (argv)
        execve(argv[0], argv, t->envp);
    report_failure(STEP_EXECUTE);
}

/* --- the supervisor -------------------------------------------------------------------------------- */

static void tell(struct supervisor_message m)
{
    (void)!send(CONTROL, &m, sizeof m, MSG_NOSIGNAL); /* nobody there: nothing to tell */
}

/* Of all that the worker has open only what is needed stays, under the numbers above. */
static void settle(const struct supervisor_task *t)
{
    int aside[1 + SUPERVISOR_ENDS];
    setpgid(0, 0); /* what ends the worker's group shall not end the one who cleans up */
    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "taskrunner-cmd");
    aside[0] = fcntl(t->control, F_DUPFD, ASIDE);
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        aside[1 + i] = fcntl(t->ends[i], F_DUPFD, ASIDE);
    for (int i = 0; i <= SUPERVISOR_ENDS; i++)
        dup2(aside[i], CONTROL + i);
    process_close_from(FIRST_FREE);
    fcntl(CONTROL, F_SETFD, FD_CLOEXEC);
    signal(SIGTERM, SIG_IGN); /* it ends when its program has ended */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

/* Starts the program; 0 where it could not be, which the worker has been told. */
static pid_t start(const struct supervisor_task *t)
{
    int report[2];
    struct supervisor_message m = {NEWS_STARTED, STEP_EXECUTE, 0};
    pid_t self = getpid(), pid = -1;
    if (pipe2(report, O_CLOEXEC) == 0)
        pid = fork();
    if (pid == 0)
        execute(t, report[1], self);
    if (pid < 0) {
        tell((struct supervisor_message){NEWS_FAILED, STEP_FORK, errno});
        return 0;
    }
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        close(ENDS + i);
    close(report[1]);
    struct supervisor_message failure;
    if (read(report[0], &failure, sizeof failure) == (ssize_t)sizeof failure)
        m = failure;
    close(report[0]);
    tell(m);
    if (m.news == NEWS_FAILED) {
        waitpid(pid, NULL, 0);
        return 0;
    }
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
static void wait_for_end(pid_t main, int signals, int *status)
{
    bool over = false;
    while (reap(main, status, &over) && !over) {
        struct pollfd fds[] = {{.fd = CONTROL, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        struct signalfd_siginfo info;
        char order = ORDER_KILL;
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            (void)!read(signals, &info, sizeof info);
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

void supervisor_main(const struct supervisor_task *t)
{
    long pause_ms = REAP_PAUSE_MS;
    sigset_t chld;
    int status = 0;
    bool over = false;
    settle(t);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_SETMASK, &chld, NULL);
    int signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    pid_t main = start(t);
    if (!main)
        _exit(0);
    wait_for_end(main, signals, &status);
    while (reap(main, &status, &over)) {
        const struct timespec pause = {0, pause_ms * 1000000L};
        process_kill_descendants(getpid());
        nanosleep(&pause, NULL);
        if (pause_ms < REAP_PAUSE_MAX_MS) /* one that waits for a disk cannot die yet */
            pause_ms *= 2;
    }
    tell((struct supervisor_message){NEWS_ENDED, STEP_EXECUTE, status});
    _exit(0);
}
