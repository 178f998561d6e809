/* SPDX-License-Identifier: MIT */
/* param.h: one parameter: its limits, and reading a value by them. Inside layer task. */
#ifndef TASKS_TASK_PARAM_H
#define TASKS_TASK_PARAM_H

#include "base/mem.h"
#include "task/catalogue.h"

struct json_object;

/* Which part of a definition is wrong. */
enum param_part { PART_MIN, PART_MAX, PART_DEFAULT, PART_PATTERN, PART_OTHER };

/* Reads the limits of DEF into OUT. ERR_INVALID with what is wrong and what to do, and the
 * faulty part in *PART. On success OUT must be given to param_release. */
int param_prepare(const struct param_def *def, struct arena *arena, struct param *out,
                  enum param_part *part, struct error *e) MUST_USE;

void param_release(struct param *p);

/* Reads a value of JSON into OUT, strings copied to ARENA. ERR_INVALID: "must be ...". */
int param_read(const struct param *p, struct json_object *json, struct arena *arena,
               struct param_value *out, struct error *e) MUST_USE;

/* What a value must be: "an integer from 1 to 10". */
void param_describe(const struct param *p, struct buf *out);

/* V, which is not NULL, as JSON: numbers and booleans bare. */
void param_json(const struct param_value *v, struct buf *out);

const char *param_kind_name(enum param_kind kind); /* the word of the configuration */

#endif
