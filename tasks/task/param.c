/* SPDX-License-Identifier: MIT */
/* param.c: values of parameters, from the configuration's text and from JSON, checked by one set of
 * rules. */
#include "param.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "task/upload.h"

const char *param_kind_name(enum param_kind kind)
{
    static const char *const names[] = {
        [PARAM_STRING] = "string",   [PARAM_INTEGER] = "integer",   [PARAM_NUMBER] = "number",
        [PARAM_BOOLEAN] = "boolean", [PARAM_DATE] = "date",         [PARAM_DATETIME] = "datetime",
        [PARAM_ENUM] = "enum",       [PARAM_UPLOAD] = "upload",
    };
    return names[kind];
}

/* --- for people ------------------------------------------------------------------------------ */

static void describe_range(const struct param *p, struct buf *out)
{
    const char *min = p->def->min, *max = p->def->max;
    if (p->def->kind == PARAM_DATE || p->def->kind == PARAM_DATETIME) {
        if (min)
            buf_addf(out, ", not before %s", min);
        if (max)
            buf_addf(out, "%s not after %s", min ? " and" : ",", max);
    } else if (min && max)
        buf_addf(out, " from %s to %s", min, max);
    else if (min)
        buf_addf(out, " of at least %s", min);
    else if (max)
        buf_addf(out, " of at most %s", max);
}

/* In quotes where it is nothing but signs, such as a comma. */
static void describe_word(struct buf *out, const char *word)
{
    if (word[strcspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] ||
        (unsigned char)*word >= 0x80)
        buf_adds(out, word);
    else
        buf_json_s(out, word);
}

void param_describe(const struct param *p, struct buf *out)
{
    switch ((enum param_kind)p->def->kind) {
    case PARAM_STRING:
        buf_addf(out, "text of at most %lld characters", (long long)p->def->max_length);
        if (p->pattern)
            buf_addf(out, " that matches %s", p->def->pattern);
        return;
    case PARAM_INTEGER:
        buf_adds(out, "an integer");
        break;
    case PARAM_NUMBER:
        buf_adds(out, "a number");
        break;
    case PARAM_BOOLEAN:
        buf_adds(out, "true or false");
        return;
    case PARAM_DATE:
        buf_adds(out, "a date such as 2026-11-21");
        break;
    case PARAM_DATETIME:
        buf_adds(out, "an instant by RFC 3339 such as 2026-11-21T09:30:00Z");
        break;
    case PARAM_ENUM:
        buf_adds(out, "one of");
        for (size_t i = 0; i < p->def->values.count; i++) {
            buf_adds(out, i ? ", " : " ");
            describe_word(out, p->def->values.items[i]);
        }
        return;
    case PARAM_UPLOAD:
        buf_adds(out, "the id of an upload");
        return;
    }
    describe_range(p, out);
}

/* --- from text ------------------------------------------------------------------------------- */

static bool read_date(const char *text, size_t len, struct civil *out)
{
    char full[sizeof "2026-11-21T00:00:00Z"];
    int64_t usec;
    if (len != 10)
        return false;
    snprintf(full, sizeof full, "%.10sT00:00:00Z", text);
    if (instant_parse(full, sizeof full - 1, &usec))
        return false;
    *out = civil_from_instant(usec);
    return out->year >= 1;
}

static bool read_integer(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !*end && !errno && *text != '+' && *text != ' ';
}

static bool read_number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return *text && !*end && isfinite(*out) && strspn(text, "0123456789+-.eE") == strlen(text);
}

static bool read_boolean(const char *text, bool *out)
{
    *out = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    return *out || strcmp(text, "false") == 0 || strcmp(text, "no") == 0;
}

/* Reads v->text by v->kind, without limits. */
static bool read_text(struct param_value *v)
{
    switch (v->kind) {
    case PARAM_INTEGER:
        return read_integer(v->text, &v->integer);
    case PARAM_NUMBER:
        return read_number(v->text, &v->number);
    case PARAM_BOOLEAN:
        return read_boolean(v->text, &v->boolean);
    case PARAM_DATE:
        return read_date(v->text, v->text_len, &v->date);
    case PARAM_DATETIME:
        return instant_parse(v->text, v->text_len, &v->instant) == 0;
    case PARAM_UPLOAD:
        return v->text_len == UPLOAD_ID_SIZE - 1 && strspn(v->text, "0123456789abcdef") == v->text_len;
    case PARAM_STRING:
    case PARAM_ENUM:
        break;
    }
    return true;
}

/* --- limits ---------------------------------------------------------------------------------- */

/* Negative, 0 or positive as A is less than, equal to or greater than B. Only kinds with an
 * order. */
static int compare(const struct param_value *a, const struct param_value *b)
{
    int64_t x = 0, y = 0;
    switch (a->kind) {
    case PARAM_NUMBER:
        return (a->number > b->number) - (a->number < b->number);
    case PARAM_INTEGER:
        x = a->integer;
        y = b->integer;
        break;
    case PARAM_DATE:
        x = civil_to_instant(&a->date);
        y = civil_to_instant(&b->date);
        break;
    case PARAM_DATETIME:
        x = a->instant;
        y = b->instant;
        break;
    case PARAM_STRING:
    case PARAM_BOOLEAN:
    case PARAM_ENUM:
    case PARAM_UPLOAD:
        break;
    }
    return (x > y) - (x < y);
}

/* Programs keep the locale C, in which an accented letter is two. */
static bool matches(const struct param *p, const char *text)
{
    locale_t before = uselocale(p->characters);
    bool matched = regexec(p->pattern, text, 0, NULL, 0) == 0;
    uselocale(before);
    return matched;
}

static bool within_limits(const struct param *p, const struct param_value *v)
{
    const struct param_def *d = p->def;
    if (v->kind == PARAM_ENUM)
        return str_list_has(&d->values, v->text);
    if (v->kind == PARAM_STRING)
        return (int64_t)utf8_count(v->text, v->text_len) <= d->max_length &&
               (!p->pattern || matches(p, v->text));
    return (p->min.is_null || compare(v, &p->min) >= 0) &&
           (p->max.is_null || compare(v, &p->max) <= 0);
}

/* --- from the configuration ------------------------------------------------------------------- */

/* Reads TEXT (NULL: none) of the definition. */
static int read_part(const struct param_def *def, const char *text, struct param_value *out,
                     enum param_part part, enum param_part *faulty, struct error *e)
{
    static const char *const names[] = {
        [PART_MIN] = "min", [PART_MAX] = "max", [PART_DEFAULT] = "default"};
    *out = (struct param_value){.name = def->name, .kind = (enum param_kind)def->kind};
    out->is_null = !text;
    if (!text)
        return 0;
    out->text = text;
    out->text_len = strlen(text);
    if (read_text(out))
        return 0;
    *faulty = part;
    return error_set(e, ERR_INVALID, "%s = \"%.60s\" is not of type %s", names[part], text,
                     param_kind_name(out->kind));
}

static bool has_order(int kind)
{
    return kind == PARAM_INTEGER || kind == PARAM_NUMBER || kind == PARAM_DATE ||
           kind == PARAM_DATETIME;
}

/* Settings that do not go together. */
static int check_parts(const struct param_def *def, enum param_part *part, struct error *e)
{
    *part = PART_OTHER;
    if (def->required && def->default_text)
        return error_set(e, ERR_INVALID, "required and default exclude each other: keep one");
    if (def->kind == PARAM_ENUM && !def->values.count)
        return error_set(e, ERR_INVALID, "an enum needs its words: add values = {...}");
    if (def->kind != PARAM_ENUM && def->values.count)
        return error_set(e, ERR_INVALID, "values are for type = enum only");
    *part = PART_PATTERN;
    if (def->pattern && def->kind != PARAM_STRING)
        return error_set(e, ERR_INVALID, "pattern is for type = string only");
    *part = def->min ? PART_MIN : PART_MAX;
    if (!has_order(def->kind) && (def->min || def->max))
        return error_set(e, ERR_INVALID,
                         "min and max are for type integer, number, date and datetime only");
    return 0;
}

void param_release(struct param *p)
{
    if (p->pattern)
        regfree(p->pattern);
    if (p->characters)
        freelocale(p->characters);
    p->pattern = NULL;
    p->characters = (locale_t)0;
}

static int compile(regex_t *out, const struct param *p)
{
    locale_t before = uselocale(p->characters);
    int rc = regcomp(out, p->def->pattern, REG_EXTENDED | REG_NOSUB);
    uselocale(before);
    return rc;
}

static int prepare_pattern(struct param *p, struct arena *arena, struct error *e)
{
    if (!p->def->pattern)
        return 0;
    regex_t *regex = arena_alloc(arena, sizeof *regex);
    p->characters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    int rc = compile(regex, p);
    if (rc) { /* glibc takes no range beyond ASCII there */
        param_release(p);
        rc = compile(regex, p);
    }
    if (rc) {
        char why[100];
        regerror(rc, regex, why, sizeof why);
        return error_set(e, ERR_INVALID, "pattern is no extended regular expression: %s", why);
    }
    p->pattern = regex;
    return 0;
}

int param_prepare(const struct param_def *def, struct arena *arena, struct param *out,
                  enum param_part *part, struct error *e)
{
    *out = (struct param){.def = def};
    if (check_parts(def, part, e) ||
        read_part(def, def->min, &out->min, PART_MIN, part, e) ||
        read_part(def, def->max, &out->max, PART_MAX, part, e) ||
        read_part(def, def->default_text, &out->fallback, PART_DEFAULT, part, e))
        return ERR_INVALID;
    *part = PART_MAX;
    if (!out->min.is_null && !out->max.is_null && compare(&out->min, &out->max) > 0)
        return error_set(e, ERR_INVALID, "max is less than min");
    *part = PART_PATTERN;
    if (prepare_pattern(out, arena, e))
        return ERR_INVALID;
    *part = PART_DEFAULT;
    if (out->fallback.is_null || within_limits(out, &out->fallback))
        return 0;
    struct buf wanted = BUF_INIT;
    param_describe(out, &wanted);
    error_set(e, ERR_INVALID, "default must be %s", buf_str(&wanted));
    buf_free(&wanted);
    param_release(out);
    return ERR_INVALID;
}

/* --- to JSON --------------------------------------------------------------------------------- */

/* With as few digits as tell it from every other double. */
static void add_double(struct buf *out, double d)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    buf_adds(out, text);
}

void param_json(const struct param_value *v, struct buf *out)
{
    if (v->kind == PARAM_INTEGER)
        buf_add_i64(out, v->integer);
    else if (v->kind == PARAM_NUMBER)
        add_double(out, v->number);
    else if (v->kind == PARAM_BOOLEAN)
        buf_adds(out, v->boolean ? "true" : "false");
    else
        buf_json(out, v->text, v->text_len);
}

/* --- from JSON -------------------------------------------------------------------------------- */

/* Numbers such as 5.0 are integers too, as JSON Schema says. */
static bool json_integer(struct json_object *json, int64_t *out)
{
    if (json_object_is_type(json, json_type_int)) {
        *out = json_object_get_int64(json);
        return *out != INT64_MAX || json_object_get_uint64(json) == INT64_MAX;
    }
    double d = json_object_get_double(json);
    if (!json_object_is_type(json, json_type_double) || d != floor(d) || fabs(d) > 0x1p53)
        return false;
    *out = (int64_t)d;
    return true;
}

static bool json_text(struct json_object *json)
{
    return json_object_is_type(json, json_type_string) &&
           !memchr(json_object_get_string(json), '\0', (size_t)json_object_get_string_len(json));
}

/* Reads JSON by v->kind; text is set behind it. */
static bool read_json(struct json_object *json, struct param_value *v)
{
    switch (v->kind) {
    case PARAM_INTEGER:
        return json_integer(json, &v->integer);
    case PARAM_NUMBER:
        v->number = json_object_get_double(json);
        return json_object_is_type(json, json_type_int) ||
               json_object_is_type(json, json_type_double);
    case PARAM_BOOLEAN:
        v->boolean = json_object_get_boolean(json);
        return json_object_is_type(json, json_type_boolean);
    case PARAM_STRING:
    case PARAM_DATE:
    case PARAM_DATETIME:
    case PARAM_ENUM:
    case PARAM_UPLOAD:
        break;
    }
    return json_text(json) && read_text(v);
}

int param_read(const struct param *p, struct json_object *json, struct arena *arena,
               struct param_value *out, struct error *e)
{
    *out = (struct param_value){.name = p->def->name, .kind = (enum param_kind)p->def->kind};
    bool is_string = json_object_is_type(json, json_type_string);
    const char *text = json_object_get_string(json); /* "null" is NULL here */
    size_t len = is_string ? (size_t)json_object_get_string_len(json) : text ? strlen(text) : 0;
    out->text = arena_strndup(arena, text ? text : "", len);
    out->text_len = len;
    if (json && read_json(json, out) && within_limits(p, out))
        return 0;
    struct buf wanted = BUF_INIT;
    param_describe(p, &wanted);
    error_set(e, ERR_INVALID, "must be %s", buf_str(&wanted));
    buf_free(&wanted);
    return ERR_INVALID;
}
