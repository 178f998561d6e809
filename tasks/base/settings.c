/* SPDX-License-Identifier: MIT */
/* settings.c: loads the configuration file, keeps the report of what is wrong, and finds
 * sections. */
#include "base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "settings_impl.h"

enum { FILE_MAX = 16 << 20 };

/* --- the report ------------------------------------------------------------------------------ */

void settings_report_free(struct settings_report *r)
{
    buf_free(&r->text);
    *r = (struct settings_report)SETTINGS_REPORT_INIT;
}

static const char warning_word[] = "warning: ";

static void add_problem(struct settings_report *r, bool warning, const char *path, int line,
                        const char *fmt, va_list ap)
{
    char text[2000], where[16] = "";
    vsnprintf(text, sizeof text, fmt, ap);
    if (line > 0)
        snprintf(where, sizeof where, ":%d", line);
    buf_addf(&r->text, "%s%s: %s%s\n", path, where, warning ? warning_word : "", text);
    if (warning)
        r->warnings++;
    else if (!r->errors++)
        error_set(&r->first, ERR_INVALID, "%s%s: %s", path, where, text);
}

int settings_error(struct settings_report *r, const char *path, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_problem(r, false, path, line, fmt, ap);
    va_end(ap);
    return ERR_INVALID;
}

void settings_warning(struct settings_report *r, const char *path, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_problem(r, true, path, line, fmt, ap);
    va_end(ap);
}

/* --- loading --------------------------------------------------------------------------------- */

const char *settings_path(const char *option)
{
    const char *path = option ? option : getenv("BACKDESK_CONFIG");
    return path && *path ? path : SYSCONFDIR "/backdesk/backdesk.conf";
}

int settings_read_file(const char *path, size_t max, char **text, size_t *len, mode_t *mode,
                       struct error *e)
{
    int rc = 0;
    size_t cap = 4096, at = 0;
    char *data = xmalloc(cap);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st)) {
        rc = error_errno(e, ERR_IO, "cannot read it");
        goto out;
    }
    for (;;) {
        ssize_t n = read(fd, data + at, cap - at - 2);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rc = error_errno(e, ERR_IO, "cannot read it");
            goto out;
        }
        if (!n)
            break;
        at += (size_t)n;
        if (at > max) {
            rc = error_set(e, ERR_LIMIT, "it is larger than %zu bytes", max);
            goto out;
        }
        if (cap - at < 1024)
            data = xrealloc(data, cap *= 2);
    }
    data[at] = '\n';
    data[at + 1] = '\0';
    *len = at + 1;
    *text = data;
    data = NULL;
    if (mode)
        *mode = st.st_mode;
out:
    if (fd >= 0)
        close(fd);
    free(data);
    return rc;
}

int settings_load_report(const char *path, struct settings **out, struct settings_report *report)
{
    char *text = NULL;
    size_t len;
    mode_t mode;
    struct error e = {0};
    int rc = settings_read_file(path, FILE_MAX, &text, &len, &mode, &e);
    if (rc) {
        settings_error(report, path, 0, "%s", e.text);
        report->first.code = rc;
        return rc;
    }
    struct settings *s = xcalloc(1, sizeof *s);
    s->memory = xcalloc(1, sizeof *s->memory);
    s->memory->arena = arena_create();
    s->path = arena_strdup(s->memory->arena, path);

    int before = report->errors;
    settings_parse(s, text, len, report);
    if (report->errors == before)
        settings_check(s, mode & S_IROTH, report);
    free(text);
    if (report->errors > before) {
        settings_free(&s);
        return ERR_INVALID;
    }
    *out = s;
    return 0;
}

/* The log says itself that it is one. */
void settings_log_warnings(struct settings_report *report)
{
    const char *p = buf_str(&report->text);
    for (size_t len; *p; p += len + 1) {
        len = strcspn(p, "\n");
        const char *word = memmem(p, len, warning_word, sizeof warning_word - 1);
        const char *end = word ? word : p + len, *more = word ? word + sizeof warning_word - 1 : end;
        log_warning("%.*s%.*s", (int)(end - p), p, (int)(p + len - more), more);
    }
}

int settings_load(const char *path, struct settings **out, struct error *e)
{
    struct settings_report report = SETTINGS_REPORT_INIT;
    int rc = settings_load_report(path, out, &report);
    if (rc)
        error_set(e, (enum err)rc, "%s", report.first.text);
    else
        settings_log_warnings(&report);
    settings_report_free(&report);
    return rc;
}

void settings_free(struct settings **s)
{
    if (!*s)
        return;
    struct settings_memory *m = (*s)->memory;
    arena_destroy(&m->arena);
    free(m->lines);
    free(m);
    free(*s);
    *s = NULL;
}

/* --- looking things up ----------------------------------------------------------------------- */

int settings_queue_address(const struct settings *s, const char *account, struct db_address *out,
                           struct error *e)
{
    const struct account_def *a = NULL;
    for (size_t i = 0; i < s->account_count; i++)
        if (strcmp(s->accounts[i].name, account) == 0)
            a = &s->accounts[i];
    if (!a)
        return error_set(e, ERR_NOT_FOUND,
                         "%s: there is no section account \"%s\": add one with user and password",
                         s->path, account);
    if (a->password_fault)
        return error_set(e, ERR_DENIED, "%s:%d: %s", s->path, settings_line(s, &a->password_file),
                         a->password_fault);
    *out = (struct db_address){
        .socket = s->database.socket,
        .host = s->database.host,
        .port = (unsigned)s->database.port,
        .name = s->database.name,
        .user = a->user,
        .password = a->password,
        .tls_ca = s->database.tls_ca,
        .connect_timeout_usec = s->database.connect_timeout_usec,
    };
    return 0;
}

int settings_source_address(const struct source_def *source, struct db_address *out,
                            struct error *e)
{
    if (source->password_fault)
        return error_set(e, ERR_DENIED, "%s", source->password_fault);
    *out = (struct db_address){
        .socket = source->socket,
        .host = source->host,
        .port = (unsigned)source->port,
        .name = source->database,
        .user = source->user,
        .password = source->password,
        .tls_ca = source->tls_ca,
        .connect_timeout_usec = source->connect_timeout_usec,
    };
    return 0;
}

int settings_defer_key(const struct settings *s, const char **hex, struct error *e)
{
    if (!s->defer.key)
        return error_set(e, ERR_DENIED,
                         "%s: defer key_file %s: %s: make it by openssl rand -hex 32, for API and runners alike",
                         s->path, s->defer.key_file, s->defer_key_fault ? s->defer_key_fault : "no site needs it");
    *hex = s->defer.key;
    return 0;
}

#define FIND(array, count, wanted)                      \
    do {                                                \
        for (size_t i = 0; i < (count); i++)            \
            if (strcmp((array)[i].name, (wanted)) == 0) \
                return &(array)[i];                     \
        return NULL;                                    \
    } while (0)

const struct source_def *settings_source(const struct settings *s, const char *name)
{
    FIND(s->sources, s->source_count, name);
}

const struct export_def *settings_export(const struct settings *s, const char *name)
{
    FIND(s->exports, s->export_count, name);
}

const struct backup_def *settings_backup(const struct settings *s, const char *name)
{
    FIND(s->backups, s->backup_count, name);
}

const struct site_def *settings_site(const struct settings *s, const char *name)
{
    FIND(s->sites, s->site_count, name);
}

const struct type_def *settings_type(const struct settings *s, const char *name)
{
    FIND(s->types, s->type_count, name);
}

const struct command_def *settings_command(const struct settings *s, const char *name)
{
    FIND(s->commands, s->command_count, name);
}

const struct source_def *settings_export_source(const struct settings *s,
                                                const struct export_def *e)
{
    if (e->source)
        return settings_source(s, e->source);
    return s->source_count == 1 ? &s->sources[0] : NULL;
}

struct source_def settings_backup_source(const struct settings *s, const struct backup_def *b)
{
    struct source_def source = b->source ? *settings_source(s, b->source) : s->sources[0];
    if (!b->user)
        return source;
    source.user = b->user;
    source.password = b->password;
    source.password_file = b->password_file;
    source.password_fault = b->password_fault;
    return source;
}

static const struct setting_line *find_line(const struct settings *s, const void *field)
{
    size_t low = 0, high = s->memory->line_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->memory->lines[middle].field == field)
            return &s->memory->lines[middle];
        if (s->memory->lines[middle].field < field)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int settings_line(const struct settings *s, const void *field)
{
    const struct setting_line *l = find_line(s, field);
    return l ? l->line : 0;
}

int settings_line_within(const struct settings *s, const char *const *field, int nth)
{
    const struct setting_line *l = find_line(s, field);
    int more = 0;
    for (const char *p = *field; *p; p++)
        more += *p == '\n';
    return !l ? 0 : l->last - l->line == more ? l->line + nth - 1 : l->line;
}

bool str_list_has(const struct str_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], word) == 0)
            return true;
    return false;
}
