/* SPDX-License-Identifier: MIT */
/* settings_table.c: the rows of settings.def as tables. */
#include <string.h>

#include "settings_impl.h"

/* Its text is no default's: a compiler may give equal literals one address. */
const char setting_required[] = "(required)";

#define REQUIRED setting_required
#define MILLISECONDS(n) (INT64_C(1000) * (n))
#define SECONDS(n) (INT64_C(1000000) * (n))
#define MINUTES(n) (INT64_C(60) * SECONDS(n))
#define DAYS(n) (INT64_C(1440) * MINUTES(n))
#define MEBIBYTES(n) (INT64_C(1048576) * (n))

#define SECTION(tag, name, how, text) static const struct setting_row rows_##tag[] = {
#define SETTING(tag, field, name, kind, min, max, def, detail, when, example, text) \
    {name, SETTING_##kind, min, max, def, detail, SETTING_##when, example, text,    \
     offsetof(struct tag, field)},
#define SECTION_END(tag) \
    }                    \
    ;
#include "base/settings.def"
#undef SECTION
#undef SETTING
#undef SECTION_END

#define SECTION(tag, name, how, text) \
    {name, SECTION_##how, text, rows_##tag, COUNT_OF(rows_##tag), sizeof(struct tag)},
#define SETTING(...)
#define SECTION_END(tag)
const struct section_row setting_sections[] = {
#include "base/settings.def"
};

const size_t setting_section_count = COUNT_OF(setting_sections);

bool settings_has_params(const struct section_row *section)
{
    return strcmp(section->name, "export") == 0 || strcmp(section->name, "command") == 0;
}

const struct section_row *setting_section(const char *name)
{
    for (size_t i = 0; i < setting_section_count; i++)
        if (strcmp(setting_sections[i].name, name) == 0)
            return &setting_sections[i];
    return NULL;
}
