/* SPDX-License-Identifier: MIT */
/* drive.h: what the files of drive_store share: its state, arguments and answers in JSON. */
#ifndef TESTS_STORE_DRIVE_H
#define TESTS_STORE_DRIVE_H

#include <json-c/json.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/claim.h"
#include "store/store.h"
#include "store/task.h"

enum { MANY = 2000, LINES_MAX = 1000 };

struct driver {
    struct store *store;
    struct runner_watch watch;
    struct arena *arena;    /* of the present command */
    char *lines[LINES_MAX]; /* said in the open transaction */
    size_t line_count;
    unsigned runs; /* of the open transaction */
    bool unknown;
};

/* A verb of the store: takes its arguments from IN, puts its value into OUT (nothing: null). */
typedef int verb_run(struct driver *d, struct json_object *in, struct buf *out, struct error *e);

struct verb {
    const char *name;
    verb_run *run;
};

extern const struct verb api_verbs[], runner_verbs[]; /* ended by a name of NULL */

/* A member of an object: NULL, OTHERWISE or 0 where it is missing. */
struct json_object *member(struct json_object *in, const char *name);
const char *text_of(struct json_object *in, const char *name);
int64_t int_of(struct json_object *in, const char *name, int64_t otherwise);
uint64_t uint_of(struct json_object *in, const char *name);
size_t count_of(struct json_object *array);
size_t read_texts(struct json_object *in, const char *name, const char **out); /* returns how many */

/* Members of the object that OUT ends with, and the comma between its items. */
void put_int(struct buf *out, const char *name, int64_t n); /* INSTANT_NONE: null */
void put_uint(struct buf *out, const char *name, uint64_t n);
void put_text(struct buf *out, const char *name, struct text t);
void next_item(struct buf *out);

#endif
