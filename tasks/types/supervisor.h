/* SPDX-License-Identifier: MIT */
/* supervisor.h: the process between a worker and programs of the site. It runs one after the other, and lets nothing
 * that one has started outlive it. */
#ifndef TASKS_TYPES_SUPERVISOR_H
#define TASKS_TYPES_SUPERVISOR_H

#include <sys/socket.h>

#include "base/compiler.h"
#include "program.h"

/* What the worker tells its supervisor: one packet each, which begins with one of these. The end of the socket means
 * ORDER_KILL, and the supervisor's own end. What comes too late for a program is not heard. */
enum supervisor_order {
    ORDER_START = 's', /* a struct supervisor_start, its text, and the program's ends as SCM_RIGHTS */
    ORDER_TERMINATE = 't',
    ORDER_KILL = 'k',
};

/* Descriptors of the program, in their order there. TEXT: bytes of the longest text; the kernel takes no more than
 * some 200 KB in a packet. */
enum { SUPERVISOR_ENDS = 4, SUPERVISOR_TEXT_MAX = 128 * 1024 };

/* What carries the ends beside a packet (cmsg(3)). */
union supervisor_rights {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int[SUPERVISOR_ENDS]))];
};

/* Behind it stands its text: its strings, NAME=value, one behind the other, each with its NUL; before them, if there
 * is one, the directory that the program must be able to write to. The pointers are those of the worker, whose memory
 * the supervisor has a copy of: they lead into the settings, which a worker has from its beginning to its end. */
struct supervisor_start {
    char order;
    bool has_output;
    size_t strings; /* without the directory */
    const struct command_def *def;
    const char *account; /* NULL: the worker's own, nothing is changed */
    uid_t uid;
    gid_t gid;
    size_t threads; /* of the account: see program.h */
};

/* What the supervisor tells its worker, one packet each: after ORDER_START one of the first two, after NEWS_STARTED
 * the third. */
enum supervisor_news {
    NEWS_STARTED, /* the program has been executed */
    NEWS_FAILED,  /* it could not be: value is errno, step says at what */
    NEWS_ENDED,   /* it and all its descendants are gone: value is its status as of waitpid */
};

enum supervisor_step {
    STEP_FORK,
    STEP_ACCOUNT,
    STEP_LIMITS,
    STEP_DIRECTORY,
    STEP_OUTPUT,
    STEP_EXECUTE,
};

struct supervisor_message {
    enum supervisor_news news;
    enum supervisor_step step;
    int value;
};

/* The supervisor's life, in the child of a fork; CONTROL is its end of the socket, at whose end it ends. */
void supervisor_main(int control) NO_RETURN;

/* --- supervisor_execute.c ------------------------------------------------------------------------------ */

/* One program to execute; made before the fork. */
struct launch {
    struct supervisor_start start;
    char *const *argv, *const *envp;
    const char *output; /* NULL: none */
    int ends[SUPERVISOR_ENDS]; /* all above SUPERVISOR_ENDS - 1 */
};

/* A child that becomes the program: its process; 0 where it does not, and then it is gone. NEWS tells which. */
pid_t supervisor_execute(const struct launch *l, struct supervisor_message *news);

#endif
