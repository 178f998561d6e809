/* SPDX-License-Identifier: MIT */
/* settings_keep.c: what a running taskrunner does not take over from a configuration that it reads again. */
#include <string.h>

#include "settings_impl.h"

/* The sections whose settings a taskrunner uses; accounts it uses at its start only. */
static const struct {
    const char *name;
    size_t offset;
} sections[] = {
    {"database", offsetof(struct settings, database)}, {"files", offsetof(struct settings, files)},
    {"runner", offsetof(struct settings, runner)},     {"defer", offsetof(struct settings, defer)},
    {"queue", offsetof(struct settings, queue)},
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

/* Puts what stands in OLD into FIELD, with memory from ARENA; false where it stood there already. */
static bool keep_value(const struct setting_row *row, struct arena *arena, void *field, const void *old)
{
    size_t size = sizeof(int64_t);
    switch (row->kind) {
    case SETTING_STRING:
    case SETTING_PATH:
    case SETTING_SECRET:
    case SETTING_SECRET_FILE: {
        const char *text = *(const char *const *)old;
        if (same_text(*(const char **)field, text))
            return false;
        *(const char **)field = text ? arena_strdup(arena, text) : NULL;
        return true;
    }
    case SETTING_LIST:
        if (same_list(field, old))
            return false;
        copy_list(arena, field, old);
        return true;
    case SETTING_BOOLEAN:
        size = sizeof(bool);
        break;
    case SETTING_CHOICE:
        size = sizeof(int);
        break;
    case SETTING_INTEGER:
    case SETTING_DURATION:
    case SETTING_SIZE:
    case SETTING_MODE:
        break;
    }
    if (memcmp(field, old, size) == 0)
        return false;
    memcpy(field, old, size);
    return true;
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
            if (row->when != SETTING_RESTART || is_key_for_no_site(s, running, field) ||
                !keep_value(row, s->memory->arena, field, (const char *)running + at))
                continue;
            settings_warning(report, s->path, settings_line(s, field),
                             "%s %s: stays as it was until a restart", section->name, row->name);
        }
    }
}
