/* SPDX-License-Identifier: MIT */
/* catalogue.c: makes the catalogue from the settings and reports what is wrong with types, exports,
 * queries and parameters; finds things in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "catalogue_impl.h"
#include "param.h"
#include "task/command.h"

/* --- parameters ------------------------------------------------------------------------------- */

const struct param *params_find(const struct param *params, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(params[i].def->name, name) == 0)
            return &params[i];
    return NULL;
}

bool params_any_required(const struct param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].def->required)
            return true;
    return false;
}

static void params_release(struct param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].pattern)
            regfree(params[i].pattern);
}

static const void *part_field(const struct param_def *def, enum param_part part)
{
    switch (part) {
    case PART_MIN:
        return &def->min;
    case PART_MAX:
        return &def->max;
    case PART_DEFAULT:
        return &def->default_text;
    case PART_PATTERN:
        return &def->pattern;
    case PART_OTHER:
        break;
    }
    return def;
}

/* Prepares DEFS into OUT (room for all) and returns how many are good. Faults of SECTION "NAME" go to
 * REPORT; SECTION NULL: they stand in this build, where a fault is a bug. */
static size_t prepare_params(struct catalogue *c, const char *section, const char *name,
                             const struct param_def *defs, size_t count, struct param *out,
                             struct settings_report *report)
{
    const struct settings *s = c->settings;
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        struct error e = {0};
        enum param_part part;
        if (!param_prepare(&defs[i], c->arena, &out[good], &part, &e)) {
            good++;
            continue;
        }
        if (!section)
            log_bug("type %s, parameter %s: %s", name, defs[i].name, e.text);
        int line = settings_line(s, part_field(&defs[i], part));
        settings_error(report, s->path, line ? line : defs[i].line, "%s \"%s\" param \"%s\": %s",
                       section, name, defs[i].name, e.text);
    }
    return good;
}

/* --- types ------------------------------------------------------------------------------------ */

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
    o->param_count = prepare_params(c, type->command ? "command" : NULL, type->name, params,
                                    type->param_count, o->params, report);
    if (is_enabled(c->settings, type))
        c->type_count++;
    else
        params_release(o->params, o->param_count);
}

static void offer_types(struct catalogue *c, struct settings_report *report)
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

static void check_types(const struct settings *s, struct settings_report *report)
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

/* --- exports ---------------------------------------------------------------------------------- */

/* Where a multi-line value begins: the settings know the line where it ends. */
static int first_line(const struct settings *s, const char *const *field)
{
    int line = settings_line(s, field);
    for (const char *p = *field; *p; p++)
        line -= *p == '\n';
    return line;
}

/* Every parameter of the query is declared, every declared one used, and :owner is there. */
static void check_names(const struct settings *s, const struct export *x,
                        struct settings_report *report)
{
    const struct export_def *def = x->def;
    int line = first_line(s, &def->query);
    if (def->owned && !query_uses(&x->query, "owner"))
        settings_error(report, s->path, line,
                       "export \"%s\": its query does not use :owner, so that everybody would get "
                       "all rows: add a condition such as owner_id = :owner, or set owned = no",
                       def->name);
    for (size_t i = 0; i < x->query.count; i++) {
        const char *name = x->query.names[i];
        bool declared = strcmp(name, "owner") == 0;
        for (size_t k = 0; k < def->param_count; k++)
            declared |= strcmp(def->params[k].name, name) == 0;
        for (size_t k = 0; k < i; k++) /* said already */
            declared |= strcmp(x->query.names[k], name) == 0;
        if (!declared)
            settings_error(report, s->path, line,
                           "export \"%s\": its query uses :%s, which is not declared: add param "
                           "\"%s\" { type = ... }",
                           def->name, name, name);
    }
    for (size_t i = 0; i < def->param_count; i++)
        if (!query_uses(&x->query, def->params[i].name))
            settings_error(report, s->path, def->params[i].line,
                           "export \"%s\": its query does not use param \"%s\": put :%s into it, "
                           "or take the param away",
                           def->name, def->params[i].name, def->params[i].name);
}

static void check_formats(const struct settings *s, const struct export_def *def,
                          struct settings_report *report)
{
    for (size_t i = 0; i < def->formats.count; i++) {
        bool known = false;
        for (size_t k = 0; k < task_type_count; k++)
            known |= task_types[k].format &&
                     strcmp(task_types[k].format, def->formats.items[i]) == 0;
        if (!known)
            settings_error(report, s->path, settings_line(s, &def->formats),
                           "export \"%s\": there is no format \"%.60s\": see taskctl types",
                           def->name, def->formats.items[i]);
    }
}

/* Several connections need pieces to read, and no two of them have the same read view. */
static void check_connections(const struct settings *s, const struct export_def *def,
                              struct settings_report *report)
{
    if (def->connections < 2 || (def->key.count && !def->snapshot))
        return;
    settings_error(report, s->path, settings_line(s, &def->connections),
                   "export \"%s\": %s: %s, or set connections = 1", def->name,
                   def->key.count ? "a snapshot cannot be read over several connections"
                                  : "without a key one connection reads everything",
                   def->key.count ? "take the snapshot away" : "add key = {...}");
}

static void prepare_export(struct catalogue *c, const struct export_def *def, struct export *x,
                           struct settings_report *report)
{
    const struct settings *s = c->settings;
    struct error e = {0};
    x->def = def;
    x->source = settings_export_source(s, def);
    x->params = arena_calloc(c->arena, def->param_count + 1, sizeof *x->params);
    x->param_count = prepare_params(c, "export", def->name, def->params, def->param_count, x->params,
                                    report);
    check_formats(s, def, report);
    check_connections(s, def, report);
    if (query_parse(def->query, strlen(def->query), c->arena, &x->query, &e))
        settings_error(report, s->path, first_line(s, &def->query) + x->query.line - 1,
                       "export \"%s\" query: %s", def->name, e.text);
    else
        check_names(s, x, report);
}

/* --- making and freeing ----------------------------------------------------------------------- */

int catalogue_create(const struct settings *s, struct catalogue **out,
                     struct settings_report *report)
{
    int before = report->errors;
    struct catalogue *c = xcalloc(1, sizeof *c);
    c->settings = s;
    c->arena = arena_create();
    check_types(s, report);
    offer_types(c, report);
    c->exports = arena_calloc(c->arena, s->export_count + 1, sizeof *c->exports);
    for (; c->export_count < s->export_count; c->export_count++)
        prepare_export(c, &s->exports[c->export_count], &c->exports[c->export_count], report);
    c->imports = arena_calloc(c->arena, s->import_count + 1, sizeof *c->imports);
    for (; c->import_count < s->import_count; c->import_count++) {
        const struct import_def *def = &s->imports[c->import_count];
        c->imports[c->import_count] = (struct import){def, settings_source(s, def->target)};
    }
    if (report->errors > before) {
        catalogue_free(&c);
        return ERR_INVALID;
    }
    *out = c;
    return 0;
}

int catalogue_load(const char *path, struct settings **settings, struct catalogue **out,
                   struct error *e)
{
    struct settings *s = NULL;
    int rc = settings_load(path, &s, e);
    if (rc)
        return rc;
    struct settings_report report = SETTINGS_REPORT_INIT;
    rc = catalogue_create(s, out, &report);
    if (rc) {
        error_set(e, (enum err)rc, "%s", report.first.text);
        settings_free(&s);
    }
    settings_report_free(&report);
    *settings = s;
    return rc;
}

/* Passwords that this user cannot read; perhaps the program that needs them can. */
static void warn_of_passwords(const struct settings *s, struct settings_report *report)
{
    for (size_t i = 0; i < s->account_count; i++)
        if (s->accounts[i].password_fault)
            settings_warning(report, s->path, settings_line(s, &s->accounts[i].password_file),
                             "account \"%s\" password_file: %s: the program that uses this account "
                             "must be able to read it",
                             s->accounts[i].name, s->accounts[i].password_fault);
    for (size_t i = 0; i < s->source_count; i++)
        if (s->sources[i].password_fault)
            settings_warning(report, s->path, settings_line(s, &s->sources[i].password_file),
                             "source \"%s\" password_file: %s: the runner must be able to read it",
                             s->sources[i].name, s->sources[i].password_fault);
    for (size_t i = 0; i < s->backup_count; i++)
        if (s->backups[i].password_fault)
            settings_warning(report, s->path, settings_line(s, &s->backups[i].password_file),
                             "backup \"%s\" password_file: %s: the runner must be able to read it",
                             s->backups[i].name, s->backups[i].password_fault);
    if (s->defer_key_fault)
        settings_warning(report, s->path, settings_line(s, &s->defer.key_file),
                         "defer key_file: %s: API and runner must be able to read %s, made by openssl rand -hex 32",
                         s->defer_key_fault, s->defer.key_file);
}

int catalogue_check(const char *path, struct settings_report *report)
{
    struct settings *s = NULL;
    struct catalogue *c = NULL;
    int rc = settings_load_report(path, &s, report);
    if (!rc) {
        rc = catalogue_create(s, &c, report);
        warn_of_passwords(s, report);
        commands_warn(s, report);
    }
    catalogue_free(&c);
    settings_free(&s);
    return rc;
}

void catalogue_free(struct catalogue **c)
{
    if (!*c)
        return;
    for (size_t i = 0; i < (*c)->type_count; i++)
        params_release((*c)->types[i].params, (*c)->types[i].param_count);
    for (size_t i = 0; i < (*c)->export_count; i++)
        params_release((*c)->exports[i].params, (*c)->exports[i].param_count);
    arena_destroy(&(*c)->arena);
    free(*c);
    *c = NULL;
}

/* --- looking things up ------------------------------------------------------------------------ */

const struct settings *catalogue_settings(const struct catalogue *c)
{
    return c->settings;
}

size_t catalogue_type_count(const struct catalogue *c)
{
    return c->type_count;
}

const struct task_type *catalogue_type_at(const struct catalogue *c, size_t index)
{
    return c->types[index].type;
}

static const struct offered_type *find_type(const struct catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->type_count; i++)
        if (strcmp(c->types[i].type->name, name) == 0)
            return &c->types[i];
    return NULL;
}

const struct task_type *catalogue_type(const struct catalogue *c, const char *name)
{
    const struct offered_type *o = find_type(c, name);
    return o ? o->type : NULL;
}

const struct task_type *catalogue_known_type(const struct catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (strcmp(c->commands[i].name, name) == 0)
            return &c->commands[i];
    return task_type_find(name);
}

const struct param *catalogue_type_params(const struct catalogue *c, const struct task_type *type,
                                          size_t *count)
{
    const struct offered_type *o = find_type(c, type->name);
    *count = o ? type->param_count : 0;
    return o ? o->params : NULL;
}

const struct export *catalogue_export(const struct catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->export_count; i++)
        if (strcmp(c->exports[i].def->name, name) == 0)
            return &c->exports[i];
    return NULL;
}

bool export_allows(const struct export *x, const struct task_type *type)
{
    const struct str_list *formats = &x->def->formats;
    return type->payload == PAYLOAD_EXPORT &&
           (!formats->count || str_list_has(formats, type->format));
}

const struct export *catalogue_default_export(const struct catalogue *c,
                                              const struct task_type *type)
{
    const struct export *only = NULL;
    size_t allowed = 0;
    for (size_t i = 0; i < c->export_count; i++) {
        if (!export_allows(&c->exports[i], type))
            continue;
        if (c->exports[i].def->is_default)
            return &c->exports[i];
        only = &c->exports[i];
        allowed++;
    }
    return allowed == 1 ? only : NULL;
}

const struct import *catalogue_import(const struct catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->import_count; i++)
        if (strcmp(c->imports[i].def->name, name) == 0)
            return &c->imports[i];
    return NULL;
}

const struct import *catalogue_default_import(const struct catalogue *c)
{
    for (size_t i = 0; i < c->import_count; i++)
        if (c->imports[i].def->is_default)
            return &c->imports[i];
    return c->import_count == 1 ? &c->imports[0] : NULL;
}

void backup_series(const char *name, char out[RESULT_SERIES_SIZE])
{
    snprintf(out, RESULT_SERIES_SIZE, "backup:%s", name);
}
