/* SPDX-License-Identifier: MIT */
/* fuzz_json.c: whatever the scanner lets pass, json-c must take, and its output must pass again. */
#include <json-c/json.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct json_object *value = NULL;
    if (json_scan(text, size, JSON_DEPTH_MAX, NULL))
        return 0;
    PROMISE(json_parse(text, size, &value, NULL) == 0);
    const char *out = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
    PROMISE(json_scan(out, strlen(out), JSON_DEPTH_MAX, NULL) == 0);
    json_object_put(value);
    return 0;
}
