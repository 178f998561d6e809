/* SPDX-License-Identifier: MIT */
/* validate.h: a task's data against the catalogue: all faults at once for the API, typed values
 * for the code that runs it. Both come from the same tables. */
#ifndef TASK_VALIDATE_H
#define TASK_VALIDATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/mem.h"
#include "task/catalogue.h"

struct json_object;

/* One thing that is wrong. POINTER by RFC 6901, from the task: "/type", "/data/params/since". */
struct fault {
    const char *pointer;
    const char *detail;
};

enum { FAULTS_MAX = 100 };

#define NO_SUCH_TYPE "there is no such type; GET /v1/tasks/types lists them"

/* All that is wrong with one task, at most FAULTS_MAX. Strings live in ARENA. */
struct faults {
    struct arena *arena;
    struct fault *items;
    size_t count;
    size_t cap; /* private */
};

#define FAULTS_INIT(arena) {(arena), NULL, 0, 0}

/* Adds a fault; further ones beyond FAULTS_MAX are dropped. */
void faults_add(struct faults *f, const char *pointer, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Whether there are FAULTS_MAX. */
bool faults_full(const struct faults *f);

/* POINTER and one more step, to the member NAME (RFC 6901 section 3), in F's arena. */
const char *faults_step(const struct faults *f, const char *pointer, const char *name);

/* Checks DATA (NULL: no data or null, the same as {}) for a task of type NAME. Adds every fault
 * to F and returns 0 where there was none, else ERR_INVALID. A type that cannot be POSTed or is
 * not enabled is a fault at /type. Roles are the caller's to check (task_role). */
int task_validate(const struct catalogue *c, const char *name, struct json_object *data,
                  struct faults *f) MUST_USE;

/* The members of data with defaults filled in, in the order of the type's table. */
struct bound_params {
    struct param_value *items;
    size_t count;
};

/* NULL where the type has no such parameter. */
const struct param_value *bound_param(const struct bound_params *b, const char *name);

/* Reads DATA (JSON text as it stands in the table, so nothing about it is taken for granted) of
 * a task of TYPE. ERR_INVALID with the first fault in E. Values live in ARENA. */
int task_bind(const struct catalogue *c, const struct task_type *type, const char *data, size_t len,
              struct arena *arena, struct bound_params *out, struct error *e) MUST_USE;

/* An export task ready to run. */
struct export_call {
    const struct export *export;
    struct bound_params options; /* the type's own members of data */
    struct bound_params params;  /* the export's, in the order of its param sections */
    struct param_value *binds;   /* one per ? of export->query.text, in order; :owner is OWNER */
    size_t bind_count;
};

/* Like task_bind, for types with PAYLOAD_EXPORT. */
int export_bind(const struct catalogue *c, const struct task_type *type, const char *data,
                size_t len, int64_t owner, struct arena *arena, struct export_call *out,
                struct error *e) MUST_USE;

/* An import task ready to run. */
struct import_call {
    const struct import *import;
    struct bound_params options;
};

/* Like task_bind, for types with PAYLOAD_IMPORT. */
int import_bind(const struct catalogue *c, const struct task_type *type, const char *data,
                size_t len, struct arena *arena, struct import_call *out, struct error *e) MUST_USE;

/* The role that somebody must have to ask for a task of type NAME with DATA, whatever that is, or NULL; *POINTER is
 * what asks for it. */
const char *task_role(const struct catalogue *c, const char *name, struct json_object *data, const char **pointer);

/* The upload that valid DATA of a task of type NAME stands on; NULL: none. It lives as long as DATA. */
const char *task_upload(const struct catalogue *c, const char *name, struct json_object *data);

#endif
