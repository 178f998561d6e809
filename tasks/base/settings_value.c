/* SPDX-License-Identifier: MIT */
/* settings_value.c: one value of the configuration, from its text to its field, by the rules of its
 * row. Knows no file and no line. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "settings_impl.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* the largest first, so that a number is written with the largest unit that leaves no rest */
static const struct unit duration_units[] = {
    {"d", INT64_C(86400000000)}, {"h", INT64_C(3600000000)}, {"m", 60000000},
    {"s", 1000000},              {"ms", 1000},               {NULL, 0},
};
static const struct unit size_units[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {NULL, 0},
};

const char *setting_kind_name(enum setting_kind kind)
{
    static const char *const names[] = {
        [SETTING_STRING] = "text",
        [SETTING_PATH] = "path",
        [SETTING_LIST] = "list",
        [SETTING_INTEGER] = "integer",
        [SETTING_BOOLEAN] = "yes or no",
        [SETTING_DURATION] = "duration",
        [SETTING_SIZE] = "size",
        [SETTING_MODE] = "mode",
        [SETTING_CHOICE] = "word",
        [SETTING_SECRET] = "secret text",
        [SETTING_SECRET_FILE] = "path",
    };
    return names[kind];
}

bool setting_is_text(const struct setting_row *row)
{
    return row->kind == SETTING_STRING || row->kind == SETTING_PATH || row->kind == SETTING_SECRET ||
           row->kind == SETTING_SECRET_FILE;
}

/* --- for people ------------------------------------------------------------------------------ */

static void add_number(struct buf *out, const struct unit *units, int64_t n)
{
    for (const struct unit *u = units; u->name; u++)
        if (n && n % u->factor == 0) {
            buf_add_i64(out, n / u->factor);
            buf_adds(out, u->name);
            return;
        }
    buf_add_i64(out, n);
}

void duration_text(struct buf *out, int64_t usec)
{
    add_number(out, duration_units, usec);
}

static void add_bound(const struct setting_row *row, struct buf *out, int64_t n)
{
    if (row->kind == SETTING_DURATION)
        add_number(out, duration_units, n);
    else if (row->kind == SETTING_SIZE)
        add_number(out, size_units, n);
    else if (row->kind == SETTING_MODE)
        buf_addf(out, "%04o", (unsigned)n);
    else
        buf_add_i64(out, n);
}

void setting_describe_range(const struct setting_row *row, struct buf *out)
{
    switch (row->kind) {
    case SETTING_BOOLEAN:
        buf_adds(out, "yes or no");
        return;
    case SETTING_CHOICE:
        buf_adds(out, "one of ");
        for (const char *p = row->detail; *p; p++) {
            if (*p == '|')
                buf_adds(out, ", ");
            else
                buf_addc(out, *p);
        }
        return;
    case SETTING_STRING:
    case SETTING_PATH:
    case SETTING_LIST:
    case SETTING_INTEGER:
    case SETTING_DURATION:
    case SETTING_SIZE:
    case SETTING_MODE:
    case SETTING_SECRET:
    case SETTING_SECRET_FILE:
        break;
    }
    add_bound(row, out, row->min);
    buf_adds(out, " to ");
    add_bound(row, out, row->max);
    if (row->kind == SETTING_LIST)
        buf_adds(out, " words");
    else if (setting_is_text(row))
        buf_adds(out, " bytes");
    else if (row->detail)
        buf_addf(out, " %s", row->detail);
}

static int range_error(const struct setting_row *row, const char *text, struct error *e)
{
    struct buf range = BUF_INIT;
    setting_describe_range(row, &range);
    int rc = error_set(e, ERR_INVALID, "%.60s is out of range: write %s", text, buf_str(&range));
    buf_free(&range);
    return rc;
}

/* --- reading --------------------------------------------------------------------------------- */

/* A number and one of UNITS; only 0 may stand without. False where TEXT is not of that form. */
static bool read_with_unit(const char *text, const struct unit *units, bool unit_needed,
                           int64_t *out)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || errno)
        return false;
    while (*end == ' ')
        end++;
    if (!*end && (n == 0 || !unit_needed)) {
        *out = n;
        return true;
    }
    for (const struct unit *u = units; u->name; u++)
        if (strcmp(end, u->name) == 0)
            return !__builtin_mul_overflow(n, u->factor, out);
    return false;
}

static int read_number(const struct setting_row *row, const char *text, int64_t *out,
                       struct error *e)
{
    int64_t n = 0;
    char *end;
    errno = 0;
    switch ((int)row->kind) {
    case SETTING_DURATION:
        if (!read_with_unit(text, duration_units, true, &n))
            return error_set(e, ERR_INVALID,
                             "\"%.60s\" is no duration: write a number with its unit, such as "
                             "500ms, 30s, 5m, 2h or 14d",
                             text);
        break;
    case SETTING_SIZE:
        if (!read_with_unit(text, size_units, false, &n))
            return error_set(e, ERR_INVALID,
                             "\"%.60s\" is no size: write bytes, or a number with its unit, such "
                             "as 64KiB, 10MiB or 1GiB",
                             text);
        break;
    case SETTING_MODE:
        n = strtoll(text, &end, 8);
        if (text[0] != '0' || *end || errno)
            return error_set(e, ERR_INVALID,
                             "\"%.60s\" is no mode: write it in octal, such as 0640", text);
        break;
    default:
        n = strtoll(text, &end, 10);
        if (!*text || *end || errno || isspace((unsigned char)text[0]) || text[0] == '+')
            return error_set(e, ERR_INVALID, "\"%.60s\" is no integer in decimal digits", text);
    }
    if (n < row->min || n > row->max)
        return range_error(row, text, e);
    *out = n;
    return 0;
}

static int read_boolean(const char *text, bool *out, struct error *e)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2;
            return 0;
        }
    return error_set(e, ERR_INVALID, "\"%.60s\" is neither yes nor no", text);
}

static int read_choice(const struct setting_row *row, const char *text, int *out, struct error *e)
{
    int n = 0;
    for (const char *word = row->detail; word; n++) {
        size_t len = strcspn(word, "|");
        if (strlen(text) == len && strncmp(text, word, len) == 0) {
            *out = n;
            return 0;
        }
        word = word[len] ? word + len + 1 : NULL;
    }
    struct buf range = BUF_INIT;
    setting_describe_range(row, &range);
    error_set(e, ERR_INVALID, "\"%.60s\" is not known here: write %s", text, buf_str(&range));
    buf_free(&range);
    return ERR_INVALID;
}

static int read_string(const struct setting_row *row, const char *text, struct arena *arena,
                       const char **out, struct error *e)
{
    int64_t len = (int64_t)strlen(text);
    if (len < row->min || len > row->max) {
        struct buf range = BUF_INIT;
        setting_describe_range(row, &range);
        error_set(e, ERR_INVALID, "a text of %lld bytes is too %s: write %s", (long long)len,
                  len < row->min ? "short" : "long", buf_str(&range));
        buf_free(&range);
        return ERR_INVALID;
    }
    if ((row->kind == SETTING_PATH || row->kind == SETTING_SECRET_FILE) && text[0] != '/')
        return error_set(e, ERR_INVALID, "\"%.60s\" is no absolute path: begin it with /", text);
    *out = arena_strdup(arena, text);
    return 0;
}

static int read_list(const struct setting_row *row, const struct setting_text *text,
                     struct arena *arena, struct str_list *out, struct error *e)
{
    if ((int64_t)text->count < row->min || (int64_t)text->count > row->max)
        return error_set(e, ERR_INVALID, "%zu words are too many: write at most %lld", text->count,
                         (long long)row->max);
    const char **items = arena_alloc(arena, (text->count + 1) * sizeof *items);
    for (size_t i = 0; i < text->count; i++) {
        if (!text->items[i][0])
            return error_set(e, ERR_INVALID, "word %zu of the list is empty: leave it out", i + 1);
        for (size_t k = 0; k < i; k++)
            if (strcmp(items[k], text->items[i]) == 0)
                return error_set(e, ERR_INVALID, "\"%.60s\" stands twice: once is enough",
                                 text->items[i]);
        items[i] = arena_strdup(arena, text->items[i]);
    }
    *out = (struct str_list){items, text->count};
    return 0;
}

int setting_read(const struct setting_row *row, const struct setting_text *text,
                 struct arena *arena, void *field, struct error *e)
{
    const char *first = text->count ? text->items[0] : "";
    switch (row->kind) {
    case SETTING_STRING:
    case SETTING_PATH:
    case SETTING_SECRET:
    case SETTING_SECRET_FILE:
        return read_string(row, first, arena, field, e);
    case SETTING_LIST:
        return read_list(row, text, arena, field, e);
    case SETTING_INTEGER:
    case SETTING_DURATION:
    case SETTING_SIZE:
    case SETTING_MODE:
        return read_number(row, first, field, e);
    case SETTING_BOOLEAN:
        return read_boolean(first, field, e);
    case SETTING_CHOICE:
        return read_choice(row, first, field, e);
    }
    log_bug("setting %s has no kind", row->name);
}

struct setting_text setting_split(const struct setting_row *row, const char *text,
                                  struct arena *arena)
{
    struct setting_text out = {NULL, 0};
    out.items = arena_alloc(arena, (strlen(text) + 1) * sizeof *out.items);
    if (row->kind != SETTING_LIST) {
        out.items[out.count++] = text;
        return out;
    }
    while (*text) {
        text += strspn(text, "{}, ");
        size_t len = strcspn(text, "{}, ");
        if (len)
            out.items[out.count++] = arena_strndup(arena, text, len);
        text += len;
    }
    return out;
}

void setting_read_default(const struct setting_row *row, struct arena *arena, void *field)
{
    if (row->def) {
        struct error e = {0};
        struct setting_text text = setting_split(row, row->def, arena);
        if (setting_read(row, &text, arena, field, &e))
            log_bug("settings.def: default of %s: %s", row->name, e.text);
        return;
    }
    switch (row->kind) {
    case SETTING_STRING:
    case SETTING_PATH:
    case SETTING_SECRET:
    case SETTING_SECRET_FILE:
        *(const char **)field = NULL;
        return;
    case SETTING_LIST:
        *(struct str_list *)field = (struct str_list){NULL, 0};
        return;
    case SETTING_INTEGER:
    case SETTING_DURATION:
    case SETTING_SIZE:
    case SETTING_MODE:
        *(int64_t *)field = SETTING_UNSET;
        return;
    case SETTING_BOOLEAN:
    case SETTING_CHOICE:
        break;
    }
    log_bug("settings.def: %s needs a default", row->name);
}

int duration_parse(const char *text, int64_t *usec)
{
    return read_with_unit(text, duration_units, true, usec) ? 0 : ERR_INVALID;
}
