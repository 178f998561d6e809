/* SPDX-License-Identifier: MIT */
/* validate.c: walks a task's data by the catalogue's tables. The same walk gives the API every
 * fault and the runner the values. */
#include "task/validate.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "catalogue_impl.h"
#include "param.h"

/* --- faults ----------------------------------------------------------------------------------- */

void faults_add(struct faults *f, const char *pointer, const char *fmt, ...)
{
    if (faults_full(f))
        return;
    if (f->count == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 8;
        struct fault *items = arena_alloc(f->arena, cap * sizeof *items);
        if (f->count)
            memcpy(items, f->items, f->count * sizeof *items);
        f->items = items;
        f->cap = cap;
    }
    char text[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->items[f->count++] = (struct fault){arena_strdup(f->arena, pointer),
                                          arena_strdup(f->arena, text)};
}

bool faults_full(const struct faults *f)
{
    return f->count == FAULTS_MAX;
}

const char *faults_step(const struct faults *f, const char *pointer, const char *name)
{
    struct buf b = BUF_INIT;
    buf_adds(&b, pointer);
    buf_addc(&b, '/');
    for (; *name; name++) {
        if (*name == '~')
            buf_adds(&b, "~0");
        else if (*name == '/')
            buf_adds(&b, "~1");
        else
            buf_addc(&b, *name);
    }
    char *copy = arena_strdup(f->arena, buf_str(&b));
    buf_free(&b);
    return copy;
}

/* --- members ---------------------------------------------------------------------------------- */

/* Members of an object that are known beside its parameters. */
struct known {
    const char *const *names;
    size_t count;
};

/* "known are a, b" for a fault. */
static const char *list_known(struct arena *arena, const struct param *params, size_t count,
                              const struct known *more)
{
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < more->count; i++)
        buf_addf(&b, "%s%s", b.len ? ", " : "known are ", more->names[i]);
    for (size_t i = 0; i < count; i++)
        buf_addf(&b, "%s%s", b.len ? ", " : "known are ", params[i].def->name);
    if (!b.len)
        buf_adds(&b, "none is expected");
    char *copy = arena_strdup(arena, buf_str(&b));
    buf_free(&b);
    return copy;
}

static void check_unknown(struct json_object *object, const char *pointer,
                          const struct param *params, size_t count, const struct known *more,
                          struct faults *f)
{
    const char *list = NULL;
    json_object_object_foreach(object, name, value)
    {
        (void)value;
        bool known = params_find(params, count, name) != NULL;
        for (size_t i = 0; i < more->count; i++)
            known |= strcmp(more->names[i], name) == 0;
        if (known)
            continue;
        if (faults_full(f)) /* a body has room for a million of them */
            return;
        if (!list)
            list = list_known(f->arena, params, count, more);
        faults_add(f, faults_step(f, pointer, name), "is not known here: %s", list);
    }
}

/* Reads the members of OBJECT (NULL: empty) that PARAMS names, with defaults, and refuses others
 * but those of MORE. */
static void read_members(struct json_object *object, const char *pointer,
                         const struct param *params, size_t count, const struct known *more,
                         struct faults *f, struct bound_params *out)
{
    out->items = arena_calloc(f->arena, count + 1, sizeof *out->items);
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        const char *name = params[i].def->name;
        struct json_object *value;
        struct error e = {0};
        if (object && json_object_object_get_ex(object, name, &value)) {
            if (param_read(&params[i], value, f->arena, &out->items[i], &e))
                faults_add(f, faults_step(f, pointer, name), "%s", e.text);
        } else {
            out->items[i] = params[i].fallback;
            if (params[i].def->required)
                faults_add(f, faults_step(f, pointer, name), "is missing");
        }
    }
    if (object)
        check_unknown(object, pointer, params, count, more, f);
}

/* --- exports ---------------------------------------------------------------------------------- */

static const char *list_exports(const struct catalogue *c, const struct task_type *type,
                                struct arena *arena)
{
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < c->export_count; i++)
        if (export_allows(&c->exports[i], type))
            buf_addf(&b, "%s%s", b.len ? ", " : "known are ", c->exports[i].def->name);
    if (!b.len)
        buf_adds(&b, "none is set up for this format");
    char *copy = arena_strdup(arena, buf_str(&b));
    buf_free(&b);
    return copy;
}

/* The export that DATA names, or the default, or NULL; GIVEN: whether it names any. */
static const struct export *find_export(const struct catalogue *c, const struct task_type *type,
                                        struct json_object *data, bool *given)
{
    struct json_object *name;
    *given = data && json_object_object_get_ex(data, "export", &name);
    if (!*given)
        return catalogue_default_export(c, type);
    const struct export *x =
        json_object_is_type(name, json_type_string) &&
                strlen(json_object_get_string(name)) == (size_t)json_object_get_string_len(name)
            ? catalogue_export(c, json_object_get_string(name))
            : NULL;
    return x && export_allows(x, type) ? x : NULL;
}

/* The same, with a fault where there is none. */
static const struct export *choose_export(const struct catalogue *c, const struct task_type *type,
                                          struct json_object *data, struct faults *f)
{
    bool given;
    const struct export *x = find_export(c, type, data, &given);
    if (!x)
        faults_add(f, "/data/export", "%s; %s", given ? "there is no such export" : "is missing",
                   list_exports(c, type, f->arena));
    return x;
}

static void read_export(const struct catalogue *c, const struct task_type *type,
                        struct json_object *data, struct faults *f, struct export_call *call)
{
    static const struct known nothing = {NULL, 0};
    struct json_object *params = NULL;
    call->export = choose_export(c, type, data, f);
    bool given = data && json_object_object_get_ex(data, "params", &params);
    if (given && !json_object_is_type(params, json_type_object))
        faults_add(f, "/data/params", "must be an object");
    else if (call->export)
        read_members(params, "/data/params", call->export->params, call->export->param_count,
                     &nothing, f, &call->params);
}

/* --- imports ---------------------------------------------------------------------------------- */

static const struct import *choose_import(const struct catalogue *c, struct json_object *data,
                                          struct faults *f)
{
    struct json_object *name;
    bool given = data && json_object_object_get_ex(data, "import", &name);
    const struct import *found = given ? NULL : catalogue_default_import(c);
    if (given && json_object_is_type(name, json_type_string) &&
        strlen(json_object_get_string(name)) == (size_t)json_object_get_string_len(name))
        found = catalogue_import(c, json_object_get_string(name));
    if (found)
        return found;
    struct buf b = BUF_INIT;
    for (size_t i = 0; i < c->import_count; i++)
        buf_addf(&b, "%s%s", b.len ? ", " : "known are ", c->imports[i].def->name);
    faults_add(f, "/data/import", "%s; %s", given ? "there is no such import" : "is missing",
               b.len ? buf_str(&b) : "none is set up");
    buf_free(&b);
    return NULL;
}

/* --- the whole payload ------------------------------------------------------------------------ */

/* What a task's data says. */
struct payload {
    struct export_call call; /* options: of every type */
    const struct import *import;
};

/* Members of data beside the type's own. */
static struct known payload_members(enum type_payload payload)
{
    static const char *const of_export[] = {"export", "params"}, *const of_import[] = {"import"};
    if (payload == PAYLOAD_EXPORT)
        return (struct known){of_export, COUNT_OF(of_export)};
    if (payload == PAYLOAD_IMPORT)
        return (struct known){of_import, COUNT_OF(of_import)};
    return (struct known){NULL, 0};
}

/* TYPE must be enabled. */
static void read_payload(const struct catalogue *c, const struct task_type *type,
                         struct json_object *data, struct faults *f, struct payload *p)
{
    struct known more = payload_members(type->payload);
    if (data && !json_object_is_type(data, json_type_object)) {
        faults_add(f, "/data", "must be an object");
        return;
    }
    size_t count;
    const struct param *params = catalogue_type_params(c, type, &count);
    if (type->payload == PAYLOAD_EXPORT)
        read_export(c, type, data, f, &p->call);
    if (type->payload == PAYLOAD_IMPORT)
        p->import = choose_import(c, data, f);
    if (type->payload == PAYLOAD_ANY)
        return;
    read_members(data, "/data", params, count, &more, f, &p->call.options);
}

int task_validate(const struct catalogue *c, const char *name, struct json_object *data,
                  struct faults *f)
{
    size_t before = f->count;
    const struct task_type *type = catalogue_type(c, name);
    struct payload payload = {0};
    if (!type)
        faults_add(f, "/type", catalogue_known_type(c, name) ? "this type is switched off here"
                                                             : NO_SUCH_TYPE);
    else if (!type->postable)
        faults_add(f, "/type", "tasks of this type cannot be created by request");
    else
        read_payload(c, type, data, f, &payload);
    return f->count > before ? ERR_INVALID : 0;
}

/* --- values for the code of a type ------------------------------------------------------------ */

const struct param_value *bound_param(const struct bound_params *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->items[i].name, name) == 0)
            return &b->items[i];
    return NULL;
}

static int bind_payload(const struct catalogue *c, const struct task_type *type, const char *text,
                        size_t len, struct arena *arena, struct payload *p, struct error *e)
{
    struct json_object *data = NULL;
    *p = (struct payload){0};
    if (!catalogue_type(c, type->name))
        return error_set(e, ERR_INVALID, "the type %s is switched off here", type->name);
    int rc = json_parse(text, len, &data, e);
    if (rc) {
        error_prefix(e, "data is no valid JSON");
        return rc;
    }
    struct faults faults = FAULTS_INIT(arena);
    read_payload(c, type, data, &faults, p);
    json_object_put(data);
    if (faults.count)
        return error_set(e, ERR_INVALID, "%s: %s", faults.items[0].pointer, faults.items[0].detail);
    return 0;
}

int task_bind(const struct catalogue *c, const struct task_type *type, const char *data, size_t len,
              struct arena *arena, struct bound_params *out, struct error *e)
{
    struct payload p;
    int rc = bind_payload(c, type, data, len, arena, &p, e);
    *out = p.call.options;
    return rc;
}

int export_bind(const struct catalogue *c, const struct task_type *type, const char *data,
                size_t len, int64_t owner, struct arena *arena, struct export_call *out,
                struct error *e)
{
    struct payload p;
    int rc = bind_payload(c, type, data, len, arena, &p, e);
    *out = p.call;
    if (rc)
        return rc;
    const struct query *q = &out->export->query;
    char *owner_text = arena_printf(arena, "%lld", (long long)owner);
    const struct param_value owner_value = {
        .name = "owner",
        .kind = PARAM_INTEGER,
        .text = owner_text,
        .text_len = strlen(owner_text),
        .integer = owner,
    };
    out->binds = arena_alloc(arena, (q->count + 1) * sizeof *out->binds);
    out->bind_count = q->count;
    for (size_t i = 0; i < q->count; i++) {
        const struct param_value *v = bound_param(&out->params, q->names[i]);
        out->binds[i] = v ? *v : owner_value; /* the catalogue has checked that all are declared */
    }
    return 0;
}

int import_bind(const struct catalogue *c, const struct task_type *type, const char *data,
                size_t len, struct arena *arena, struct import_call *out, struct error *e)
{
    struct payload p;
    int rc = bind_payload(c, type, data, len, arena, &p, e);
    *out = (struct import_call){p.import, p.call.options};
    return rc;
}

const char *task_role(const struct catalogue *c, const char *name, struct json_object *data, const char **pointer)
{
    bool given;
    const struct task_type *type = catalogue_known_type(c, name);
    *pointer = "/type";
    if (!type || type->role || type->payload != PAYLOAD_EXPORT)
        return type ? type->role : NULL;
    const struct export *x = find_export(c, type, data, &given);
    if (given)
        *pointer = "/data/export";
    return x ? x->role : NULL;
}

const char *task_upload(const struct catalogue *c, const char *name, struct json_object *data)
{
    const struct task_type *type = catalogue_type(c, name);
    struct json_object *upload;
    for (size_t i = 0; type && i < type->param_count; i++)
        if (type->params[i].kind == PARAM_UPLOAD && json_object_object_get_ex(data, type->params[i].name, &upload))
            return json_object_get_string(upload);
    return NULL;
}
