/* SPDX-License-Identifier: MIT */
/* settings_command.c: the rules for sections command: names, paths, variables, exit statuses. */
#include <stdlib.h>
#include <string.h>

#include "settings_impl.h"

/* What a runner says of itself in the database has room for the names of so many. */
enum { COMMANDS_MAX = 500 };

#define FAULT(field, ...) settings_error(report, s->path, settings_line(s, field), __VA_ARGS__)

static void check_names(const struct settings *s, const struct command_def *c,
                        struct settings_report *report)
{
    settings_check_name(s, "command", c->name, c->line, report);
    for (size_t i = 0; i < c->param_count; i++)
        (void)settings_check_param_name(s, &c->params[i], report);
    if (c->any_data && c->param_count)
        FAULT(&c->any_data,
              "command \"%s\": any_data and param exclude each other: keep one of them", c->name);
}

static void check_variables(const struct settings *s, const struct command_def *c,
                            struct settings_report *report)
{
    static const char own[] = "BACKDESK_";
    for (size_t i = 0; i < c->env.count; i++) {
        const char *entry = c->env.items[i];
        size_t length = setting_identifier(entry);
        if (!length || entry[length] != '=')
            FAULT(&c->env, "command \"%s\" env: \"%.60s\" is not NAME=value", c->name, entry);
        else if (strncmp(entry, own, sizeof own - 1) == 0)
            FAULT(&c->env, "command \"%s\" env: names that begin with %s are Backdesk's own",
                  c->name, own);
    }
    for (size_t i = 0; i < c->pass_env.count; i++) {
        const char *name = c->pass_env.items[i];
        size_t length = setting_identifier(name);
        if (!length || name[length] || strncmp(name, own, sizeof own - 1) == 0)
            FAULT(&c->pass_env, "command \"%s\" pass_env: \"%.60s\" is no name of a variable to "
                                "take over",
                  c->name, name);
    }
}

static void check_exit_codes(const struct settings *s, const struct command_def *c,
                             struct settings_report *report)
{
    for (size_t i = 0; i < c->retry_exit_codes.count; i++) {
        const char *text = c->retry_exit_codes.items[i];
        int code = atoi(text);
        if (strspn(text, "0123456789") != strlen(text) || *text == '0' || code < 1 || code > 255)
            FAULT(&c->retry_exit_codes,
                  "command \"%s\" retry_exit_codes: \"%.20s\" is no exit status from 1 to 255",
                  c->name, text);
    }
}

static void check_program(const struct settings *s, const struct command_def *c,
                          struct settings_report *report)
{
    if (c->argv.items[0][0] != '/')
        FAULT(&c->argv, "command \"%s\" argv: \"%.60s\" must be the absolute path of a program",
              c->name, c->argv.items[0]);
    if (c->directory[0] != '/')
        FAULT(&c->directory, "command \"%s\" directory: \"%.60s\" must be an absolute path",
              c->name, c->directory);
    if (c->user && s->runner.user && strcmp(c->user, s->runner.user) != 0)
        FAULT(&c->user, "command \"%s\" user: a runner that becomes %s (runner user) cannot become "
                        "%s: take one of them away",
              c->name, s->runner.user, c->user);
}

void settings_check_commands(const struct settings *s, struct settings_report *report)
{
    if (s->command_count > COMMANDS_MAX)
        settings_error(report, s->path, s->commands[COMMANDS_MAX].line,
                       "there are more than %d commands", COMMANDS_MAX);
    for (size_t i = 0; i < s->command_count; i++) {
        const struct command_def *c = &s->commands[i];
        check_names(s, c, report);
        check_program(s, c, report);
        check_variables(s, c, report);
        check_exit_codes(s, c, report);
    }
}
