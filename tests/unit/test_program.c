/* SPDX-License-Identifier: MIT */
/* test_program.c: programs one after the other below one supervisor, and what becomes of them when it dies. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "tasks/types/program.h"
#include "tasks/types/supervisor.h"
#include "tasks/types/supervisors.h"
#include "unit.h"

enum { PATIENCE_MS = 20000, RACES = 60 };

/* What differs from program to program is the environment, as it is in a worker. */
static const char *const shell[] = {"/bin/sh", "-c", "eval \"$SCRIPT\""}, *const nowhere[] = {"/nowhere/program"};
static const struct command_def def = {.argv = {shell, 3}, .directory = "/", .open_files = 64},
                                missing = {.argv = {nowhere, 1}, .directory = "/", .open_files = 64};
static struct program_account account;

static int start(struct program *p, const char *script, struct error *e)
{
    char *text = xasprintf("SCRIPT=%s", script), path[] = "PATH=/usr/bin:/bin", word[] = "WORD=said";
    char *const environment[] = {path, word, text, NULL};
    int rc = program_start(&def, &account, environment, NULL, p, e);
    free(text);
    return rc;
}

static void start_well(struct program *p, const char *script)
{
    struct error e = {0};
    if (start(p, script, &e))
        fail_msg("%s", e.text);
}

static void wait_for_end(struct program *p)
{
    struct pollfd fd = {.fd = p->control, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
}

/* Its exit status once it and all it has started are gone; -1 where that is not known. OUT: what it wrote. */
static int end(struct program *p, char *out, size_t size)
{
    wait_for_end(p);
    assert_true(program_ended(p));
    ssize_t n = read(p->out, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    int status = p->status;
    program_stop(p, 0);
    return status == -1 ? -1 : WEXITSTATUS(status);
}

/* Returns the process of its supervisor. */
static pid_t run(struct program *p, const char *script, int status, const char *wanted)
{
    char out[100];
    start_well(p, script);
    pid_t supervisor = p->supervisor->pid;
    assert_int_equal(end(p, out, sizeof out), status);
    assert_string_equal(out, wanted);
    return supervisor;
}

/* Of a child that has been killed. Leaves it to be reaped by others, unless they have done so. */
static void wait_for_death(pid_t child)
{
    siginfo_t info;
    while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) && errno == EINTR)
        ;
}

/* No child is left, alive or dead. */
static void all_gone(void)
{
    supervisors_end_idle();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* --- one after the other ---------------------------------------------------------------------------------- */

static void test_one_supervisor_for_all(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT, other = PROGRAM_INIT;
    pid_t supervisor = run(&p, "echo $WORD; exit 3", 3, "said\n");
    assert_true(!p.running && !p.supervisor);
    assert_int_equal(run(&other, "true", 0, ""), supervisor);
    /* it has ended when what it left has, too */
    assert_int_equal(run(&p, "sleep 1000 & echo left behind", 0, "left behind\n"), supervisor);
    assert_int_equal(run(&p, "echo $WORD", 0, "said\n"), supervisor);
    all_gone();
}

static void test_orders_for_the_last_one_do_not_reach_the_next(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    char out[100];
    start_well(&p, "exit 0");
    pid_t supervisor = p.supervisor->pid;
    wait_for_end(&p);
    program_terminate(&p); /* it has ended, which nobody has read yet */
    program_kill(&p);
    assert_int_equal(end(&p, out, sizeof out), 0);
    assert_int_equal(run(&p, "sleep 0.01; echo $WORD", 0, "said\n"), supervisor);
    all_gone();
}

static void test_what_cannot_be_started(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    struct error e = {0};
    char *none[] = {NULL}, *strings[] = {xcalloc(1, SUPERVISOR_TEXT_MAX + 1), NULL};
    assert_int_equal(program_start(&missing, &account, none, NULL, &p, &e), ERR_SYSTEM);
    assert_string_equal(e.text, "the program cannot be started: it cannot be executed: No such file or directory");
    assert_true(!p.running && !p.supervisor);
    error_clear(&e);
    memset(strings[0], '=', SUPERVISOR_TEXT_MAX);
    assert_int_equal(program_start(&def, &account, strings, NULL, &p, &e), ERR_SYSTEM);
    assert_string_equal(e.text, "the program cannot be started: its environment has 131073 bytes, more than 131072");
    free(strings[0]);
    run(&p, "echo $WORD", 0, "said\n");
    all_gone();
}

/* --- deaths ----------------------------------------------------------------------------------------------- */

static void test_supervisor_killed_while_idle(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    for (int i = 0; i < RACES; i++) {
        /* some die before they are asked, some behind it, some once they have heard */
        pid_t victim = run(&p, "true", 0, ""), killer = i % 3 ? fork() : 0;
        if (killer == 0)
            kill(victim, SIGKILL);
        if (killer == 0 && i % 3)
            _exit(0);
        struct error e = {0};
        char out[100];
        if (start(&p, "echo $WORD", &e)) /* it may have been started, so that nobody starts it again */
            assert_string_equal(e.text, "the program cannot be started: its supervisor has died");
        else if (end(&p, out, sizeof out) != -1)
            assert_string_equal(out, "said\n");
        if (killer)
            waitpid(killer, NULL, 0);
        wait_for_death(victim); /* being killed is not being dead: the next one might still be asked of it */
        run(&p, "echo $WORD", 0, "said\n");
    }
    all_gone();
}

/* What else this process has stays as it is. */
static void test_supervisor_killed_beside_its_program(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT, busy = PROGRAM_INIT, last = PROGRAM_INIT;
    char out[100];
    start_well(&busy, "read line; echo $line");
    start_well(&last, "true");
    pid_t idle = last.supervisor->pid;
    start_well(&p, "sleep 1000 & sleep 1000");
    assert_int_equal(end(&last, out, sizeof out), 0);
    kill(p.supervisor->pid, SIGKILL);
    assert_int_equal(end(&p, out, sizeof out), -1);
    assert_int_equal(run(&p, "echo $WORD", 0, "said\n"), idle);
    assert_int_equal(write(busy.in, "still here\n", 11), 11);
    assert_int_equal(end(&busy, out, sizeof out), 0);
    assert_string_equal(out, "still here\n");
    all_gone();
}

static void test_worker_killed(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t worker = fork();
    if (worker == 0) {
        struct program p = PROGRAM_INIT, before = PROGRAM_INIT;
        start_well(&before, "true");
        start_well(&p, "sleep 1000 & sleep 1000");
        program_stop(&before, PATIENCE_MS); /* one idle, one busy */
        (void)!write(ready[1], "x", 1);
        pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    kill(worker, SIGKILL);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    while (waitpid(-1, NULL, 0) > 0) /* all that it had has come here, and ends by itself */
        ;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_supervisor_for_all),
        cmocka_unit_test(test_orders_for_the_last_one_do_not_reach_the_next),
        cmocka_unit_test(test_what_cannot_be_started),
        cmocka_unit_test(test_supervisor_killed_while_idle),
        cmocka_unit_test(test_supervisor_killed_beside_its_program),
        cmocka_unit_test(test_worker_killed),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* as a worker */
    account.uid = geteuid();
    account.gid = getegid();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
