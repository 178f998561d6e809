/* SPDX-License-Identifier: MIT */
/* json_names.h: the names of the members of open objects, to find one that stands twice. */
#ifndef TASKS_BASE_JSON_NAMES_H
#define TASKS_BASE_JSON_NAMES_H

#include <stddef.h>

/* A name as it stands in the text, between its quotes, escapes and all; already checked. */
struct json_name {
    const unsigned char *text;
    size_t len;
};

struct json_names {
    struct json_name *items;
    size_t count;
    size_t cap;
};

void json_names_add(struct json_names *n, const unsigned char *text, size_t len);
void json_names_free(struct json_names *n);

/* Where a name among items[first..count) stands for the second time, compared after decoding;
 * NULL if all differ. Reorders these items. O(n log n), also for names made to collide. */
const unsigned char *json_names_duplicate(struct json_names *n, size_t first);

#endif
