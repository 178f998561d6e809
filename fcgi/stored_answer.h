/* SPDX-License-Identifier: MIT */
/* stored_answer.h: gives the stored response of a deferred request as if the request had been made now. */
#ifndef FCGI_STORED_ANSWER_H
#define FCGI_STORED_ANSWER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "store/task.h"

struct exchange;

/* The file of T's stored response; NULL: it has none. */
const struct task_file *stored_answer_of(const struct task *t);

/* Makes X's answer that of FILE: status, headers, body, and Backdesk-Task. What belongs to one connection, and
 * what would steer the web server (X-Accel-*, Status), is left out; at a URL of ours shared caches are kept off, and
 * for anybody but T's creator what would act on him or in our origin. False: 404, 410 or another refusal stands in
 * the response. */
bool stored_answer_give(struct exchange *x, const struct task *t, const struct task_file *file);

#endif
