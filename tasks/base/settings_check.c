/* SPDX-License-Identifier: MIT */
/* settings_check.c: the rules between settings, and passwords from files. What needs to know
 * task types or SQL is checked by layer task. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "settings_impl.h"

enum { PASSWORD_MAX = 512, SECRET_FILE_MAX = 4096 };

#define FAULT(field, ...) settings_error(report, s->path, settings_line(s, field), __VA_ARGS__)

/* --- names of sections ------------------------------------------------------------------------ */

static void check_names(const struct settings *s, struct settings_report *report)
{
    for (size_t i = 0; i < s->account_count; i++) {
        const char *name = s->accounts[i].name;
        if (strcmp(name, "api") != 0 && strcmp(name, "runner") != 0 &&
            strcmp(name, "migration") != 0)
            settings_error(report, s->path, s->accounts[i].line,
                           "there is no account \"%.60s\": write api, runner or migration", name);
    }
    for (size_t i = 0; i < s->source_count; i++)
        settings_check_name(s, "source", s->sources[i].name, s->sources[i].line, report);
    for (size_t i = 0; i < s->export_count; i++) {
        const struct export_def *x = &s->exports[i];
        settings_check_name(s, "export", x->name, x->line, report);
        for (size_t k = 0; k < x->param_count; k++)
            if (settings_check_param_name(s, &x->params[k], report) && strcmp(x->params[k].name, "owner") == 0)
                settings_error(report, s->path, x->params[k].line,
                               "param \"owner\": the name is taken, :owner is always the task's "
                               "creator: choose another name");
    }
}

static const char *column_header(const struct column_def *c)
{
    return c->header ? c->header : c->name;
}

static void check_column(const struct settings *s, const struct import_def *m, size_t k,
                         struct settings_report *report)
{
    const struct column_def *c = &m->columns[k];
    if (strcasecmp(c->name, m->owner) == 0)
        settings_error(report, s->path, c->line,
                       "import \"%s\" column \"%.64s\": it is the owner's column, which is always set to the "
                       "task's creator: take the section away",
                       m->name, c->name);
    if (c->required && c->default_text)
        settings_error(report, s->path, c->line,
                       "import \"%s\" column \"%.64s\": required and default exclude each other: keep one",
                       m->name, c->name);
    if (c->default_text && c->values.count && !str_list_has(&c->values, c->default_text))
        FAULT(&c->default_text, "import \"%s\" column \"%.64s\": its default is none of its values: add it "
                                "there",
              m->name, c->name);
    for (size_t i = 0; i < k; i++)
        if (strcasecmp(column_header(&m->columns[i]), column_header(c)) == 0)
            settings_error(report, s->path, c->line,
                           "import \"%s\" column \"%.64s\": column \"%.64s\" has the same header: give one of "
                           "them another",
                           m->name, c->name, m->columns[i].name);
}

static void check_imports(const struct settings *s, struct settings_report *report)
{
    const struct import_def *is_default = NULL;
    for (size_t i = 0; i < s->import_count; i++) {
        const struct import_def *m = &s->imports[i];
        settings_check_name(s, "import", m->name, m->line, report);
        if (!settings_source(s, m->target))
            FAULT(&m->target, "import \"%s\": there is no source \"%.60s\": add a section source \"%.60s\" "
                              "with an account that may write",
                  m->name, m->target, m->target);
        if (m->is_default && is_default)
            FAULT(&m->is_default, "import \"%s\": import \"%s\" is the default already: only one can be",
                  m->name, is_default->name);
        if (m->is_default)
            is_default = m;
        for (size_t k = 0; k < m->column_count; k++)
            check_column(s, m, k, report);
    }
}

/* --- deferred requests -------------------------------------------------------------------------- */

static void check_site(const struct settings *s, const struct site_def *d, struct settings_report *report)
{
    settings_check_name(s, "site", d->name, d->line, report);
    for (size_t i = 0; i < d->retry_unsafe.count; i++)
        if (d->retry_unsafe.items[i][0] != '/')
            FAULT(&d->retry_unsafe, "site \"%s\" retry_unsafe: \"%.60s\" is no beginning of a URI: begin it with /",
                  d->name, d->retry_unsafe.items[i]);
    for (size_t i = 0; i < d->fail_status.count; i++) {
        const char *text = d->fail_status.items[i];
        bool one = strlen(text) == 3 && strspn(text, "0123456789") == 3;
        if (!(one || (strlen(text) == 3 && strcmp(text + 1, "xx") == 0)) || text[0] < '1' || text[0] > '5')
            FAULT(&d->fail_status, "site \"%s\" fail_status: \"%.20s\" is no status: write one as 503 or a "
                                   "class as 5xx",
                  d->name, text);
    }
}

static void check_header_names(const struct settings *s, const struct str_list *list, const char *name,
                               struct settings_report *report)
{
    for (size_t i = 0; i < list->count; i++)
        if (!setting_is_name(list->items[i]))
            FAULT(list, "defer %s: \"%.60s\" is no name of a header: letters, digits, - and _", name,
                  list->items[i]);
}

static void check_defer(const struct settings *s, struct settings_report *report)
{
    const struct defer_settings *d = &s->defer;
    for (size_t i = 0; i < s->site_count; i++)
        check_site(s, &s->sites[i], report);
    check_header_names(s, &d->drop_headers, "drop_headers", report);
    check_header_names(s, &d->secret_headers, "secret_headers", report);
}

/* --- passwords -------------------------------------------------------------------------------- */

/* Reads the first line of FILE into *SECRET; what prevents it into *FAULT. */
static void read_secret(struct settings *s, const char *const *file, const char **secret, const char **fault,
                        struct settings_report *report)
{
    char *text;
    size_t len;
    mode_t mode;
    struct error e = {0};
    if (settings_read_file(*file, SECRET_FILE_MAX, &text, &len, &mode, &e)) {
        *fault = arena_strdup(s->memory->arena, e.text);
        return;
    }
    len = (size_t)((char *)memchr(text, '\n', len) - text); /* there is one: settings_read_file adds it */
    if (len && text[len - 1] == '\r')
        len--;
    if (memchr(text, '\0', len))
        *fault = "its first line has a NUL byte";
    else if (len > PASSWORD_MAX)
        *fault = "its first line is longer than 512 bytes";
    else
        *secret = arena_strndup(s->memory->arena, text, len);
    free(text);
    if (mode & S_IROTH)
        settings_warning(report, s->path, settings_line(s, file),
                         "everybody can read %s: chmod o-r it", *file);
}

/* Reads the password of a section (WHO, such as account "api") from FILE, if there is one. */
static void take_password(struct settings *s, const char *what, const char *name,
                          const char **password, const char *const *file, const char **fault,
                          struct settings_report *report)
{
    if (*file && *password)
        FAULT(file, "%s \"%s\" has password and password_file: keep one of them", what, name);
    else if (*file)
        read_secret(s, file, password, fault, report);
    if (*fault)
        *fault = arena_printf(s->memory->arena, "%s \"%s\" password_file %s: %s", what, name, *file, *fault);
}

/* The same for the key of deferred requests, which must be one. */
static void take_key(struct settings *s, struct settings_report *report)
{
    struct defer_settings *d = &s->defer;
    bool given = d->key != NULL;
    if (given && settings_line(s, &d->key_file)) {
        FAULT(&d->key_file, "defer has key and key_file: keep one of them");
        return;
    }
    if (!given && s->site_count)
        read_secret(s, &d->key_file, &d->key, &s->defer_key_fault, report);
    if (d->key && (strlen(d->key) != 64 || strspn(d->key, "0123456789abcdefABCDEF") != 64))
        FAULT(given ? (const void *)&d->key : (const void *)&d->key_file,
              "defer %s not 64 hex digits: make them by openssl rand -hex 32",
              given ? "key: it is" : "key_file: it holds");
}

static void check_passwords(struct settings *s, bool world_readable,
                            struct settings_report *report)
{
    bool inside = s->defer.key != NULL;
    take_key(s, report);
    for (size_t i = 0; i < s->account_count; i++) {
        struct account_def *a = &s->accounts[i];
        inside |= a->password != NULL;
        take_password(s, "account", a->name, &a->password, &a->password_file, &a->password_fault,
                      report);
    }
    for (size_t i = 0; i < s->source_count; i++) {
        struct source_def *a = &s->sources[i];
        inside |= a->password != NULL;
        take_password(s, "source", a->name, &a->password, &a->password_file, &a->password_fault,
                      report);
    }
    for (size_t i = 0; i < s->backup_count; i++) {
        struct backup_def *a = &s->backups[i];
        inside |= a->password != NULL;
        take_password(s, "backup", a->name, &a->password, &a->password_file, &a->password_fault,
                      report);
    }
    if (inside && world_readable)
        settings_warning(report, s->path, 0,
                         "everybody can read this file, and it holds a password or key: chmod o-r it, "
                         "or use password_file or key_file");
}

/* --- the rest --------------------------------------------------------------------------------- */

static bool is_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !text[i] || !strchr("0123456789abcdef", text[i]))
            return false;
    }
    return true;
}

static void check_runner(const struct settings *s, struct settings_report *report)
{
    const struct runner_settings *r = &s->runner;
    for (const char *p = r->nickname; p && *p; p++)
        if (*p == ':' || *p == '*' || *p == ',' || (unsigned char)*p < 0x20 || *p == 0x7f) {
            FAULT(&r->nickname, "runner nickname: no colon, comma, * or control character may "
                                "stand in it");
            break;
        }
    if (r->uuid && !is_uuid(r->uuid))
        FAULT(&r->uuid, "runner uuid: \"%s\" is no UUID in lower case, such as "
                        "6f1c9a52-7e0b-4c86-9d0f-5b1b7a3f2c11",
              r->uuid);
    if (r->lease_usec < 3 * r->heartbeat_usec)
        FAULT(settings_line(s, &r->lease_usec) ? &r->lease_usec : &r->heartbeat_usec,
              "runner lease must be at least 3 heartbeats: lengthen lease or shorten heartbeat");
}

static void check_queue(const struct settings *s, struct settings_report *report)
{
    const struct queue_settings *q = &s->queue;
    if (q->backoff_usec > q->backoff_max_usec)
        FAULT(settings_line(s, &q->backoff_usec) ? &q->backoff_usec : &q->backoff_max_usec,
              "queue backoff is longer than backoff_max: lengthen backoff_max");
    for (size_t i = 0; i < s->type_count; i++) {
        const struct type_def *t = &s->types[i];
        int64_t first = t->backoff_usec == SETTING_UNSET ? q->backoff_usec : t->backoff_usec;
        int64_t most = t->backoff_max_usec == SETTING_UNSET ? q->backoff_max_usec
                                                            : t->backoff_max_usec;
        if (first > most && q->backoff_usec <= q->backoff_max_usec)
            settings_error(report, s->path, t->line,
                           "type \"%s\": backoff is longer than backoff_max: lengthen backoff_max",
                           t->name);
    }
}

static void check_api(const struct settings *s, struct settings_report *report)
{
    const char *prefix = s->api.accel_prefix;
    if (prefix[0] != '/' || prefix[strlen(prefix) - 1] != '/' || prefix[strcspn(prefix, "?#% \t")])
        FAULT(&s->api.accel_prefix,
              "api accel_prefix: \"%.60s\" must begin and end with / and hold no space, ?, # or %%",
              prefix);
    if (s->api.max_data_bytes > s->api.max_body_bytes)
        FAULT(settings_line(s, &s->api.max_data_bytes) ? &s->api.max_data_bytes
                                                       : &s->api.max_body_bytes,
              "api max_data is larger than max_body: enlarge max_body");
}

static void check_exports(const struct settings *s, struct settings_report *report)
{
    const struct export_def *is_default = NULL;
    for (size_t i = 0; i < s->export_count; i++) {
        const struct export_def *x = &s->exports[i];
        if (x->source && !settings_source(s, x->source))
            FAULT(&x->source, "export \"%s\": there is no source \"%.60s\": add a section source "
                              "\"%.60s\"",
                  x->name, x->source, x->source);
        else if (!x->source && s->source_count != 1)
            settings_error(report, s->path, x->line,
                           s->source_count ? "export \"%s\": there are several sources: name one "
                                             "with source = ..."
                                           : "export \"%s\" has nothing to read: add a section "
                                             "source",
                           x->name);
        if (x->is_default && is_default)
            FAULT(&x->is_default, "export \"%s\": export \"%s\" is the default already: only one "
                                  "can be",
                  x->name, is_default->name);
        if (x->is_default)
            is_default = x;
    }
}

static void check_backup(const struct settings *s, const struct backup_def *b,
                         struct settings_report *report)
{
    settings_check_name(s, "backup", b->name, b->line, report);
    if (b->source && !settings_source(s, b->source))
        FAULT(&b->source, "backup \"%s\": there is no source \"%.60s\": add a section source "
                          "\"%.60s\"",
              b->name, b->source, b->source);
    else if (!b->source && s->source_count != 1)
        settings_error(report, s->path, b->line,
                       s->source_count ? "backup \"%s\": there are several sources: name one with "
                                         "source = ..."
                                       : "backup \"%s\" has nothing to read: add a section source",
                       b->name);
    if (!b->user && (b->password || b->password_file))
        FAULT(b->password ? (const void *)&b->password : (const void *)&b->password_file,
              "backup \"%s\" has a password without user: add user, or take the password away to use "
              "the source's account",
              b->name);
    if (b->tables.count && b->exclude.count)
        FAULT(&b->exclude, "backup \"%s\" has tables and exclude: keep one of them", b->name);
    if (b->level != SETTING_UNSET && b->compression == BACKUP_PLAIN)
        FAULT(&b->level, "backup \"%s\": level means nothing with compression = none: take it away",
              b->name);
    if (b->compression == BACKUP_GZIP && b->level > 9)
        FAULT(&b->level, "backup \"%s\": level goes to 9 with compression = gzip: lower it, or use zstd",
              b->name);
}

static void check_backups(const struct settings *s, struct settings_report *report)
{
    const struct backup_def *is_default = NULL;
    for (size_t i = 0; i < s->backup_count; i++) {
        const struct backup_def *b = &s->backups[i];
        check_backup(s, b, report);
        if (b->is_default && is_default)
            FAULT(&b->is_default, "backup \"%s\": backup \"%s\" is the default already: only one can be",
                  b->name, is_default->name);
        if (b->is_default)
            is_default = b;
    }
}

void settings_check(struct settings *s, bool world_readable, struct settings_report *report)
{
    check_names(s, report);
    check_runner(s, report);
    check_queue(s, report);
    check_api(s, report);
    check_exports(s, report);
    check_backups(s, report);
    settings_check_commands(s, report);
    check_imports(s, report);
    check_defer(s, report);
    check_passwords(s, world_readable, report);
}
