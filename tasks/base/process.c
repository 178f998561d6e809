/* SPDX-License-Identifier: MIT */
/* process.c: descriptors, signal names, the account a daemon runs as. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

enum { GROUPS_MAX = 1024 };

void process_close_from(int first)
{
    closefrom(first);
}

void process_default_signals(void)
{
    sigset_t none;
    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

const char *process_signal_name(int signo)
{
    static _Thread_local char name[32];
    const char *abbreviation = sigabbrev_np(signo);
    if (abbreviation)
        snprintf(name, sizeof name, "SIG%s", abbreviation);
    else
        snprintf(name, sizeof name, "signal %d", signo);
    return name;
}

void process_fill_std(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            log_bug("cannot open /dev/null");
    } while (fd <= STDERR_FILENO);
    close(fd);
}

int process_become(const char *user, struct error *e)
{
    if (!user || geteuid() != 0)
        return 0;
    errno = 0;
    const struct passwd *account = getpwnam(user);
    if (!account)
        return errno ? error_errno(e, ERR_SYSTEM, "cannot look up the account %s", user)
                     : error_set(e, ERR_INVALID, "there is no account %s", user);
    if (initgroups(user, account->pw_gid) || setgid(account->pw_gid) || setuid(account->pw_uid))
        return error_errno(e, ERR_SYSTEM, "cannot become %s", user);
    /* giving up root also took away our own /proc/self, which core dumps and leak checks read */
    (void)prctl(PR_SET_DUMPABLE, 1);
    return 0;
}

/* Only system calls: also for the child of a process with threads. */
static int access_in_child(const struct passwd *account, const gid_t *groups, int count, const char *path, int mode)
{
    if (setgroups((size_t)count, groups) || setgid(account->pw_gid) || setuid(account->pw_uid))
        return errno;
    return access(path, mode) ? errno : 0;
}

int process_access_as(const char *user, const char *path, int mode)
{
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX, status = 0;
    const struct passwd *account = user && geteuid() == 0 ? getpwnam(user) : NULL;
    if (!account)
        return access(path, mode) ? errno : 0;
    if (getgrouplist(user, account->pw_gid, groups, &count) < 0)
        count = GROUPS_MAX;
    pid_t pid = fork();
    if (pid == 0)
        _exit(access_in_child(account, groups, count, path, mode));
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 ? errno : WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}
