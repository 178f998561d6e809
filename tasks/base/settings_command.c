/* SPDX-License-Identifier: MIT */
/* settings_command.c: the rules for sections command: names, paths, variables, exit statuses. */
#include <stdlib.h>
#include <string.h>

#include "settings_impl.h"

/* What a runner says of itself in the database has room for the names of so many. */
enum { COMMANDS_MAX = 500, NAME_MAX_LENGTH = 64 };

#define FAULT(field, ...) settings_error(report, s->path, settings_line(s, field), __VA_ARGS__)

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* The length of the name that TEXT begins with: letters, digits and _, not beginning with a digit. */
static size_t identifier(const char *text)
{
    return strchr(DIGITS, *text) ? 0 : strspn(text, LETTERS DIGITS "_");
}

static void check_names(const struct settings *s, const struct command_def *c,
                        struct settings_report *report)
{
    size_t len = strlen(c->name);
    if (len < 1 || len > NAME_MAX_LENGTH || strspn(c->name, LETTERS DIGITS "_-") != len)
        settings_error(report, s->path, c->line,
                       "command \"%.60s\": a name is made of 1 to 64 letters, digits, _ and -",
                       c->name);
    for (size_t i = 0; i < c->param_count; i++) {
        const char *name = c->params[i].name;
        size_t length = identifier(name);
        if (!length || name[length] || length > NAME_MAX_LENGTH)
            settings_error(report, s->path, c->params[i].line,
                           "param \"%.60s\": its name is made of 1 to 64 letters, digits and _, "
                           "not beginning with a digit",
                           name);
    }
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
        size_t length = identifier(entry);
        if (!length || entry[length] != '=')
            FAULT(&c->env, "command \"%s\" env: \"%.60s\" is not NAME=value", c->name, entry);
        else if (strncmp(entry, own, sizeof own - 1) == 0)
            FAULT(&c->env, "command \"%s\" env: names that begin with %s are Backdesk's own",
                  c->name, own);
    }
    for (size_t i = 0; i < c->pass_env.count; i++) {
        const char *name = c->pass_env.items[i];
        size_t length = identifier(name);
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
        if (strspn(text, DIGITS) != strlen(text) || *text == '0' || code < 1 || code > 255)
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
