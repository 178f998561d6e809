/* SPDX-License-Identifier: MIT */
/* json.c: json-c behind the strict scanner. */
#include "base/json.h"

#include <json-c/json.h>
#include <limits.h>

#include "base/log.h"

int json_parse(const char *text, size_t len, struct json_object **out, struct error *e)
{
    *out = NULL;
    if (len > INT_MAX)
        return error_set(e, ERR_LIMIT, "the text is larger than 2 GiB");
    int rc = json_scan(text, len, JSON_DEPTH_MAX, e);
    if (rc)
        return rc;
    struct json_tokener *t = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
    if (!t)
        log_bug("json-c: out of memory");
    struct json_object *value = json_tokener_parse_ex(t, text, (int)len);
    if (json_tokener_get_error(t) == json_tokener_continue)
        value = json_tokener_parse_ex(t, " ", 1); /* ends a number at the end of the text */
    enum json_tokener_error error = json_tokener_get_error(t);
    json_tokener_free(t);
    if (error != json_tokener_success)
        return error_set(e, ERR_INVALID, "%s", json_tokener_error_desc(error));
    *out = value;
    return 0;
}
