/* SPDX-License-Identifier: MIT */
/* settings_keep.c: what a running taskrunner does not take over from a configuration that it reads again, and what is
 * news to it. */
#include <string.h>

#include "settings_impl.h"

/* The sections with settings that a taskrunner takes at its start: accounts it uses only then, and what queue has of
 * the kind is for the API. */
static const struct {
    const char *name;
    size_t offset;
} sections[] = {
    {"database", offsetof(struct settings, database)}, {"files", offsetof(struct settings, files)},
    {"runner", offsetof(struct settings, runner)},     {"defer", offsetof(struct settings, defer)},
};

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_list(const struct str_list *a, const struct str_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

static void copy_list(struct arena *arena, struct str_list *to, const struct str_list *from)
{
    const char **items = arena_alloc(arena, (from->count + 1) * sizeof *items);
    for (size_t i = 0; i < from->count; i++)
        items[i] = arena_strdup(arena, from->items[i]);
    *to = (struct str_list){items, from->count};
}

/* Of one that is neither text nor a list. */
static size_t plain_size(const struct setting_row *row)
{
    return row->kind == SETTING_BOOLEAN ? sizeof(bool) : row->kind == SETTING_CHOICE ? sizeof(int) : sizeof(int64_t);
}

static bool same_value(const struct setting_row *row, const void *a, const void *b)
{
    if (setting_is_text(row))
        return same_text(*(const char *const *)a, *(const char *const *)b);
    return row->kind == SETTING_LIST ? same_list(a, b) : memcmp(a, b, plain_size(row)) == 0;
}

/* Puts what stands in OLD into FIELD, with memory from ARENA. */
static void copy_value(const struct setting_row *row, struct arena *arena, void *field, const void *old)
{
    const char *text = setting_is_text(row) ? *(const char *const *)old : NULL;
    if (setting_is_text(row))
        *(const char **)field = text ? arena_strdup(arena, text) : NULL;
    else if (row->kind == SETTING_LIST)
        copy_list(arena, field, old);
    else
        memcpy(field, old, plain_size(row));
}

/* The key is read only where there is a site: with the first one it is news, with the last one gone it is not
 * missed. */
static bool is_key_for_no_site(const struct settings *s, const struct settings *running, const void *field)
{
    return field == &s->defer.key && (!running->defer.key || !s->site_count);
}

void settings_keep(struct settings *s, const struct settings *running, struct settings_report *report)
{
    for (size_t i = 0; i < COUNT_OF(sections); i++) {
        const struct section_row *section = setting_section(sections[i].name);
        for (size_t k = 0; k < section->row_count; k++) {
            const struct setting_row *row = &section->rows[k];
            size_t at = sections[i].offset + row->offset;
            char *field = (char *)s + at;
            const char *old = (const char *)running + at;
            if (row->when != SETTING_RESTART || is_key_for_no_site(s, running, field) || same_value(row, field, old))
                continue;
            copy_value(row, s->memory->arena, field, old);
            settings_warning(report, s->path, settings_line(s, field),
                             "%s %s: stays as it was until a restart", section->name, row->name);
        }
    }
}

static bool same_site(const struct site_def *a, const struct site_def *b)
{
    const struct section_row *section = setting_section("site");
    for (size_t i = 0; i < section->row_count; i++)
        if (!same_value(&section->rows[i], (const char *)a + section->rows[i].offset,
                        (const char *)b + section->rows[i].offset))
            return false;
    return true;
}

bool settings_same_sites(const struct settings *a, const struct settings *b)
{
    for (size_t i = 0; i < a->site_count; i++) {
        const struct site_def *other = settings_site(b, a->sites[i].name);
        if (!other || !same_site(&a->sites[i], other))
            return false;
    }
    return a->site_count == b->site_count;
}
