/* SPDX-License-Identifier: MIT */
/* schema.c: the catalogue as JSON, parameters as JSON Schema (draft 2020-12), from the same
 * tables that the validator reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue_impl.h"
#include "param.h"

/* "NAME": in front of a value, with a comma where one came before. */
static void member(struct buf *out, const char *name)
{
    char last = out->len ? out->data[out->len - 1] : '{';
    if (last != '{' && last != '[')
        buf_addc(out, ',');
    buf_json_s(out, name);
    buf_addc(out, ':');
}

static void text_member(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    member(out, name);
    buf_json_s(out, value);
}

/* One more name of a list in brackets. */
static void add_name(struct buf *out, const char *name)
{
    if (out->data[out->len - 1] != '[')
        buf_addc(out, ',');
    buf_json_s(out, name);
}

static void value_member(struct buf *out, const char *name, const struct param_value *v)
{
    if (v->is_null)
        return;
    member(out, name);
    param_json(v, out);
}

static const char *json_type(enum param_kind kind)
{
    switch (kind) {
    case PARAM_INTEGER:
        return "integer";
    case PARAM_NUMBER:
        return "number";
    case PARAM_BOOLEAN:
        return "boolean";
    case PARAM_STRING:
    case PARAM_DATE:
    case PARAM_DATETIME:
    case PARAM_ENUM:
    case PARAM_UPLOAD:
        break;
    }
    return "string";
}

static void add_limits(struct buf *out, const struct param *p)
{
    const struct param_def *def = p->def;
    switch ((enum param_kind)def->kind) {
    case PARAM_STRING:
        member(out, "maxLength");
        buf_add_i64(out, def->max_length);
        text_member(out, "pattern", def->pattern);
        break;
    case PARAM_INTEGER:
    case PARAM_NUMBER:
        value_member(out, "minimum", &p->min);
        value_member(out, "maximum", &p->max);
        break;
    case PARAM_DATE:
    case PARAM_DATETIME:
        /* the names that ajv and others use; JSON Schema has none for dates */
        text_member(out, "format", def->kind == PARAM_DATE ? "date" : "date-time");
        value_member(out, "formatMinimum", &p->min);
        value_member(out, "formatMaximum", &p->max);
        break;
    case PARAM_ENUM:
        member(out, "enum");
        buf_addc(out, '[');
        for (size_t i = 0; i < def->values.count; i++)
            add_name(out, def->values.items[i]);
        buf_addc(out, ']');
        break;
    case PARAM_UPLOAD: /* no standard format: it tells a form to ask for a file */
        text_member(out, "format", "backdesk-upload");
        text_member(out, "pattern", "^[0-9a-f]{32}$");
        break;
    case PARAM_BOOLEAN:
        break;
    }
}

static void add_properties(struct buf *out, const struct param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct param *p = &params[i];
        member(out, p->def->name);
        buf_addc(out, '{');
        text_member(out, "type", json_type((enum param_kind)p->def->kind));
        text_member(out, "title", p->def->title);
        text_member(out, "description", p->def->description);
        add_limits(out, p);
        value_member(out, "default", &p->fallback);
        buf_addc(out, '}');
    }
}

/* "required": [...] with FIRST and SECOND (if not NULL) and the parameters that must be given. */
static void add_required(struct buf *out, const char *first, const char *second,
                         const struct param *params, size_t count)
{
    if (!first && !second && !params_any_required(params, count))
        return;
    member(out, "required");
    buf_addc(out, '[');
    if (first)
        add_name(out, first);
    if (second)
        add_name(out, second);
    for (size_t i = 0; i < count; i++)
        if (params[i].def->required)
            add_name(out, params[i].def->name);
    buf_addc(out, ']');
}

static void end_object(struct buf *out)
{
    member(out, "additionalProperties");
    buf_adds(out, "false}");
}

/* One export or import of oneOf. */
struct branch {
    const char *kind, *name, *title, *description, *role;
    bool named;             /* KIND must be given */
    const struct export *x; /* whose params there are; NULL: none */
};

static void add_params(struct buf *out, const struct export *x)
{
    buf_adds(out, ",\"params\":{\"type\":\"object\",\"properties\":{");
    add_properties(out, x->params, x->param_count);
    buf_addc(out, '}');
    add_required(out, NULL, NULL, x->params, x->param_count);
    end_object(out);
}

static void add_branch(struct buf *out, const struct branch *b, const struct offered_type *o)
{
    bool needs_params = b->x && params_any_required(b->x->params, b->x->param_count);
    if (out->data[out->len - 1] != '[')
        buf_addc(out, ',');
    buf_addc(out, '{');
    text_member(out, "title", b->title ? b->title : b->name);
    text_member(out, "description", b->description);
    text_member(out, "role", b->role);
    text_member(out, "type", "object");
    member(out, "properties");
    buf_addc(out, '{');
    member(out, b->kind);
    buf_adds(out, "{\"const\":");
    buf_json_s(out, b->name);
    buf_addc(out, '}');
    if (b->x)
        add_params(out, b->x);
    add_properties(out, o->params, o->type->param_count);
    buf_addc(out, '}');
    add_required(out, b->named ? b->kind : NULL, needs_params ? "params" : NULL, o->params, o->type->param_count);
    end_object(out);
}

/* Nobody is shown what he may not ask for. */
static bool shows(const struct export *x, const struct task_type *type, bool admin)
{
    return export_allows(x, type) && (admin || !x->role);
}

static void add_exports(struct buf *out, const struct catalogue *c, const struct offered_type *o, bool admin)
{
    const struct export *fallback = catalogue_default_export(c, o->type);
    for (const struct export *x = c->exports; x < c->exports + c->export_count; x++)
        if (shows(x, o->type, admin))
            add_branch(out, &(struct branch){"export", x->def->name, x->def->title, x->def->description, x->role,
                                             x != fallback, x}, o);
}

static void add_imports(struct buf *out, const struct catalogue *c, const struct offered_type *o)
{
    const struct import *fallback = catalogue_default_import(c);
    for (const struct import *m = c->imports; m < c->imports + c->import_count; m++)
        add_branch(out, &(struct branch){"import", m->def->name, m->def->title, m->def->description, NULL,
                                         m != fallback, NULL}, o);
}

static void add_schema(struct buf *out, const struct catalogue *c, const struct offered_type *o, bool admin)
{
    const struct task_type *type = o->type;
    buf_adds(out, "{\"type\":\"object\"");
    if (type->payload == PAYLOAD_ANY) {
        buf_addc(out, '}');
        return;
    }
    if (type->payload == PAYLOAD_EXPORT || type->payload == PAYLOAD_IMPORT) {
        member(out, "oneOf");
        buf_addc(out, '[');
        if (type->payload == PAYLOAD_EXPORT)
            add_exports(out, c, o, admin);
        else
            add_imports(out, c, o);
        buf_adds(out, "]}");
        return;
    }
    member(out, "properties");
    buf_addc(out, '{');
    add_properties(out, o->params, type->param_count);
    buf_addc(out, '}');
    add_required(out, NULL, NULL, o->params, type->param_count);
    end_object(out);
}

static bool offers_something(const struct catalogue *c, const struct task_type *type, bool admin)
{
    if (type->payload == PAYLOAD_IMPORT)
        return c->import_count > 0;
    if (type->payload != PAYLOAD_EXPORT)
        return true;
    for (size_t i = 0; i < c->export_count; i++)
        if (shows(&c->exports[i], type, admin))
            return true;
    return false;
}

void catalogue_json(const struct catalogue *c, bool admin, struct buf *out)
{
    buf_adds(out, "{\"types\":[");
    for (size_t i = 0; i < c->type_count; i++) {
        const struct task_type *type = c->types[i].type;
        if (!type->postable || (type->role && !admin) || !offers_something(c, type, admin))
            continue;
        if (out->len && out->data[out->len - 1] != '[')
            buf_addc(out, ',');
        buf_addc(out, '{');
        text_member(out, "name", type->name);
        text_member(out, "title", type->title);
        text_member(out, "description", type->description);
        member(out, "role");
        buf_json_s(out, type->role);
        member(out, "parameters");
        add_schema(out, c, &c->types[i], admin);
        buf_addc(out, '}');
    }
    buf_adds(out, admin ? "],\"roles\":[\"admin\"]}" : "],\"roles\":[]}");
}
