/* SPDX-License-Identifier: MIT */
/* test_program.c: programs one after the other below one supervisor, and what becomes of them when it dies. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "tasks/types/program.h"
#include "tasks/types/supervisor.h"
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

/* Its exit status once it and all it has started are gone; what it wrote into OUT[0..SIZE). */
static int end(struct program *p, char *out, size_t size)
{
    struct pollfd fd = {.fd = p->control, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    assert_true(program_ended(p));
    ssize_t n = read(p->out, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    int status = p->status;
    program_stop(p, 0);
    return status == -1 ? -1 : WEXITSTATUS(status);
}

static void run(struct program *p, const char *script, int status, const char *wanted)
{
    struct error e = {0};
    char out[100];
    if (start(p, script, &e))
        fail_msg("%s", e.text);
    assert_int_equal(end(p, out, sizeof out), status);
    assert_string_equal(out, wanted);
}

/* --- one after the other ---------------------------------------------------------------------------------- */

static void test_one_supervisor_for_all(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    run(&p, "echo $WORD; exit 3", 3, "said\n");
    pid_t supervisor = p.supervisor;
    assert_true(supervisor > 0 && !p.running);
    run(&p, "true", 0, "");
    run(&p, "sleep 1000 & echo left behind", 0, "left behind\n"); /* it has ended when that has, too */
    run(&p, "echo $WORD", 0, "said\n");
    assert_int_equal(p.supervisor, supervisor);
    program_release(&p);
    assert_int_equal(p.supervisor, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child at all */
}

static void test_orders_for_the_last_one_do_not_reach_the_next(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    struct error e = {0};
    char out[100];
    assert_int_equal(start(&p, "exit 0", &e), 0);
    struct pollfd fd = {.fd = p.control, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    program_terminate(&p); /* it has ended, which nobody has read yet */
    program_kill(&p);
    assert_int_equal(end(&p, out, sizeof out), 0);
    run(&p, "sleep 0.01; echo $WORD", 0, "said\n");
    program_release(&p);
}

static void test_what_cannot_be_started(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    struct error e = {0};
    char *none[] = {NULL}, *strings[] = {xcalloc(1, SUPERVISOR_TEXT_MAX + 1), NULL};
    assert_int_equal(program_start(&missing, &account, none, NULL, &p, &e), ERR_SYSTEM);
    assert_string_equal(e.text, "the program cannot be started: it cannot be executed: No such file or directory");
    assert_false(p.running);
    pid_t supervisor = p.supervisor;
    error_clear(&e);
    assert_int_equal(program_start(&missing, &account, none, NULL, &p, &e), ERR_SYSTEM);
    assert_int_equal(p.supervisor, supervisor);
    program_release(&p);
    memset(strings[0], '=', SUPERVISOR_TEXT_MAX);
    error_clear(&e);
    assert_int_equal(program_start(&def, &account, strings, NULL, &p, &e), ERR_SYSTEM);
    assert_string_equal(e.text, "the program cannot be started: its environment has 131073 bytes, more than 131072");
    free(strings[0]);
    run(&p, "echo $WORD", 0, "said\n");
    program_release(&p);
}

/* --- a supervisor that dies ------------------------------------------------------------------------------- */

static void test_killed_while_idle(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    for (int i = 0; i < RACES; i++) {
        run(&p, "true", 0, "");
        /* some die before they are asked, some behind it, some once they have heard */
        pid_t victim = p.supervisor, killer = i % 3 ? fork() : 0;
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
        run(&p, "echo $WORD", 0, "said\n");
    }
    program_release(&p);
}

static void test_killed_beside_its_program(void **state)
{
    (void)state;
    struct program p = PROGRAM_INIT;
    struct error e = {0};
    char out[100];
    assert_int_equal(start(&p, "sleep 1000 & sleep 1000", &e), 0);
    kill(p.supervisor, SIGKILL);
    assert_int_equal(end(&p, out, sizeof out), -1);
    assert_int_equal(p.supervisor, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    run(&p, "echo $WORD", 0, "said\n");
    program_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_supervisor_for_all),
        cmocka_unit_test(test_orders_for_the_last_one_do_not_reach_the_next),
        cmocka_unit_test(test_what_cannot_be_started),
        cmocka_unit_test(test_killed_while_idle),
        cmocka_unit_test(test_killed_beside_its_program),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* as a worker */
    account.uid = geteuid();
    account.gid = getegid();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
