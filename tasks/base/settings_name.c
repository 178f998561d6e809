/* SPDX-License-Identifier: MIT */
/* settings_name.c: what names are made of, and what is said of those that are not. */
#include <string.h>

#include "settings_impl.h"

enum { NAME_MAX_LENGTH = 64 };

#define DIGITS "0123456789"
#define IDENTIFIER "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_"

size_t setting_identifier(const char *text)
{
    return strchr(DIGITS, *text) ? 0 : strspn(text, IDENTIFIER);
}

bool setting_is_name(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= NAME_MAX_LENGTH && strspn(text, IDENTIFIER "-") == len;
}

void settings_check_name(const struct settings *s, const char *section, const char *name, int line,
                         struct settings_report *report)
{
    if (!setting_is_name(name))
        settings_error(report, s->path, line,
                       "%s \"%.60s\": a name is made of 1 to 64 letters, digits, _ and -", section, name);
}

bool settings_check_param_name(const struct settings *s, const struct param_def *param, struct settings_report *report)
{
    size_t len = setting_identifier(param->name);
    if (len && !param->name[len] && len <= NAME_MAX_LENGTH)
        return true;
    settings_error(report, s->path, param->line,
                   "param \"%.60s\": its name is made of 1 to 64 letters, digits and _, not beginning with a digit",
                   param->name);
    return false;
}
