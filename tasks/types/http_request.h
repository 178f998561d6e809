/* SPDX-License-Identifier: MIT */
/* http_request.h: the code of the type http_request: replays deferred requests, many at once. */
#ifndef TASKS_TYPES_HTTP_REQUEST_H
#define TASKS_TYPES_HTTP_REQUEST_H

#include "task/run.h"

extern const struct many_code http_request_code;

#endif
