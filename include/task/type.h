/* SPDX-License-Identifier: MIT */
/* type.h: what a task type is, as data: name, parameters, rights, limits. Its code is elsewhere
 * (layer types), and only the runner links that. */
#ifndef TASK_TYPE_H
#define TASK_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"

/* What data holds beside its params. */
enum type_payload {
    PAYLOAD_PARAMS, /* the members of params, nothing else */
    PAYLOAD_EXPORT, /* "export" and "params" of a configured export, and the members of params */
    PAYLOAD_BACKUP, /* as PAYLOAD_PARAMS; the words of its first one are the configured backups */
    PAYLOAD_ANY,    /* any object */
    PAYLOAD_REQUEST, /* a deferred request; see store/http_request.h */
    PAYLOAD_IMPORT, /* "import", the name of a configured import, and the members of params */
};

struct task_type {
    const char *name;
    const char *title;
    const char *description;
    enum type_payload payload;
    const char *format;   /* of exports: "csv"; else NULL */
    const char *role;     /* who may create it: NULL = everybody, "admin" */
    bool postable;        /* false: only the system creates it */
    bool on_by_default;   /* where the configuration says auto */
    const struct param_def *params; /* members of data */
    size_t param_count;
    const struct command_def *command; /* the site's own program; NULL: the type is built in */
};

/* Every type of this build, in the order of the catalogue, which adds the commands of the
 * configuration: ask the catalogue what there is. */
extern const struct task_type task_types[];
extern const size_t task_type_count;

/* NULL where no type of this build has that name; disabled types are found too. */
const struct task_type *task_type_find(const char *name);

/* What holds for a type: its section of the configuration, else the queue's. Durations in
 * microseconds; 0 = none, no limit or never, as in settings.def. */
struct task_limits {
    int64_t max_attempts;
    int64_t backoff_usec;
    int64_t backoff_max_usec;
    int64_t timeout_usec;
    int64_t retention_success_usec;
    int64_t retention_failure_usec;
    int64_t per_runner;
    int64_t running_total;
};

/* TYPE need not be known: rows of a type that was removed have limits too. */
void task_limits_get(const struct settings *s, const char *type, struct task_limits *out);

#endif
