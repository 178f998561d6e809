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

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "supervisor.h"
#include "supervisors.h"

static const int64_t count_every_ns = INT64_C(5000000000);

void program_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* All but the supervisor's socket. */
static void close_ends(struct program *p)
{
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

/* --- what is said to the supervisor ------------------------------------------------------------------------ */

/* The next message; false at the socket's end, with errno 0, or where it cannot be read. */
static bool receive(int control, struct supervisor_message *m, int flags)
{
    ssize_t n;
    do {
        errno = 0;
        n = recv(control, m, sizeof *m, flags);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *m;
}

static int send_start(int control, const struct supervisor_start *start, const struct buf *text,
                      const int theirs[SUPERVISOR_ENDS])
{
    union supervisor_rights rights = {.bytes = {0}};
    struct iovec parts[] = {{(void *)(uintptr_t)start, sizeof *start}, {text->data, text->len}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = rights.bytes,
                       .msg_controllen = sizeof rights.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int[SUPERVISOR_ENDS])), .cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), theirs, sizeof(int[SUPERVISOR_ENDS]));
    ssize_t n;
    do
        n = sendmsg(control, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

/* What a supervisor must know of one program. */
static int write_start(char *const *envp, const char *output, struct supervisor_start *start, struct buf *text,
                       struct error *e)
{
    start->order = ORDER_START;
    start->has_output = output != NULL;
    if (output)
        buf_add(text, output, strlen(output) + 1);
    for (; envp[start->strings]; start->strings++)
        buf_add(text, envp[start->strings], strlen(envp[start->strings]) + 1);
    if (text->len > SUPERVISOR_TEXT_MAX)
        return error_set(e, ERR_SYSTEM, "the program cannot be started: its environment has %zu bytes, more than %d",
                         text->len, SUPERVISOR_TEXT_MAX);
    return 0;
}

/* --- start and end ---------------------------------------------------------------------------------------- */

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

/* Has a supervisor start the program. One that has waited may have died: then another one is asked, unless the order
 * may have been heard. It was not where it could not be sent, or where the kernel answers ECONNRESET, since a socket
 * was closed in which something was unread. */
static int ask(struct supervisor_start *start, const struct buf *text, struct program_account *account,
               const int theirs[SUPERVISOR_ENDS], struct program *p, struct supervisor_message *m, struct error *e)
{
    for (;;) {
        bool fresh;
        struct supervisor_handle *s = supervisors_take(&fresh, e);
        if (!s)
            return e->code;
        if (start->def->processes) /* now, so that the supervisor is among them */
            count_threads(account);
        start->threads = account->threads;
        bool sent = send_start(s->control, start, text, theirs) == 0;
        if (sent && receive(s->control, m, 0)) {
            p->supervisor = s;
            p->control = s->control;
            return 0;
        }
        bool heard = sent && errno != ECONNRESET;
        int rc = errno ? error_errno(e, ERR_SYSTEM, "the program cannot be started")
                       : error_set(e, ERR_SYSTEM, "the program cannot be started: its supervisor has died");
        supervisors_drop(s);
        if (heard)
            supervisors_end_orphans();
        if (heard || fresh)
            return rc;
        error_clear(e);
    }
}

/* The supervisor is free for others. */
static void let_go(struct program *p)
{
    if (p->supervisor)
        supervisors_give_back(p->supervisor);
    p->supervisor = NULL;
    p->control = -1;
}

/* Says to the task what was in the way, and to the log of which program. */
static int not_started(const struct command_def *def, const struct supervisor_message *m, struct error *e)
{
    const char *path = def->argv.items[0];
    errno = m->value;
    int rc = error_errno(e, ERR_SYSTEM, "the program cannot be started: %s", step_text(m->step));
    if (m->step == STEP_EXECUTE && m->value == ENOENT && access(path, F_OK) == 0)
        rc = error_set(e, ERR_SYSTEM, "the program cannot be started: the interpreter in its first line (#!) is not "
                                      "there, or that line ends with a carriage return");
    log_warning("command %s: %s: %s", def->name, path, e->text);
    return rc;
}

int program_start(const struct command_def *def, struct program_account *account,
                  char *const *envp, const char *output, struct program *p, struct error *e)
{
    int theirs[SUPERVISOR_ENDS] = {-1, -1, -1, -1};
    struct supervisor_start start = {.def = def, .account = account->name, .uid = account->uid, .gid = account->gid};
    struct supervisor_message m;
    struct buf text = BUF_INIT;
    p->ended = false;
    p->status = 0;
    int rc = write_start(envp, output, &start, &text, e);
    if (!rc && make_pipes(p, theirs))
        rc = error_errno(e, ERR_SYSTEM, "the program cannot be started");
    if (!rc)
        rc = ask(&start, &text, account, theirs, p, &m, e);
    if (!rc && m.news == NEWS_FAILED)
        rc = not_started(def, &m, e);
    for (int i = 0; i < SUPERVISOR_ENDS; i++)
        program_close(&theirs[i]);
    if (rc) {
        close_ends(p);
        let_go(p);
    }
    p->running = rc == 0;
    buf_free(&text);
    return rc;
}

static void order(struct program *p, char what)
{
    if (p->running && !p->ended)
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
    p->status = receive(p->control, &m, MSG_DONTWAIT) && m.news == NEWS_ENDED ? m.value : -1;
    if (p->status == -1) { /* somebody has killed it */
        supervisors_drop(p->supervisor);
        p->supervisor = NULL;
        supervisors_end_orphans();
    }
    let_go(p);
}

bool program_ended(struct program *p)
{
    struct pollfd fd = {.fd = p->control, .events = POLLIN};
    if (p->running && !p->ended && poll(&fd, 1, 0) > 0)
        note_end(p);
    return p->ended;
}

void program_stop(struct program *p, int grace_ms)
{
    struct pollfd fd = {.fd = p->control, .events = POLLIN};
    program_close(&p->in);
    if (p->running && !p->ended) {
        if (grace_ms <= 0 || poll(&fd, 1, grace_ms) <= 0)
            program_kill(p);
        while (poll(&fd, 1, -1) < 0 && errno == EINTR)
            ;
        note_end(p);
    }
    close_ends(p);
    p->running = false;
}
