/* SPDX-License-Identifier: MIT */
/* dump_process.c: starts a program, reads what it says, ends it. */
#include "dump_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/process.h"

enum {
    READ_SIZE = 256 * 1024,
    PIPE_SIZE = 1024 * 1024, /* as much as the system lets anybody have */
    LINE_SIZE = 500,
    STOP_CHECK_MS = 200,
    LEAVE_CHECK_MS = 20,
    REPORT_FD = DUMP_SECRET_FD + 1, /* where a child says that it cannot become the program */
    HIGH_FD = 16,                   /* above those that the child moves things to */
};

struct dump_process {
    pid_t pid; /* 0 once it has been waited for */
    int out, err; /* -1 at their end */
    size_t line_len;
    char line[LINE_SIZE];
    char buffer[READ_SIZE];
};

/* --- the child -------------------------------------------------------------------------------- */

/* What the child needs; made before the fork, after which only plain system calls are safe. */
struct start {
    const char *path;
    char *const *argv;
    pid_t parent;
    int in, out, err, secret, report;
};

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};

static void become_program(const struct start *s)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the worker is killed: the program ends with it */
    if (getppid() != s->parent)
        _exit(127);
    process_default_signals();
    bool good = dup2(s->in, STDIN_FILENO) >= 0 && dup2(s->out, STDOUT_FILENO) >= 0 &&
                dup2(s->err, STDERR_FILENO) >= 0 && dup2(s->report, REPORT_FD) >= 0 &&
                fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) == 0;
    if (s->secret >= 0)
        good = good && dup2(s->secret, DUMP_SECRET_FD) >= 0;
    else
        close(DUMP_SECRET_FD);
    closefrom(REPORT_FD + 1);
    if (good)
        execve(s->path, s->argv, (char *const *)environment);
    int why = errno;
    ssize_t ignored = write(REPORT_FD, &why, sizeof why);
    (void)ignored;
    _exit(127);
}

/* --- starting --------------------------------------------------------------------------------- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A pipe whose ends are above HIGH_FD. */
static int make_pipe(int ends[2])
{
    int low[2];
    ends[0] = ends[1] = -1;
    if (pipe2(low, O_CLOEXEC))
        return -1;
    ends[0] = fcntl(low[0], F_DUPFD_CLOEXEC, HIGH_FD);
    ends[1] = fcntl(low[1], F_DUPFD_CLOEXEC, HIGH_FD);
    close(low[0]);
    close(low[1]);
    return ends[0] >= 0 && ends[1] >= 0 ? 0 : -1;
}

/* What the child has reported: 0 where it has become the program. */
static int read_report(int fd)
{
    int why = 0;
    ssize_t n;
    do
        n = read(fd, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? why : 0;
}

int dump_process_start(const char *path, const char *const *argv, int secret_fd, struct dump_process **out,
                       struct error *e)
{
    int outs[2] = {-1, -1}, errs[2] = {-1, -1}, report[2] = {-1, -1}, null = -1, secret = -1, rc = 0;
    struct dump_process *p = xcalloc(1, sizeof *p);
    p->out = p->err = -1;
    int low = open("/dev/null", O_RDONLY | O_CLOEXEC);
    null = low >= 0 ? fcntl(low, F_DUPFD_CLOEXEC, HIGH_FD) : -1;
    close_fd(&low);
    if (secret_fd >= 0)
        secret = fcntl(secret_fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (null < 0 || (secret_fd >= 0 && secret < 0) || make_pipe(outs) || make_pipe(errs) || make_pipe(report)) {
        rc = error_errno(e, ERR_SYSTEM, "cannot start %s", path);
        goto out;
    }
    const struct start start = {path, (char *const *)argv, getpid(), null, outs[1], errs[1], secret, report[1]};
    p->pid = fork();
    if (p->pid == 0)
        become_program(&start);
    if (p->pid < 0) {
        p->pid = 0;
        rc = error_errno(e, ERR_SYSTEM, "cannot start %s", path);
        goto out;
    }
    setpgid(p->pid, p->pid); /* both do it: whoever is first */
    close_fd(&report[1]);
    errno = read_report(report[0]);
    if (errno) { /* p->pid is still to be waited for: dump_process_close */
        rc = error_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "cannot start %s", path);
        goto out;
    }
    (void)fcntl(outs[0], F_SETPIPE_SZ, PIPE_SIZE);
    p->out = outs[0];
    p->err = errs[0];
    outs[0] = errs[0] = -1;
    *out = p;
    p = NULL;
out:
    close_fd(&null);
    close_fd(&secret);
    for (int i = 0; i < 2; i++) {
        close_fd(&outs[i]);
        close_fd(&errs[i]);
        close_fd(&report[i]);
    }
    dump_process_close(&p);
    return rc;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void tell_line(struct dump_process *p, const struct dump_reader *r)
{
    p->line[p->line_len] = '\0';
    if (p->line_len)
        r->line(r->ctx, p->line);
    p->line_len = 0;
}

static void add_lines(struct dump_process *p, const struct dump_reader *r, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p->buffer[i] == '\n')
            tell_line(p, r);
        else if (p->line_len < LINE_SIZE - 1)
            p->line[p->line_len++] = p->buffer[i];
}

/* Reads once from what is ready. */
static int read_some(struct dump_process *p, int *fd, const struct dump_reader *r, struct error *e)
{
    ssize_t n = read(*fd, p->buffer, sizeof p->buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n < 0)
        return error_errno(e, ERR_IO, "cannot read what the program says");
    if (n == 0) {
        close_fd(fd);
        return 0;
    }
    if (fd == &p->out)
        return r->data(r->ctx, p->buffer, (size_t)n, e);
    add_lines(p, r, (size_t)n);
    return 0;
}

static int read_all(struct dump_process *p, const struct dump_reader *r, struct error *e)
{
    while (p->out >= 0 || p->err >= 0) {
        struct pollfd fds[] = {{p->out, POLLIN, 0}, {p->err, POLLIN, 0}};
        int n = poll(fds, 2, STOP_CHECK_MS);
        if (n < 0 && errno != EINTR)
            return error_errno(e, ERR_SYSTEM, "poll");
        if (r->stop(r->ctx))
            return error_set(e, ERR_CANCELLED, "stopped");
        int rc = n > 0 && fds[1].revents ? read_some(p, &p->err, r, e) : 0;
        if (!rc && n > 0 && fds[0].revents)
            rc = read_some(p, &p->out, r, e);
        if (rc)
            return rc;
    }
    tell_line(p, r);
    return 0;
}

/* Ends the process group and takes its dead: whoever lost his parent is ours (the worker is a subreaper). The group's
 * leader must not have been waited for, so that its number is nobody else's. Returns the leader's status. */
static int end_group(struct dump_process *p)
{
    int status = 0, one;
    kill(-p->pid, SIGKILL);
    kill(p->pid, SIGKILL); /* where it has not come to make the group */
    for (;;) {
        pid_t pid = waitpid(-p->pid, &one, 0);
        if (pid == p->pid)
            status = one;
        if (pid < 0 && errno != EINTR)
            break;
    }
    p->pid = 0;
    return status;
}

/* It has closed its output; it should be gone in a moment. */
static int wait_for_end(struct dump_process *p, const struct dump_reader *r, int *status, struct error *e)
{
    const struct timespec pause = {0, LEAVE_CHECK_MS * 1000000L};
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) && errno != EINTR)
            return error_errno(e, ERR_SYSTEM, "waitid");
        if (info.si_pid == p->pid) {
            *status = end_group(p);
            return 0;
        }
        if (r->stop(r->ctx))
            return error_set(e, ERR_CANCELLED, "stopped");
        nanosleep(&pause, NULL);
    }
}

int dump_process_read(struct dump_process *p, const struct dump_reader *r, int *status, struct error *e)
{
    int rc = read_all(p, r, e);
    return rc ? rc : wait_for_end(p, r, status, e);
}

void dump_process_close(struct dump_process **pp)
{
    struct dump_process *p = *pp;
    if (!p)
        return;
    *pp = NULL;
    if (p->pid)
        end_group(p);
    close_fd(&p->out);
    close_fd(&p->err);
    free(p);
}
