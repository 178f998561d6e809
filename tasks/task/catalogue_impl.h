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
    struct import *imports;
    size_t import_count;
};

/* The parameter of this name; NULL if there is none. */
const struct param *params_find(const struct param *params, size_t count, const char *name);

/* Whether any of COUNT parameters must be given. */
bool params_any_required(const struct param *params, size_t count);

/* Prepares DEFS into OUT (room for all) and returns how many are good. Faults of SECTION "NAME" go to
 * REPORT; SECTION NULL: they stand in this build, where a fault is a bug. */
size_t params_prepare(struct catalogue *c, const char *section, const char *name,
                      const struct param_def *defs, size_t count, struct param *out,
                      struct settings_report *report);
void params_release(struct param *params, size_t count);

/* --- parts of catalogue_create: faults go to REPORT ------------------------------------------- */

/* Sections type, and the list of runner.types, that name no type. */
void catalogue_check_types(const struct settings *s, struct settings_report *report);
void catalogue_offer_types(struct catalogue *c, struct settings_report *report);
void catalogue_prepare_export(struct catalogue *c, const struct export_def *def, struct export *x,
                              struct settings_report *report);

#endif
