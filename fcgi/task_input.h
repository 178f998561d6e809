/* SPDX-License-Identifier: MIT */
/* task_input.h: the body of POST /v1/tasks made into new tasks, or into everything that is wrong with
 * it. Asks no database. */
#ifndef FCGI_TASK_INPUT_H
#define FCGI_TASK_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "fcgi/exchange.h"
#include "fcgi/problem.h"
#include "store/submit.h"
#include "task/validate.h"

enum { TASK_INPUT_MAX = 1000 };

struct task_input {
    struct new_task *tasks;
    const char **uploads; /* the upload that each task stands on, or NULL */
    size_t count;
    bool is_array;
};

/* What was wrong, as a refusal. */
struct task_refusal {
    enum problem problem;
    const char *detail; /* NULL: the usual one */
    struct faults faults;
};

/* Reads TEXT for WHO. True with *OUT filled, or false with *REFUSAL filled. All memory is ARENA's. */
bool task_input_read(const struct app *app, const struct identity *who, const char *text, size_t len,
                     struct arena *arena, struct task_input *out,
                     struct task_refusal *refusal) MUST_USE;

#endif
