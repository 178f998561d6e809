/* SPDX-License-Identifier: MIT */
/* command_persistent.c: many tasks for one program, each a line to it and a line from it. It is replaced
 * when it has ended, has done its number of tasks, or no longer keeps to the order of question and answer. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "command_impl.h"
#include "conversation.h"
#include "task/command.h"

enum {
    RETIRE_MS = 2000, /* how long a program whose time has come may take to end when its input does */
    EXCERPT = 200,    /* bytes of an answer that is none, for the log */
};

/* --- the program ------------------------------------------------------------------------------------ */

static int make_ready(struct command_task *t)
{
    struct command_state *s = t->state;
    struct error e = {0};
    if (t->def->max_tasks && s->tasks >= t->def->max_tasks)
        program_stop(&s->program, RETIRE_MS);
    else if (s->program.running && conversation_settle(&s->program, t->def->name))
        return 0;
    program_stop(&s->program, 0);
    s->tasks = 0;
    if (program_start(t->def, &s->account, command_environment(t, false, NULL, NULL), NULL, &s->program, &e))
        return run_fail(t->outcome, RUN_FAILED, "not_started", "%s", e.text);
    return 0;
}

/* --- question and answer ------------------------------------------------------------------------------- */

static void put_question(struct command_task *t, const char *output, struct buf *b)
{
    const struct run_task *task = run_task(t->run);
    buf_addf(b, "{\"id\":%llu,\"attempt\":%u,\"created_by\":%lld,\"type\":", (unsigned long long)task->id,
             task->attempt, (long long)task->created_by);
    buf_json_s(b, t->def->name);
    buf_adds(b, ",\"idempotency_key\":");
    buf_json_s(b, t->key);
    buf_adds(b, ",\"output_dir\":");
    buf_json_s(b, output);
    buf_adds(b, ",\"data\":");
    buf_add(b, t->data.data, t->data.len);
    buf_adds(b, "}\n");
}

/* A code as ours are, else one for all. */
static const char *error_code(struct json_object *error)
{
    struct json_object *code;
    const char *text = json_object_object_get_ex(error, "code", &code) && json_object_is_type(code, json_type_string)
                           ? json_object_get_string(code)
                           : "";
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return len && !text[len] && len < RUN_CODE_SIZE ? text : "program_failed";
}

static void take_error(struct command_task *t, struct json_object *error, bool retry)
{
    struct json_object *message;
    const char *text = json_object_object_get_ex(error, "message", &message) &&
                               json_object_is_type(message, json_type_string)
                           ? json_object_get_string(message)
                           : "the program says that the task has failed";
    run_fail(t->outcome, retry ? RUN_FAILED : RUN_FAILED_FINAL, error_code(error), "%s", text);
}

enum answer { ANSWER_RESULT, ANSWER_ERROR, ANSWER_NONSENSE };

/* The answer is none: the reason is the task's error, and what the program wrote stands in its log. */
PRINTF_LIKE(3, 4)
static enum answer nonsense(struct command_task *t, const struct conversation *c, const char *fmt, ...)
{
    char reason[RUN_MESSAGE_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    size_t len = c->output.len - 1; /* without the end of the line */
    run_fail(t->outcome, RUN_FAILED_FINAL, "invalid_result", "the program's answer is none: %s", reason);
    run_log(t->run, "it answered: %.*s", (int)(len < EXCERPT ? len : EXCERPT), c->output.data);
    return ANSWER_NONSENSE;
}

static enum answer take_members(struct command_task *t, const struct conversation *c, struct json_object *answer)
{
    struct json_object *id, *value, *retry = NULL;
    unsigned long long asked = run_task(t->run)->id;
    if (!json_object_is_type(answer, json_type_object))
        return nonsense(t, c, "it must be an object with result or error");
    if (json_object_object_get_ex(answer, "id", &id) &&
        (!json_object_is_type(id, json_type_int) || json_object_get_uint64(id) != asked))
        return nonsense(t, c, "its id is %s, the task's is %llu", json_object_to_json_string(id), asked);
    if (json_object_object_get_ex(answer, "error", &value) && value) {
        if (!json_object_is_type(value, json_type_object))
            return nonsense(t, c, "its error must be an object with code and message");
        json_object_object_get_ex(answer, "retry", &retry);
        take_error(t, value, json_object_get_boolean(retry));
        return ANSWER_ERROR;
    }
    if (!json_object_object_get_ex(answer, "result", &value))
        return nonsense(t, c, "it has neither result nor error");
    buf_clear(&t->outcome->result);
    if (value)
        buf_adds(&t->outcome->result,
                 json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    return ANSWER_RESULT;
}

static enum answer take_answer(struct command_task *t, const struct conversation *c)
{
    const struct buf *output = &c->output;
    const char *end = memchr(output->data, '\n', output->len);
    struct json_object *json;
    struct error e = {0};
    if (c->input_len)
        return nonsense(t, c, "it came before the program had read the whole question");
    if ((size_t)(end - output->data) + 1 != output->len)
        return nonsense(t, c, "it has more than one line");
    if (json_parse(output->data, output->len, &json, &e))
        return nonsense(t, c, "it is no JSON: %s", e.text);
    enum answer answer = take_members(t, c, json);
    json_object_put(json);
    return answer;
}

/* --- the task -------------------------------------------------------------------------------------------- */

/* Mostly there are none. The program lives on and may still write: they are copied. */
static bool take_files(struct command_task *t, struct work_dir *dir)
{
    if (work_dir_remove_empty(dir))
        return true;
    int fd = work_dir_open(dir, NULL);
    if (fd >= 0)
        return command_take_files(t, fd, false);
    run_fail(t->outcome, RUN_FAILED_FINAL, "invalid_file", "the program has replaced its output directory");
    return false;
}

/* What the task has come to. False where the program cannot be asked again. */
static bool judge(struct command_task *t, struct work_dir *dir, struct conversation *c,
                  enum conversation_end end)
{
    int status = t->state->program.status;
    switch (end) {
    case TALK_STOPPED:
        run_fail(t->outcome, RUN_STOPPED, "stopped", "the task was asked to stop");
        return false;
    case TALK_TOO_LONG:
        run_fail(t->outcome, RUN_FAILED_FINAL, "result_too_long",
                 "the program answered with more than %lld bytes", (long long)c->max);
        return false;
    case TALK_ENDED:
        if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            run_fail(t->outcome, RUN_FAILED, "no_answer", "the program ended without an answer");
        else
            command_ended_badly(t, status, c->log.last);
        return false;
    case TALK_ANSWERED:
        break;
    }
    switch (take_answer(t, c)) {
    case ANSWER_NONSENSE:
        return false;
    case ANSWER_ERROR:
        return true;
    case ANSWER_RESULT:
        break;
    }
    if (take_files(t, dir))
        run_succeed(t->outcome);
    return true;
}

void command_persistent(struct command_task *t)
{
    struct command_state *s = t->state;
    struct conversation c = {
        .run = t->run,
        .program = &s->program,
        .by_line = true,
        .output = BUF_INIT,
        .max = t->def->max_result_bytes,
    };
    struct work_dir dir = WORK_DIR_INIT;
    struct buf question = BUF_INIT;
    const char *path = NULL;
    if (make_ready(t) || (command_max_files(t->def) && command_make_directory(t, &dir)))
        goto out;
    if (dir.place) {
        path = arena_printf(run_arena(t->run), "%s/tmp/%s", s->place.directory, dir.name);
        c.dir = &dir;
    }
    put_question(t, path, &question);
    c.input = question.data;
    c.input_len = question.len;
    s->tasks++;
    if (!judge(t, &dir, &c, conversation_run(&c, t->def->max_log_bytes)))
        program_stop(&s->program, 0);

out:
    work_dir_remove(&dir);
    buf_free(&question);
    buf_free(&c.output);
}
