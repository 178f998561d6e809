/* SPDX-License-Identifier: MIT */
/* describe.c: the catalogue as text for a terminal. */
#include <string.h>

#include "catalogue_impl.h"
#include "param.h"

static void add_param(struct buf *out, const char *indent, const struct param *p)
{
    const struct param_def *def = p->def;
    buf_addf(out, "%s%-12s %s: ", indent, def->name, param_kind_name((enum param_kind)def->kind));
    param_describe(p, out);
    if (def->required)
        buf_adds(out, "; required");
    else if (p->fallback.is_null)
        buf_adds(out, "; default NULL");
    else
        buf_addf(out, "; default %s", *p->fallback.text ? p->fallback.text : "\"\"");
    buf_addc(out, '\n');
    if (def->description)
        buf_addf(out, "%s%-12s %s\n", indent, "", def->description);
}

static void add_params(struct buf *out, const char *indent, const struct param *params,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_param(out, indent, &params[i]);
}

static void add_exports(struct buf *out, const struct catalogue *c, const struct task_type *type)
{
    const struct export *fallback = catalogue_default_export(c, type);
    size_t shown = 0;
    for (size_t i = 0; i < c->export_count; i++) {
        const struct export *x = &c->exports[i];
        if (!export_allows(x, type))
            continue;
        buf_addf(out, "  {\"export\": \"%s\"}%s", x->def->name,
                 x == fallback ? " (may be left out)" : "");
        if (x->def->title)
            buf_addf(out, ": %s", x->def->title);
        buf_addc(out, '\n');
        if (x->def->description)
            buf_addf(out, "    %s\n", x->def->description);
        if (x->role)
            buf_addf(out, "    only for the role %s\n", x->role);
        if (x->param_count)
            buf_adds(out, "    params:\n");
        add_params(out, "      ", x->params, x->param_count);
        shown++;
    }
    if (!shown)
        buf_adds(out, "  no export is set up for this format\n");
}

static void add_imports(struct buf *out, const struct catalogue *c)
{
    const struct import *fallback = catalogue_default_import(c);
    for (size_t i = 0; i < c->import_count; i++) {
        const struct import_def *def = c->imports[i].def;
        buf_addf(out, "  {\"import\": \"%s\"}%s", def->name,
                 &c->imports[i] == fallback ? " (may be left out)" : "");
        if (def->title)
            buf_addf(out, ": %s", def->title);
        buf_addc(out, '\n');
        if (def->description)
            buf_addf(out, "    %s\n", def->description);
    }
    if (!c->import_count)
        buf_adds(out, "  no import is set up\n");
}

static void add_type(struct buf *out, const struct catalogue *c, const struct offered_type *o)
{
    struct task_limits limits;
    task_limits_get(c->settings, o->type->name, &limits);
    buf_addf(out, "%s: %s\n", o->type->name, o->type->description);
    if (o->type->role)
        buf_addf(out, "  only for the role %s\n", o->type->role);
    if (!o->type->postable)
        buf_adds(out, "  created by the system only\n");
    buf_addf(out, "  at most %lld attempts", (long long)limits.max_attempts);
    buf_adds(out, limits.timeout_usec ? ", time-out " : ", no time-out");
    if (limits.timeout_usec)
        duration_text(out, limits.timeout_usec);
    buf_addc(out, '\n');
    if (o->type->payload == PAYLOAD_EXPORT)
        add_exports(out, c, o->type);
    if (o->type->payload == PAYLOAD_ANY)
        buf_adds(out, "  data: any object\n");
    if (o->type->payload == PAYLOAD_IMPORT)
        add_imports(out, c);
    add_params(out, "  ", o->params, o->type->param_count);
}

int catalogue_text(const struct catalogue *c, const char *type, struct buf *out, struct error *e)
{
    bool found = false;
    for (size_t i = 0; i < c->type_count; i++) {
        if (type && strcmp(c->types[i].type->name, type) != 0)
            continue;
        if (found)
            buf_addc(out, '\n');
        add_type(out, c, &c->types[i]);
        found = true;
    }
    if (found || !type)
        return 0;
    const struct task_type *known = catalogue_known_type(c, type);
    if (known && known->payload == PAYLOAD_BACKUP && !c->settings->backup_count)
        return error_set(e, ERR_NOT_FOUND, "no backup is set up: add a section backup \"NAME\"");
    if (known)
        return error_set(e, ERR_NOT_FOUND, "the type %s is switched off: set enabled = yes in a "
                                           "section type \"%s\"",
                         type, type);
    return error_set(e, ERR_NOT_FOUND, "there is no type %s: see taskctl types", type);
}
