/* SPDX-License-Identifier: MIT */
/* command.c: runs a task of a command: reads its data, has its program run in the one mode or the other,
 * and says what an exit status means. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/process.h"
#include "command_impl.h"
#include "supervisors.h"
#include "task/command.h"

enum { PROGRAM_GRACE_MS = 500 };

bool command_take_result(struct command_task *t, const char *text, size_t len)
{
    static const char space[] = " \t\r\n";
    struct error e = {0};
    while (len && strchr(space, text[len - 1]))
        len--;
    while (len && strchr(space, *text))
        text++, len--;
    buf_clear(&t->outcome->result);
    if (!len)
        return true;
    if (json_scan(text, len, JSON_DEPTH_MAX, &e)) {
        run_fail(t->outcome, RUN_FAILED_FINAL, "invalid_result",
                 "the program's standard output is no JSON: %s", e.text);
        return false;
    }
    buf_add(&t->outcome->result, text, len);
    return true;
}

void command_ended_badly(struct command_task *t, int status, const char *last)
{
    if (t->def->log_for == LOG_FOR_ADMIN)
        last = "";
    const char *colon = *last ? ": " : "";
    char code[16];
    if (status == -1) {
        run_fail(t->outcome, RUN_FAILED, "program_lost", "the program's supervisor was killed%s%s", colon,
                 last);
        return;
    }
    if (WIFSIGNALED(status)) {
        int signo = WTERMSIG(status);
        run_fail(t->outcome, RUN_FAILED, "killed_by_signal", "the program was ended by %s%s%s%s",
                 process_signal_name(signo),
                 signo == SIGKILL ? " (out of memory, or killed by hand)" : "", colon, last);
        return;
    }
    snprintf(code, sizeof code, "%d", WEXITSTATUS(status));
    if (str_list_has(&t->def->retry_exit_codes, code))
        run_fail(t->outcome, RUN_FAILED, "retry_later",
                 "the program asks to be tried later (exit status %s)%s%s", code, colon, last);
    else
        run_fail(t->outcome, RUN_FAILED, "exit_status", "the program ended with exit status %s%s%s", code,
                 colon, last);
}

static struct command_state *open_state(struct run *r, const struct command_def *def, struct error *e)
{
    struct command_state *s = xcalloc(1, sizeof *s);
    s->place = (struct work_place){
        .directory = run_settings(r)->files.directory,
        .directory_mode = (mode_t)run_settings(r)->files.directory_mode,
        .tmp = -1,
    };
    s->program = (struct program)PROGRAM_INIT;
    if (command_account(def, &s->account, e)) {
        free(s);
        return NULL;
    }
    return s;
}

void command_run(struct run *r, struct run_outcome *o, void **state)
{
    const struct run_task *task = run_task(r);
    const struct task_type *type = catalogue_type(run_catalogue(r), task->type);
    struct error e = {0};
    if (!type || !type->command) {
        run_fail(o, RUN_FAILED_FINAL, "unknown_type", "the type %s is not enabled", task->type);
        return;
    }
    if (!*state)
        *state = open_state(r, type->command, &e);
    if (!*state) {
        run_fail(o, RUN_FAILED, "not_started", "the program cannot be started: %s", e.text);
        return;
    }
    struct command_task t = {
        .run = r,
        .outcome = o,
        .def = type->command,
        .state = *state,
        .key = arena_printf(run_arena(r), "backdesk-%llu-%lld", (unsigned long long)task->id,
                            (long long)task->created_at),
        .data = BUF_INIT,
    };
    if (command_payload(run_catalogue(r), type, task->data, task->data_len, run_arena(r), &t.data, &e))
        run_fail(o, RUN_FAILED_FINAL, "invalid_data", "%s", e.text);
    else if (t.def->mode == COMMAND_PERSISTENT)
        command_persistent(&t);
    else
        command_exec(&t);
    buf_free(&t.data);
}

void command_close(void **state)
{
    struct command_state *s = *state;
    if (!s)
        return;
    program_stop(&s->program, PROGRAM_GRACE_MS);
    supervisors_end_idle();
    work_place_close(&s->place);
    free(s->account.home);
    free(s);
    *state = NULL;
}
