/* SPDX-License-Identifier: MIT */
/* catalogue.c: makes the catalogue from the settings and reports what is wrong with types, exports,
 * queries and parameters; finds things in it. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "catalogue_impl.h"
#include "param.h"

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

/* --- types ------------------------------------------------------------------------------------ */

static bool is_enabled(const struct settings *s, const struct task_type *type)
{
    const struct type_def *def = settings_type(s, type->name);
    if (!def || def->enabled == TYPE_AUTO)
        return type->on_by_default;
    return def->enabled == TYPE_ENABLED;
}

static void offer_types(struct catalogue *c)
{
    c->types = arena_calloc(c->arena, task_type_count, sizeof *c->types);
    for (size_t i = 0; i < task_type_count; i++) {
        const struct task_type *type = &task_types[i];
        if (!is_enabled(c->settings, type))
            continue;
        struct offered_type *o = &c->types[c->type_count++];
        o->type = type;
        o->params = arena_calloc(c->arena, type->param_count + 1, sizeof *o->params);
        for (size_t k = 0; k < type->param_count; k++) {
            struct error e = {0};
            enum param_part part;
            if (param_prepare(&type->params[k], c->arena, &o->params[k], &part, &e))
                log_bug("type %s, parameter %s: %s", type->name, type->params[k].name, e.text);
        }
    }
}

static void add_type_names(struct buf *out)
{
    for (size_t i = 0; i < task_type_count; i++)
        buf_addf(out, "%s%s", i ? ", " : "", task_types[i].name);
}

static void check_types(const struct settings *s, struct settings_report *report)
{
    struct buf known = BUF_INIT;
    add_type_names(&known);
    for (size_t i = 0; i < s->type_count; i++)
        if (!task_type_find(s->types[i].name))
            settings_error(report, s->path, s->types[i].line,
                           "there is no task type \"%.60s\": known are %s", s->types[i].name,
                           buf_str(&known));
    for (size_t i = 0; i < s->runner.types.count; i++)
        if (!task_type_find(s->runner.types.items[i]))
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

static void prepare_params(struct catalogue *c, struct export *x, struct settings_report *report)
{
    const struct settings *s = c->settings;
    x->params = arena_calloc(c->arena, x->def->param_count + 1, sizeof *x->params);
    for (size_t i = 0; i < x->def->param_count; i++) {
        const struct param_def *def = &x->def->params[i];
        struct error e = {0};
        enum param_part part;
        if (!param_prepare(def, c->arena, &x->params[x->param_count], &part, &e)) {
            x->param_count++;
            continue;
        }
        int line = settings_line(s, part_field(def, part));
        settings_error(report, s->path, line ? line : def->line, "export \"%s\" param \"%s\": %s",
                       x->def->name, def->name, e.text);
    }
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
    prepare_params(c, x, report);
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
    offer_types(c);
    c->exports = arena_calloc(c->arena, s->export_count + 1, sizeof *c->exports);
    for (; c->export_count < s->export_count; c->export_count++)
        prepare_export(c, &s->exports[c->export_count], &c->exports[c->export_count], report);
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
}

int catalogue_check(const char *path, struct settings_report *report)
{
    struct settings *s = NULL;
    struct catalogue *c = NULL;
    int rc = settings_load_report(path, &s, report);
    if (!rc) {
        rc = catalogue_create(s, &c, report);
        warn_of_passwords(s, report);
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
        params_release((*c)->types[i].params, (*c)->types[i].type->param_count);
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
