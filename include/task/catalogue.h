/* SPDX-License-Identifier: MIT */
/* catalogue.h: what this installation offers: the enabled types, and its exports with their queries
 * and parameters prepared. Made from the settings once at start; read-only after that. */
#ifndef TASK_CATALOGUE_H
#define TASK_CATALOGUE_H

#include <locale.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/settings.h"
#include "task/query.h"
#include "task/result_file.h"
#include "task/type.h"

/* A parameter's value. TEXT is its text as it would be shown (a number as it was written); it is
 * NULL only where the value is SQL's NULL. */
struct param_value {
    const char *name;
    enum param_kind kind;
    bool is_null;
    const char *text; /* NUL-terminated UTF-8 without U+0000 */
    size_t text_len;
    union {
        int64_t integer;    /* PARAM_INTEGER */
        double number;      /* PARAM_NUMBER; finite */
        bool boolean;       /* PARAM_BOOLEAN */
        struct civil date;  /* PARAM_DATE; year, month, day */
        int64_t instant;    /* PARAM_DATETIME; microseconds since 1970, UTC */
    };
};

/* A parameter with its limits read. */
struct param {
    const struct param_def *def;
    struct param_value min, max; /* is_null: no such limit */
    struct param_value fallback; /* where none is given; is_null: NULL */
    regex_t *pattern;            /* NULL: none */
    locale_t characters;         /* the pattern is about those of UTF-8; 0: this system cannot, so bytes */
};

/* A configured export. */
struct export {
    const struct export_def *def;
    const struct source_def *source;
    const char *role;   /* which a user must have to ask for it, or NULL */
    struct query query; /* the text with ? and what each ? stands for */
    struct param *params;
    size_t param_count;
};

/* A configured import. */
struct import {
    const struct import_def *def;
    const struct source_def *target;
};

struct catalogue;

/* Keeps S, which must outlive the catalogue. Every fault of types, exports, queries and params
 * goes to REPORT with file and line; returns ERR_INVALID where there was one. */
int catalogue_create(const struct settings *s, struct catalogue **out,
                     struct settings_report *report) MUST_USE;

/* settings_load and catalogue_create: what every program does at its start. The first problem is in
 * E, warnings go to the log. On success the caller frees both, the catalogue first. */
int catalogue_load(const char *path, struct settings **settings, struct catalogue **out,
                   struct error *e) MUST_USE;

/* Everything that is wrong with the file at PATH, for --check-config; also warns of passwords that
 * this user cannot read. Needs no database. Returns 0 where there is no error. */
int catalogue_check(const char *path, struct settings_report *report) MUST_USE;

void catalogue_free(struct catalogue **c); /* NULL is accepted */

const struct settings *catalogue_settings(const struct catalogue *c);

/* The enabled types: those of the table in its order, then the commands in that of the file. */
size_t catalogue_type_count(const struct catalogue *c);
const struct task_type *catalogue_type_at(const struct catalogue *c, size_t index);
const struct task_type *catalogue_type(const struct catalogue *c, const char *name); /* or NULL */

/* Also one that is not enabled; NULL where there is no type of that name. */
const struct task_type *catalogue_known_type(const struct catalogue *c, const char *name);

/* The prepared members of data of an enabled type; *COUNT of them. */
const struct param *catalogue_type_params(const struct catalogue *c, const struct task_type *type,
                                          size_t *count);

const struct export *catalogue_export(const struct catalogue *c, const char *name); /* or NULL */

/* Whether the export may be had as TYPE (by its formats). */
bool export_allows(const struct export *x, const struct task_type *type);

/* The export of a task of TYPE that names none: the only one it allows, or the default; else
 * NULL. */
const struct export *catalogue_default_export(const struct catalogue *c,
                                              const struct task_type *type);

/* The series of files that the backup of this NAME makes: see result_file_set_keeping. */
void backup_series(const char *name, char out[RESULT_SERIES_SIZE]);
const struct import *catalogue_import(const struct catalogue *c, const char *name); /* or NULL */

/* The import of a task that names none: the only one, or the default; else NULL. */
const struct import *catalogue_default_import(const struct catalogue *c);

/* --- the catalogue for its readers ------------------------------------------------------------ */

/* The body of GET /v1/tasks/types: {"types": [{name, title, description, role, parameters}], "roles"},
 * parameters as JSON Schema (draft 2020-12). Types that cannot be POSTed, or only by an ADMIN, are left out. */
void catalogue_json(const struct catalogue *c, bool admin, struct buf *out);

/* For a terminal: TYPE with its parameters, or with NULL all types. ERR_NOT_FOUND. */
int catalogue_text(const struct catalogue *c, const char *type, struct buf *out, struct error *e)
    MUST_USE;

#endif
