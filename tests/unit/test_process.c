/* SPDX-License-Identifier: MIT */
/* test_process.c: a process is ended with all that it started, wherever that has gone. */
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "unit.h"

enum { PATIENCE_MS = 20000 };

/* Lives until it is killed; everybody holds the pipe open. */
static void linger(void)
{
    for (;;)
        pause();
}

/* A child in a session of its own. */
static void start_in_own_session(void)
{
    if (fork() == 0) {
        setsid();
        linger();
    }
}

/* A daemon as they make themselves: forks twice, so that its parent is gone. */
static void start_daemon(int ready)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            signal(SIGTERM, SIG_IGN);
            (void)!write(ready, "x", 1);
            linger();
        }
        _exit(0);
    }
    wait(NULL);
}

static bool is_pid(const void *kept, pid_t pid)
{
    return pid == *(const pid_t *)kept;
}

static void test_kill_tree(void **state)
{
    (void)state;
    int held[2], ready[2];
    char byte;
    assert_int_equal(pipe(held), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t root = fork();
    if (root == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        setpgid(0, 0);
        if (fork() == 0)
            linger();
        start_in_own_session();
        start_daemon(ready[1]);
        linger();
    }
    close(held[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(process_kill_children(is_pid, &root), 0);
    process_kill_tree(root);
    assert_int_equal(waitpid(root, NULL, 0), root);
    /* the end of file comes when the last of them is gone */
    struct pollfd end = {.fd = held[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, PATIENCE_MS), 1);
    assert_int_equal(read(held[0], &byte, 1), 0);
    assert_int_equal(process_kill_children(is_pid, &(pid_t){0}), 0);
}

static void test_kill_children(void **state)
{
    (void)state;
    int status;
    pid_t kept = fork(), other = kept ? fork() : 0;
    if (!kept || !other)
        linger();
    assert_int_equal(process_kill_children(is_pid, &kept), 1);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(waitpid(kept, &status, WNOHANG), 0);
    assert_int_equal(process_kill_children(is_pid, &(pid_t){0}), 1);
    assert_int_equal(waitpid(kept, &status, 0), kept);
}

/* An account that has no process but ours. */
static void test_threads_of(void **state)
{
    (void)state;
    enum { ACCOUNT = 2000000011, GROUPS = 2000 };
    static gid_t groups[GROUPS];
    for (gid_t i = 0; i < GROUPS; i++)
        groups[i] = ACCOUNT + i;
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(process_threads_of(ACCOUNT), 0);
    pid_t pid = fork();
    if (pid == 0) {
        byte = !setgroups(GROUPS, groups) && !setuid(ACCOUNT);
        (void)!write(ready[1], &byte, 1);
        linger();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    size_t n = process_threads_of(ACCOUNT);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    if (!byte)
        skip(); /* not root */
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_tree),
        cmocka_unit_test(test_kill_children),
        cmocka_unit_test(test_threads_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
