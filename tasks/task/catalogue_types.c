/* SPDX-License-Identifier: MIT */
/* catalogue_types.c: which types are offered: the built-in ones, and the site's own programs. */
#include <string.h>

#include "base/log.h"
#include "catalogue_impl.h"
#include "task/command.h"

static bool is_enabled(const struct settings *s, const struct task_type *type)
{
    const struct type_def *def = settings_type(s, type->name);
    if (type->payload == PAYLOAD_BACKUP && !s->backup_count)
        return false; /* there is nothing to back up */
    if (type->payload == PAYLOAD_REQUEST && !s->site_count)
        return false; /* nor to replay */
    if (!def || def->enabled == TYPE_AUTO)
        return type->on_by_default;
    return def->enabled == TYPE_ENABLED;
}

/* The parameter that names a configured backup. */
static const struct param_def *backup_param(const struct catalogue *c, const struct param_def *row)
{
    const struct settings *s = c->settings;
    struct param_def *def = arena_alloc(c->arena, sizeof *def);
    const char **names = arena_calloc(c->arena, s->backup_count, sizeof *names);
    *def = *row;
    for (size_t i = 0; i < s->backup_count; i++) {
        names[i] = s->backups[i].name;
        if (s->backups[i].is_default || s->backup_count == 1)
            def->default_text = s->backups[i].name;
    }
    def->values = (struct str_list){names, s->backup_count};
    def->required = !def->default_text;
    return def;
}

/* Prepares the parameters of TYPE. Those of a built-in type have no faults; a command's go to REPORT. */
static void offer_type(struct catalogue *c, const struct task_type *type,
                       struct settings_report *report)
{
    if (!is_enabled(c->settings, type) && !type->command)
        return;
    struct offered_type *o = &c->types[c->type_count];
    o->type = type;
    o->params = arena_calloc(c->arena, type->param_count + 1, sizeof *o->params);
    const struct param_def *params =
        type->payload == PAYLOAD_BACKUP ? backup_param(c, type->params) : type->params;
    o->param_count = params_prepare(c, type->command ? "command" : NULL, type->name, params,
                                    type->param_count, o->params, report);
    if (is_enabled(c->settings, type))
        c->type_count++;
    else
        params_release(o->params, o->param_count);
}

void catalogue_offer_types(struct catalogue *c, struct settings_report *report)
{
    const struct settings *s = c->settings;
    c->types = arena_calloc(c->arena, task_type_count + s->command_count + 1, sizeof *c->types);
    for (size_t i = 0; i < task_type_count; i++)
        offer_type(c, &task_types[i], report);
    c->commands = arena_calloc(c->arena, s->command_count + 1, sizeof *c->commands);
    for (size_t i = 0; i < s->command_count; i++) {
        const struct command_def *def = &s->commands[i];
        if (task_type_find(def->name)) {
            settings_error(report, s->path, def->line,
                           "command \"%s\": this task type is built in: choose another name",
                           def->name);
            continue;
        }
        struct task_type *type = &c->commands[c->command_count++];
        command_type(def, type);
        offer_type(c, type, report);
    }
}

static bool is_known(const struct settings *s, const char *type)
{
    return task_type_find(type) || settings_command(s, type);
}

static void add_type_names(const struct settings *s, struct buf *out)
{
    for (size_t i = 0; i < task_type_count; i++)
        buf_addf(out, "%s%s", i ? ", " : "", task_types[i].name);
    for (size_t i = 0; i < s->command_count; i++)
        buf_addf(out, ", %s", s->commands[i].name);
}

void catalogue_check_types(const struct settings *s, struct settings_report *report)
{
    struct buf known = BUF_INIT;
    add_type_names(s, &known);
    for (size_t i = 0; i < s->type_count; i++)
        if (!is_known(s, s->types[i].name))
            settings_error(report, s->path, s->types[i].line,
                           "there is no task type \"%.60s\": known are %s", s->types[i].name,
                           buf_str(&known));
    for (size_t i = 0; i < s->runner.types.count; i++)
        if (!is_known(s, s->runner.types.items[i]))
            settings_error(report, s->path, settings_line(s, &s->runner.types),
                           "runner types: there is no task type \"%.60s\": known are %s",
                           s->runner.types.items[i], buf_str(&known));
    buf_free(&known);
}
