/* SPDX-License-Identifier: MIT */
/* supervisor_execute.c: from the fork to the program: its descriptors, account, limits and directory. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "supervisor.h"

/* Behind the program's own descriptors. */
enum { REPORT = SUPERVISOR_ENDS };

/* How much rather than others the kernel's memory killer takes a program; of 1000. */
static const char oom_score[] = "500";

/* --- the child, until it is the program: only system calls, see spawn ---------------------------------- */

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

static int set_limits(const struct command_def *def, size_t threads)
{
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_NOFILE, def->open_files))
        return -1;
    if (def->memory_bytes && limit(RLIMIT_DATA, def->memory_bytes))
        return -1;
    if (def->file_size_bytes && limit(RLIMIT_FSIZE, def->file_size_bytes))
        return -1;
    if (def->processes && limit(RLIMIT_NPROC, (int64_t)threads + def->processes))
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

static int become(const struct supervisor_start *s)
{
    if (!s->account)
        return 0;
    return initgroups(s->account, s->gid) || setgid(s->gid) || setuid(s->uid) ? -1 : 0;
}

/* 0, 1, 2 and 3 are the program's; REPORT closes itself when it is executed. */
static void arrange_descriptors(const struct launch *l, int report)
{
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        dup2(l->ends[i], i);
    if (report != REPORT) /* else it has the flag already */
        dup3(report, REPORT, O_CLOEXEC);
    process_close_from(REPORT + 1);
}

static NO_RETURN void execute(const struct launch *l, int report, pid_t supervisor)
{
    const struct command_def *def = l->start.def;
    arrange_descriptors(l, report);
    process_default_signals();
    setsid();
    prefer_for_memory_killer();
    if (become(&l->start))
        report_failure(STEP_ACCOUNT);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* behind the change of account, which would reset it */
    if (getppid() != supervisor)
        _exit(127);
    if (set_limits(def, l->start.threads) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        report_failure(STEP_LIMITS);
    if (chdir(def->directory))
        report_failure(STEP_DIRECTORY);
    if (l->output && access(l->output, W_OK | X_OK))
        report_failure(STEP_OUTPUT);
    execve(l->argv[0], l->argv, l->envp);
    report_failure(STEP_EXECUTE);
}

/* --- the supervisor ------------------------------------------------------------------------------------ */

/* Without a change of account the child borrows this process's memory until it is the program (vfork): to copy the
 * page tables, and to take them down again, costs more than the start of a small program. With one it has memory of
 * its own: the groups of an account are looked up by libraries, which must not be cut off halfway through in here. */
static pid_t spawn(const struct launch *l, int report, pid_t self)
{
    pid_t pid = l->start.account ? fork() : vfork();
    if (pid == 0)
        execute(l, report, self);
    return pid;
}

pid_t supervisor_execute(const struct launch *l, struct supervisor_message *news)
{
    int report[2];
    *news = (struct supervisor_message){NEWS_STARTED, STEP_EXECUTE, 0};
    if (pipe2(report, O_CLOEXEC)) {
        *news = (struct supervisor_message){NEWS_FAILED, STEP_FORK, errno};
        return 0;
    }
    pid_t pid = spawn(l, report[1], getpid());
    if (pid < 0)
        *news = (struct supervisor_message){NEWS_FAILED, STEP_FORK, errno};
    close(report[1]);
    if (pid > 0 && read(report[0], news, sizeof *news) == (ssize_t)sizeof *news) {
        waitpid(pid, NULL, 0);
        pid = 0;
    }
    close(report[0]);
    return pid > 0 ? pid : 0;
}
