/* SPDX-License-Identifier: MIT */
/* job.h: the right to a job (handle_job.c). */
#ifndef FCGI_JOB_H
#define FCGI_JOB_H

#include <stdbool.h>

#include "base/compiler.h"

struct exchange;

/* RIGHT_JOB_OWNER: looks the job up; its status is then in the request. False: 404 or another refusal stands in the
 * response, in the form of that interface. True for any other right. */
bool job_find(struct exchange *x) MUST_USE;

#endif
