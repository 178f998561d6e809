/* SPDX-License-Identifier: MIT */
/* program.c: the worker's side of a running program. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "supervisor.h"

static const int64_t count_every_ns = INT64_C(5000000000);

void program_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(struct program *p)
{
    program_close(&p->control);
    program_close(&p->in);
    program_close(&p->out);
    program_close(&p->err);
    program_close(&p->progress);
}

static const char *step_text(enum supervisor_step step)
{
    static const char *const texts[] = {
        [STEP_FORK] = "a process for it cannot be made",
        [STEP_ACCOUNT] = "it cannot be given its Unix account",
        [STEP_LIMITS] = "its limits cannot be set",
        [STEP_DIRECTORY] = "its working directory cannot be entered",
        [STEP_OUTPUT] = "its account cannot write to its output directory (see files directory_mode)",
        [STEP_EXECUTE] = "it cannot be executed",
    };
    return texts[step];
}

/* The next message; false at the socket's end. */
static bool receive(struct program *p, struct supervisor_message *m, int flags)
{
    ssize_t n;
    do
        n = recv(p->control, m, sizeof *m, flags);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *m;
}

static void collect(struct program *p)
{
    while (p->supervisor && waitpid(p->supervisor, NULL, 0) < 0 && errno == EINTR)
        ;
    p->supervisor = 0;
}

/* Pipes: theirs[i] is the program's end of its descriptor i, ours the other one. */
static int make_pipes(struct program *p, int theirs[SUPERVISOR_ENDS])
{
    int *ours[SUPERVISOR_ENDS] = {&p->in, &p->out, &p->err, &p->progress};
    for (int i = 0; i < SUPERVISOR_ENDS; i++) {
        int pair[2];
        if (pipe2(pair, O_CLOEXEC))
            return -1;
        theirs[i] = pair[i != 0];
        *ours[i] = pair[i == 0];
        fcntl(*ours[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

/* Not for each of many programs in a second: it takes milliseconds. */
static void count_threads(struct program_account *a)
{
    int64_t now = clock_mono_ns();
    if (a->counted_ns && now - a->counted_ns < count_every_ns)
        return;
    a->counted_ns = now;
    a->threads = process_threads_of(a->uid);
}

int program_start(const struct command_def *def, struct program_account *account,
                  char *const *envp, const char *output, struct program *p, struct error *e)
{
    struct supervisor_task task = {def, account, envp, output, -1, {-1, -1, -1, -1}};
    struct supervisor_message m;
    int pair[2] = {-1, -1}, rc = 0;
    *p = (struct program)PROGRAM_INIT;
    if (def->processes)
        count_threads(account);
    if (make_pipes(p, task.ends) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        rc = error_errno(e, ERR_SYSTEM, "the program cannot be started");
        goto out;
    }
    p->control = pair[0];
    task.control = pair[1];
    p->supervisor = fork();
    if (p->supervisor == 0)
        supervisor_main(&task);
    if (p->supervisor < 0) {
        rc = error_errno(e, ERR_SYSTEM, "the program cannot be started");
        p->supervisor = 0;
        goto out;
    }
    program_close(&pair[1]);
    if (!receive(p, &m, 0)) {
        rc = error_set(e, ERR_SYSTEM, "the program cannot be started: its supervisor has died");
    } else if (m.news == NEWS_FAILED) {
        errno = m.value;
        rc = error_errno(e, ERR_SYSTEM, "the program cannot be started: %s", step_text(m.step));
    }

out:
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        program_close(&task.ends[i]);
    program_close(&pair[1]);
    if (rc) {
        close_all(p);
        collect(p);
    }
    return rc;
}

static void order(struct program *p, char what)
{
    if (p->control >= 0 && !p->ended)
        (void)!send(p->control, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void program_terminate(struct program *p)
{
    order(p, ORDER_TERMINATE);
}

void program_kill(struct program *p)
{
    order(p, ORDER_KILL);
}

/* Takes the news of the end, which is there, or that of the supervisor's own. */
static void note_end(struct program *p)
{
    struct supervisor_message m;
    p->ended = true;
    p->status = receive(p, &m, MSG_DONTWAIT) && m.news == NEWS_ENDED ? m.value : -1;
    collect(p);
    if (p->status == -1) /* somebody has killed it: its orphans have come to this process */
        process_kill_descendants(getpid());
    while (p->status == -1 && waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

bool program_ended(struct program *p)
{
    struct pollfd fd = {.fd = p->control, .events = POLLIN};
    if (!p->ended && p->control >= 0 && poll(&fd, 1, 0) > 0)
        note_end(p);
    return p->ended;
}

void program_stop(struct program *p, int grace_ms)
{
    struct pollfd fd = {.fd = p->control, .events = POLLIN};
    program_close(&p->in);
    if (p->supervisor && !p->ended) {
        if (grace_ms <= 0 || poll(&fd, 1, grace_ms) <= 0)
            program_kill(p);
        while (poll(&fd, 1, -1) < 0 && errno == EINTR)
            ;
        note_end(p);
    }
    close_all(p);
    *p = (struct program)PROGRAM_INIT;
}
