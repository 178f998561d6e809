/* SPDX-License-Identifier: MIT */
/* process.h: what daemons need of the system: clean descriptors, names of signals. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

/* Closes every descriptor from FIRST on: daemons start with nothing inherited. */
void process_close_from(int first);

/* Every signal does what it does by default, and none is blocked. Only system calls: also for the child of a vfork. */
void process_default_signals(void);

/* "SIGSEGV"; "signal 40" for one without a macro name. Static or thread-local storage. */
const char *process_signal_name(int signo);

/* Opens the missing ones of 0, 1 and 2 on /dev/null, so that no later descriptor takes their number. */
void process_fill_std(void);

/* Where the process is root's it becomes USER with that account's groups, for good; elsewhere, and where
 * USER is NULL, it stays what it is. */
int process_become(const char *user, struct error *e) MUST_USE;

/* access(2) of PATH as USER with that account's groups, where the process is root's; elsewhere, where USER is NULL and
 * where there is no such account, as the process itself. Returns 0 or an errno. Forks. */
int process_access_as(const char *user, const char *path, int mode) MUST_USE;

/* SIGKILL to ROOT, its process group and every descendant, also one that has called setsid or has been
 * left by its parent, where ROOT is a subreaper (PR_SET_CHILD_SUBREAPER). Linux: reads /proc. ROOT must be
 * a child of the caller that has not been waited for. */
void process_kill_tree(pid_t root);

/* The same to its descendants only; ROOT may be the caller itself. What forks faster than it is found may
 * survive: call it until there is none. */
void process_kill_descendants(pid_t root);

/* How many threads the account USER has in all its processes. Linux: reads /proc. */
size_t process_threads_of(uid_t user);

/* process_kill_tree for every child of this process that SPARE does not want to keep. Returns how many there were. */
size_t process_kill_children(bool (*spare)(const void *context, pid_t pid), const void *context);

#endif
