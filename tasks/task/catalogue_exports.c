/* SPDX-License-Identifier: MIT */
/* catalogue_exports.c: the configured exports: their parameters and queries, and how these fit together. */
#include <string.h>

#include "catalogue_impl.h"

/* Every parameter of the query is declared, every declared one used, and :owner is there. */
static void check_names(const struct settings *s, const struct export *x,
                        struct settings_report *report)
{
    const struct export_def *def = x->def;
    int line = settings_line(s, &def->query);
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

void catalogue_prepare_export(struct catalogue *c, const struct export_def *def, struct export *x,
                              struct settings_report *report)
{
    const struct settings *s = c->settings;
    struct error e = {0};
    x->def = def;
    x->source = settings_export_source(s, def);
    x->role = def->role == ROLE_ADMIN ? "admin" : NULL;
    x->params = arena_calloc(c->arena, def->param_count + 1, sizeof *x->params);
    x->param_count = params_prepare(c, "export", def->name, def->params, def->param_count, x->params,
                                    report);
    check_formats(s, def, report);
    check_connections(s, def, report);
    if (query_parse(def->query, strlen(def->query), c->arena, &x->query, &e))
        settings_error(report, s->path, settings_line_within(s, &def->query, x->query.line),
                       "export \"%s\" query: %s", def->name, e.text);
    else
        check_names(s, x, report);
}
