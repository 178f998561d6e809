/* SPDX-License-Identifier: MIT */
/* command_progress.c: reads a program's lines of progress, and takes no harm from what is none. */
#include "command_progress.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "task/run.h"

enum { PERCENT = 100 };

void command_progress_begin(struct command_progress *p, struct run *r)
{
    p->run = r;
    p->so_far = (struct progress_so_far){0};
    p->complained = p->skipping = false;
    p->len = 0;
}

/* A number that is not negative, cut to an integer; null counts as 0. False where it is none. */
static bool read_count(struct json_object *json, uint64_t *out)
{
    if (!json) {
        *out = 0;
        return true;
    }
    double d = json_object_get_double(json);
    if (json_object_is_type(json, json_type_int)) {
        *out = json_object_get_uint64(json); /* 0 for negative ones */
        return d >= 0;
    }
    if (!json_object_is_type(json, json_type_double) || d < 0 || d > 0x1p63)
        return false;
    *out = (uint64_t)d;
    return true;
}

/* Text, cut at SIZE bytes but not within a character; null is none. False where it is no text. */
static bool read_text(struct json_object *json, char *out, size_t size)
{
    if (json && !json_object_is_type(json, json_type_string))
        return false;
    const char *text = json ? json_object_get_string(json) : "";
    size_t len = strlen(text);
    if (len > size - 1)
        len = utf8_valid_prefix(text, size - 1);
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool read_percent(struct json_object *json, double *out)
{
    *out = json_object_get_double(json);
    return (json_object_is_type(json, json_type_int) || json_object_is_type(json, json_type_double)) &&
           *out >= 0 && *out <= PERCENT;
}

static bool read_members(struct json_object *object, struct progress_so_far *p)
{
    struct json_object *value;
    double percent;
    bool counted = false;
    if (json_object_object_get_ex(object, "total", &value) && !read_count(value, &p->total))
        return false;
    if (json_object_object_get_ex(object, "done", &value)) {
        if (!read_count(value, &p->done))
            return false;
        counted = true;
    }
    if (json_object_object_get_ex(object, "unit", &value) && !read_text(value, p->unit, sizeof p->unit))
        return false;
    if (json_object_object_get_ex(object, "message", &value) &&
        !read_text(value, p->message, sizeof p->message))
        return false;
    if (json_object_object_get_ex(object, "percent", &value) && value) {
        if (!read_percent(value, &percent))
            return false;
        if (!counted && !p->total) { /* all that is known */
            p->total = PERCENT;
            memcpy(p->unit, "%", sizeof "%");
        }
        if (!counted)
            p->done = (uint64_t)floor((double)p->total * percent / PERCENT);
    }
    return true;
}

bool command_progress_read(struct progress_so_far *p, const char *line, size_t len)
{
    struct json_object *json = NULL;
    struct progress_so_far next = *p;
    bool good = json_parse(line, len, &json, NULL) == 0 && json_object_is_type(json, json_type_object) &&
                read_members(json, &next);
    json_object_put(json);
    if (good)
        *p = next;
    return good;
}

static void complain(struct command_progress *p)
{
    if (!p->complained)
        run_log(p->run, "descriptor 3: what is no line of progress is left out (said once)");
    p->complained = true;
}

static void end_line(struct command_progress *p)
{
    size_t len = p->len;
    bool skipped = p->skipping;
    p->len = 0;
    p->skipping = false;
    if (!skipped && len == strspn(p->line, " \t\r"))
        return;
    if (skipped || !command_progress_read(&p->so_far, p->line, len)) {
        complain(p);
        return;
    }
    run_progress(p->run, p->so_far.done, p->so_far.total, p->so_far.unit);
    run_progress_message(p->run, *p->so_far.message ? p->so_far.message : NULL);
}

void command_progress_add(struct command_progress *p, const char *data, size_t len)
{
    while (len) {
        const char *end = memchr(data, '\n', len);
        size_t n = end ? (size_t)(end - data) : len;
        size_t room = sizeof p->line - 1 - p->len;
        p->skipping |= n > room;
        if (!p->skipping) {
            memcpy(p->line + p->len, data, n);
            p->len += n;
            p->line[p->len] = '\0';
        }
        n += end != NULL;
        data += n;
        len -= n;
        if (end)
            end_line(p);
    }
}
