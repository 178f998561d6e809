/* SPDX-License-Identifier: MIT */
/* command.c: the site's own programs as task types, and the data that they are given. Does not run them. */
#include "task/command.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "param.h"
#include "task/run.h"
#include "task/validate.h"

void command_type(const struct command_def *def, struct task_type *out)
{
    *out = (struct task_type){
        .name = def->name,
        .title = def->title ? def->title : def->name,
        .description = def->description ? def->description : "Runs a program of this site.",
        .payload = def->any_data ? PAYLOAD_ANY : PAYLOAD_PARAMS,
        .role = def->role == ROLE_ADMIN ? "admin" : NULL,
        .postable = true,
        .on_by_default = true,
        .params = def->params,
        .param_count = def->param_count,
        .command = def,
    };
}

int64_t command_max_files(const struct command_def *def)
{
    if (def->max_files != SETTING_UNSET)
        return def->max_files;
    return def->mode == COMMAND_PERSISTENT ? 0 : RUN_FILES_MAX;
}

/* Warns where the account that runs C may not do MODE with PATH; that of a runner that stays root is C's own. */
static void warn_of_path(const struct settings *s, const struct command_def *c, const void *field, const char *path,
                         int mode, const char *what, struct settings_report *report)
{
    const char *user = s->runner.user ? s->runner.user : c->user;
    int fault = process_access_as(user, path, mode), line = settings_line(s, field);
    if (!user || geteuid() != 0)
        user = "this account";
    if (fault)
        settings_warning(report, s->path, line ? line : c->line,
                         "command \"%s\": %s cannot be %s by %s: %s: the runner must be able to", c->name, path, what,
                         user, strerror(fault));
}

/* Is an argument the path of a file that is there? Of a script, say: its interpreter has to read it. */
static bool is_file(const char *argument)
{
    return *argument == '/' && access(argument, F_OK) == 0;
}

void commands_warn(const struct settings *s, struct settings_report *report)
{
    for (size_t i = 0; i < s->command_count; i++) {
        const struct command_def *c = &s->commands[i];
        const char *const *argv = c->argv.items;
        warn_of_path(s, c, &c->argv, argv[0], X_OK, "executed", report);
        for (size_t k = 1; k < c->argv.count; k++)
            if (is_file(argv[k]))
                warn_of_path(s, c, &c->argv, argv[k], R_OK, "read", report);
        warn_of_path(s, c, &c->directory, c->directory, X_OK, "entered", report);
    }
}

static void warn_of_account(const struct settings *s, const char *const *user, const char *section,
                            struct settings_report *report)
{
    if (*user && !getpwnam(*user))
        settings_warning(report, s->path, settings_line(s, user),
                         "%s user: there is no account %s on this host: a taskrunner does not start here", section,
                         *user);
}

void accounts_warn(const struct settings *s, struct settings_report *report)
{
    warn_of_account(s, &s->runner.user, "runner", report);
    for (size_t i = 0; i < s->command_count; i++) {
        struct buf section = BUF_INIT;
        buf_addf(&section, "command \"%s\"", s->commands[i].name);
        warn_of_account(s, &s->commands[i].user, buf_str(&section), report);
        buf_free(&section);
    }
}

int commands_check_accounts(const struct settings *s, struct error *e)
{
    for (size_t i = 0; i < s->command_count; i++) {
        const struct command_def *c = &s->commands[i];
        if (!c->user)
            continue;
        int line = settings_line(s, &c->user);
        errno = 0;
        const struct passwd *account = getpwnam(c->user);
        if (!account)
            return error_set(e, ERR_INVALID, "%s:%d: command \"%s\" user: there is no account %s",
                             s->path, line, c->name, c->user);
        if (geteuid() != 0 && account->pw_uid != geteuid())
            return error_set(e, ERR_DENIED,
                             "%s:%d: command \"%s\" user: the runner is not root and cannot become %s: "
                             "start it as root without runner user, or take this setting away",
                             s->path, line, c->name, c->user);
    }
    return 0;
}

/* Line breaks within valid JSON are white space between its parts. */
static void add_line(struct buf *out, const char *json, size_t len)
{
    size_t at = out->len;
    buf_add(out, json, len);
    for (; !out->err && at < out->len; at++)
        if (out->data[at] == '\n' || out->data[at] == '\r')
            out->data[at] = ' ';
}

static bool is_null(const char *json, size_t len)
{
    size_t begin = 0;
    while (begin < len && strchr(" \t\r\n", json[begin]))
        begin++;
    return begin < len && json[begin] == 'n';
}

int command_payload(const struct catalogue *c, const struct task_type *type, const char *data,
                    size_t len, struct arena *arena, struct buf *out, struct error *e)
{
    struct bound_params values;
    int rc = task_bind(c, type, data, len, arena, &values, e);
    if (rc)
        return rc;
    if (type->payload == PAYLOAD_ANY && !is_null(data, len)) {
        add_line(out, data, len);
        return 0;
    }
    bool first = true;
    buf_addc(out, '{');
    for (size_t i = 0; i < values.count; i++) {
        if (values.items[i].is_null)
            continue;
        if (!first)
            buf_addc(out, ',');
        first = false;
        buf_json_s(out, values.items[i].name);
        buf_addc(out, ':');
        param_json(&values.items[i], out);
    }
    buf_addc(out, '}');
    return 0;
}
