/* SPDX-License-Identifier: MIT */
/* supervisors.c: makes supervisors, keeps those that wait, and tells them from what programs have left. */
#include "supervisors.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/process.h"
#include "supervisor.h"

enum { ROUNDS = 20 };

/* All that live, or whose death nobody has noticed yet. */
static struct supervisor_handle *all;

static struct supervisor_handle *make(struct error *e)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        error_errno(e, ERR_SYSTEM, "the program cannot be started");
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0)
        supervisor_main(pair[1]);
    if (pid < 0)
        error_errno(e, ERR_SYSTEM, "the program cannot be started");
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return NULL;
    }
    struct supervisor_handle *s = xcalloc(1, sizeof *s);
    *s = (struct supervisor_handle){all, pid, pair[0], true};
    return all = s;
}

struct supervisor_handle *supervisors_take(bool *fresh, struct error *e)
{
    for (struct supervisor_handle *s = all; s; s = s->next)
        if (!s->busy) {
            s->busy = true;
            *fresh = false;
            return s;
        }
    *fresh = true;
    return make(e);
}

void supervisors_give_back(struct supervisor_handle *s)
{
    s->busy = false;
}

void supervisors_drop(struct supervisor_handle *s)
{
    struct supervisor_handle **link = &all;
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    close(s->control);
    while (s->pid && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(s);
}

static struct supervisor_handle *find(pid_t pid)
{
    struct supervisor_handle *s = all;
    while (s && s->pid != pid)
        s = s->next;
    return s;
}

static bool is_supervisor(const void *unused, pid_t pid)
{
    (void)unused;
    return find(pid) != NULL;
}

/* Takes the dead. One of a supervisor shows by its socket as well. */
static void bury(void)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        struct supervisor_handle *s = find(pid);
        if (s)
            s->pid = 0;
    }
}

void supervisors_end_orphans(void)
{
    size_t orphans = 1;
    bury();
    for (int round = 0; round < ROUNDS && orphans; round++) {
        orphans = process_kill_children(is_supervisor, NULL);
        bury(); /* also where there was none: the last ones may just have died */
    }
}

void supervisors_end_idle(void)
{
    for (struct supervisor_handle *s = all, *next; s; s = next) {
        next = s->next;
        if (!s->busy)
            supervisors_drop(s);
    }
}
