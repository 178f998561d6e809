/* SPDX-License-Identifier: MIT */
/* drive_json.c: arguments from JSON and answers to JSON, for drive_store. */
#include <string.h>

#include "base/clock.h"
#include "drive.h"

struct json_object *member(struct json_object *in, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(in, name, &value);
    return value;
}

const char *text_of(struct json_object *in, const char *name)
{
    struct json_object *value = member(in, name);
    return value ? json_object_get_string(value) : NULL;
}

int64_t int_of(struct json_object *in, const char *name, int64_t otherwise)
{
    struct json_object *value = member(in, name);
    return value ? json_object_get_int64(value) : otherwise;
}

uint64_t uint_of(struct json_object *in, const char *name)
{
    struct json_object *value = member(in, name);
    return value ? json_object_get_uint64(value) : 0;
}

size_t count_of(struct json_object *array)
{
    return array ? json_object_array_length(array) : 0;
}

size_t read_texts(struct json_object *in, const char *name, const char **out)
{
    struct json_object *list = member(in, name);
    for (size_t i = 0; i < count_of(list); i++)
        out[i] = json_object_get_string(json_object_array_get_idx(list, i));
    return count_of(list);
}

static void put_name(struct buf *out, const char *name)
{
    char last = out->len ? out->data[out->len - 1] : '\0';
    if (last != '{' && last != '[')
        buf_addc(out, ',');
    buf_json_s(out, name);
    buf_addc(out, ':');
}

void put_int(struct buf *out, const char *name, int64_t n)
{
    put_name(out, name);
    if (n == INSTANT_NONE)
        buf_adds(out, "null");
    else
        buf_add_i64(out, n);
}

void put_uint(struct buf *out, const char *name, uint64_t n)
{
    put_name(out, name);
    buf_add_u64(out, n);
}

void put_text(struct buf *out, const char *name, struct text t)
{
    put_name(out, name);
    if (t.p)
        buf_json(out, t.p, t.len);
    else
        buf_adds(out, "null");
}

void next_item(struct buf *out)
{
    if (out->len && out->data[out->len - 1] == '}')
        buf_addc(out, ',');
}
