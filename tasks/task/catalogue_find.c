/* SPDX-License-Identifier: MIT */
/* catalogue_find.c: finds things in a catalogue. */
#include <stdio.h>
#include <string.h>

#include "catalogue_impl.h"

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
