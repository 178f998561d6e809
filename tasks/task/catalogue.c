/* SPDX-License-Identifier: MIT */
/* catalogue.c: makes the catalogue from the settings and reports what is wrong with them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

void params_release(struct param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        param_release(&params[i]);
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

size_t params_prepare(struct catalogue *c, const char *section, const char *name,
                      const struct param_def *defs, size_t count, struct param *out,
                      struct settings_report *report)
{
    const struct settings *s = c->settings;
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        struct error e = {0};
        enum param_part part;
        if (!param_prepare(&defs[i], c->arena, &out[good], &part, &e)) {
            if (out[good].pattern && !out[good].characters)
                settings_warning(report, s->path, settings_line(s, part_field(&defs[i], PART_PATTERN)),
                                 "%s \"%s\" param \"%s\": pattern is about bytes, not characters: this system has no "
                                 "locale C.UTF-8, or takes no range beyond ASCII there: name each letter instead",
                                 section ? section : "type", name, defs[i].name);
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

/* --- making and freeing ----------------------------------------------------------------------- */

int catalogue_create(const struct settings *s, struct catalogue **out,
                     struct settings_report *report)
{
    int before = report->errors;
    struct catalogue *c = xcalloc(1, sizeof *c);
    c->settings = s;
    c->arena = arena_create();
    catalogue_check_types(s, report);
    catalogue_offer_types(c, report);
    c->exports = arena_calloc(c->arena, s->export_count + 1, sizeof *c->exports);
    for (; c->export_count < s->export_count; c->export_count++)
        catalogue_prepare_export(c, &s->exports[c->export_count], &c->exports[c->export_count],
                                 report);
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
                             "%s: the program that uses this account must be able to read it",
                             s->accounts[i].password_fault);
    for (size_t i = 0; i < s->source_count; i++)
        if (s->sources[i].password_fault)
            settings_warning(report, s->path, settings_line(s, &s->sources[i].password_file),
                             "%s: the runner must be able to read it", s->sources[i].password_fault);
    for (size_t i = 0; i < s->backup_count; i++)
        if (s->backups[i].password_fault)
            settings_warning(report, s->path, settings_line(s, &s->backups[i].password_file),
                             "%s: the runner must be able to read it", s->backups[i].password_fault);
}

/* Without its key the pool does not start and no request is replayed: an error, unless it is there and only this
 * user may not read it. */
static int check_key(const struct settings *s, struct settings_report *report)
{
    static const char text[] = "defer key_file %s: %s: API and runner need it for the site: make it by openssl rand "
                               "-hex 32";
    const char *file = s->defer.key_file;
    if (!s->defer_key_fault)
        return 0;
    int line = settings_line(s, &s->defer.key_file);
    if (!line)
        line = s->sites[0].line; /* a default: what needs it is the site */
    if (access(file, R_OK) && errno == EACCES) {
        settings_warning(report, s->path, line, text, file, s->defer_key_fault);
        return 0;
    }
    settings_error(report, s->path, line, text, file, s->defer_key_fault);
    return ERR_INVALID;
}

/* What nginx says cannot be seen here, and it said nothing while there was one. */
static void warn_of_sites(const struct settings *s, struct settings_report *report)
{
    if (s->site_count > 1)
        settings_warning(report, s->path, s->sites[1].line,
                         "with more than one site nginx must say to which one a request belongs, or it is a 500 when "
                         "it is deferred: map $host $backdesk_site to their names (taskctl check-nginx looks at it)");
}

int catalogue_check(const char *path, struct settings_report *report)
{
    struct settings *s = NULL;
    struct catalogue *c = NULL;
    int rc = settings_load_report(path, &s, report);
    if (!rc) {
        rc = catalogue_create(s, &c, report);
        if (check_key(s, report))
            rc = ERR_INVALID;
        warn_of_passwords(s, report);
        warn_of_sites(s, report);
        accounts_warn(s, report);
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
