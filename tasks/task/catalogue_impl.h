/* SPDX-License-Identifier: MIT */
/* catalogue_impl.h: the insides of a catalogue, for the files of layer task that make and read
 * it. */
#ifndef TASKS_TASK_CATALOGUE_IMPL_H
#define TASKS_TASK_CATALOGUE_IMPL_H

#include "base/mem.h"
#include "task/catalogue.h"

/* An enabled type with its members of data. */
struct offered_type {
    const struct task_type *type;
    struct param *params;
    size_t param_count; /* that of the type, unless some are faulty and the catalogue is refused */
};

struct catalogue {
    const struct settings *settings;
    struct arena *arena;
    struct offered_type *types;
    size_t type_count;
    struct task_type *commands; /* the site's own programs as types, also those that are not enabled */
    size_t command_count;
    struct export *exports;
    size_t export_count;
};

/* The parameter of this name; NULL if there is none. */
const struct param *params_find(const struct param *params, size_t count, const char *name);

/* Whether any of COUNT parameters must be given. */
bool params_any_required(const struct param *params, size_t count);

#endif
