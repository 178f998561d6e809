/* SPDX-License-Identifier: MIT */
/* command.c: the site's own programs as task types, and the data that they are given. Does not run them. */
#include "task/command.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

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
        .role = def->role == COMMAND_ADMIN ? "admin" : NULL,
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

void commands_warn(const struct settings *s, struct settings_report *report)
{
    for (size_t i = 0; i < s->command_count; i++) {
        const struct command_def *c = &s->commands[i];
        if (access(c->argv.items[0], X_OK) != 0)
            settings_warning(report, s->path, settings_line(s, &c->argv),
                             "command \"%s\": %s cannot be executed: %s: the runner must be able to",
                             c->name, c->argv.items[0], strerror(errno));
        if (access(c->directory, X_OK) != 0)
            settings_warning(report, s->path,
                             settings_line(s, &c->directory) ? settings_line(s, &c->directory) : c->line,
                             "command \"%s\": its directory %s cannot be entered: %s", c->name,
                             c->directory, strerror(errno));
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
