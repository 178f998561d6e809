/* SPDX-License-Identifier: MIT */
/* settings_check.c: the rules between settings, and passwords from files. What needs to know
 * task types or SQL is checked by layer task. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "settings_impl.h"

enum { PASSWORD_MAX = 512 };

#define FAULT(field, ...) settings_error(report, s->path, settings_line(s, field), __VA_ARGS__)

/* --- names of sections ------------------------------------------------------------------------ */

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

/* Whether NAME is 1 to 64 letters, digits, _ and bytes of MORE. */
static bool plain_name(const char *name, const char *more)
{
    size_t len = 0;
    for (const char *p = name; *p; p++, len++)
        if (!strchr(lower, *p) && !strchr(upper, *p) && !strchr(digits, *p) && *p != '_' &&
            !strchr(more, *p))
            return false;
    return len >= 1 && len <= 64;
}

static void check_names(const struct settings *s, struct settings_report *report)
{
    static const char rule[] = "a name is made of 1 to 64 letters, digits, _ and -";
    for (size_t i = 0; i < s->account_count; i++) {
        const char *name = s->accounts[i].name;
        if (strcmp(name, "api") != 0 && strcmp(name, "runner") != 0 &&
            strcmp(name, "migration") != 0)
            settings_error(report, s->path, s->accounts[i].line,
                           "there is no account \"%.60s\": write api, runner or migration", name);
    }
    for (size_t i = 0; i < s->source_count; i++)
        if (!plain_name(s->sources[i].name, "-"))
            settings_error(report, s->path, s->sources[i].line, "source \"%.60s\": %s",
                           s->sources[i].name, rule);
    for (size_t i = 0; i < s->export_count; i++) {
        const struct export_def *x = &s->exports[i];
        if (!plain_name(x->name, "-"))
            settings_error(report, s->path, x->line, "export \"%.60s\": %s", x->name, rule);
        for (size_t k = 0; k < x->param_count; k++) {
            const char *name = x->params[k].name;
            if (!plain_name(name, "") || strchr(digits, name[0]))
                settings_error(report, s->path, x->params[k].line,
                               "param \"%.60s\": its name is made of 1 to 64 letters, digits and "
                               "_, not beginning with a digit",
                               name);
            else if (strcmp(name, "owner") == 0)
                settings_error(report, s->path, x->params[k].line,
                               "param \"owner\": the name is taken, :owner is always the task's "
                               "creator: choose another name");
        }
    }
}

/* --- passwords -------------------------------------------------------------------------------- */

/* Reads the password of a section (WHO, such as account "api") from FILE, if there is one. */
static void take_password(struct settings *s, const char *what, const char *name,
                          const char **password, const char *const *file, const char **fault,
                          struct settings_report *report)
{
    if (!*file)
        return;
    if (*password) {
        FAULT(file, "%s \"%s\" has password and password_file: keep one of them", what, name);
        return;
    }
    char *text;
    size_t len;
    mode_t mode;
    struct error e = {0};
    if (settings_read_file(*file, PASSWORD_MAX, &text, &len, &mode, &e)) {
        *fault = arena_strdup(s->memory->arena, e.text);
        return;
    }
    len--; /* the newline that settings_read_file adds */
    if (len && text[len - 1] == '\n')
        len--;
    if (len && text[len - 1] == '\r')
        len--;
    *password = arena_strndup(s->memory->arena, text, len);
    free(text);
    if (mode & S_IROTH)
        settings_warning(report, s->path, settings_line(s, file),
                         "everybody can read %s: chmod o-r it", *file);
}

static void check_passwords(struct settings *s, bool world_readable,
                            struct settings_report *report)
{
    bool inside = false;
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
    if (inside && world_readable)
        settings_warning(report, s->path, 0,
                         "everybody can read this file, and it holds a password: chmod o-r it, or "
                         "use password_file");
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

void settings_check(struct settings *s, bool world_readable, struct settings_report *report)
{
    check_names(s, report);
    check_runner(s, report);
    check_queue(s, report);
    check_api(s, report);
    check_exports(s, report);
    settings_check_commands(s, report);
    check_passwords(s, world_readable, report);
}
