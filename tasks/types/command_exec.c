/* SPDX-License-Identifier: MIT */
/* command_exec.c: one program for one task, from its directories to what it leaves in them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command_impl.h"
#include "conversation.h"
#include "task/command.h"

/* Within the attempt's directory. */
static const char output_name[] = "out", scratch_name[] = "tmp";

/* A directory of the program's own. */
static int make_directory(const struct command_task *t, int dir, const char *name)
{
    const struct program_account *a = &t->state->account;
    if (mkdirat(dir, name, 0700))
        return -1;
    return a->name ? fchownat(dir, name, a->uid, a->gid, AT_SYMLINK_NOFOLLOW) : 0;
}

/* One for its files and one for scratch. */
static int make_two_directories(struct command_task *t, struct work_dir *dir)
{
    const struct run_task *task = run_task(t->run);
    struct error e = {0};
    if (work_dir_create(&t->state->place, task->id, task->fence, dir, &e))
        return run_fail(t->outcome, RUN_FAILED, "storage_failed", "%s", e.text);
    int fd = work_dir_open(dir, NULL);
    /* another account may pass through, to its own directories, and see nothing */
    bool made = fd >= 0 && (!t->state->account.name || fchmod(fd, 0711) == 0) &&
                make_directory(t, fd, output_name) == 0 && make_directory(t, fd, scratch_name) == 0;
    if (!made)
        run_fail(t->outcome, RUN_FAILED, "storage_failed", "the output directory cannot be made: %s",
                 strerror(errno));
    program_close(&fd);
    return made ? 0 : ERR_IO;
}

/* The files of a program that has succeeded. */
static bool take_files(struct command_task *t, const struct work_dir *dir)
{
    int fd = work_dir_open(dir, output_name);
    if (fd >= 0)
        return command_take_files(t, fd, true);
    run_fail(t->outcome, RUN_FAILED_FINAL, "invalid_file", "the program has replaced its output directory");
    return false;
}

static void judge(struct command_task *t, const struct work_dir *dir, struct conversation *c,
                  enum conversation_end end)
{
    int status = t->state->program.status;
    if (end == TALK_STOPPED)
        run_fail(t->outcome, RUN_STOPPED, "stopped", "the task was asked to stop");
    else if (end == TALK_TOO_LONG)
        run_fail(t->outcome, RUN_FAILED_FINAL, "result_too_long",
                 "the program wrote more than %lld bytes to its standard output", (long long)c->max);
    else if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        command_ended_badly(t, status, c->log.last);
    else if (command_take_result(t, c->output.len ? c->output.data : "", c->output.len) &&
             (!command_max_files(t->def) || take_files(t, dir)))
        run_succeed(t->outcome);
}

void command_exec(struct command_task *t)
{
    struct program *program = &t->state->program;
    struct arena *arena = run_arena(t->run);
    struct conversation c = {
        .run = t->run,
        .program = program,
        .input = t->data.data,
        .input_len = t->data.len,
        .output = BUF_INIT,
        .max = t->def->max_result_bytes,
    };
    struct work_dir dir = WORK_DIR_INIT;
    struct error e = {0};
    bool files = command_max_files(t->def) > 0;
    c.dir = &dir;
    if (files ? make_two_directories(t, &dir) : command_make_directory(t, &dir))
        goto out;
    const char *path = arena_printf(arena, "%s/tmp/%s", t->state->place.directory, dir.name);
    const char *output = files ? arena_printf(arena, "%s/%s", path, output_name) : NULL;
    const char *scratch = files ? arena_printf(arena, "%s/%s", path, scratch_name) : path;
    char *const *envp = command_environment(t, true, output, scratch);
    if (program_start(t->def, &t->state->account, envp, output, program, &e)) {
        run_fail(t->outcome, RUN_FAILED, "not_started", "%s", e.text);
        goto out;
    }
    judge(t, &dir, &c, conversation_run(&c, t->def->max_log_bytes));

out:
    program_stop(program, 0);
    work_dir_remove(&dir);
    buf_free(&c.output);
}
