/* SPDX-License-Identifier: MIT */
/* body_file.h: a request's body as a file of the shared directory, piece by piece: it is never in memory as a
 * whole. A thread is busy with it only as long as nginx, which has all of it already, hands it over. */
#ifndef FCGI_BODY_FILE_H
#define FCGI_BODY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "fcgi/request.h"
#include "task/result_file.h"

struct exchange;

/* Reads the body, at most LIMIT of it, into a new, finished file of OWNER with EXT (see task/upload.h), which is
 * the caller's to name in a row or to discard. LENGTH is what the client said, -1: nothing. With SKIP_EMPTY an
 * empty body makes no file and *OUT is NULL. False: 400, 413 or 507 stands in the response. */
bool body_file_receive(struct exchange *x, int64_t owner, const char *ext, struct body_limit limit, int64_t length,
                       bool skip_empty, struct result_file **out) MUST_USE;

/* After a change that was to name *FILE in a row and has failed with RESULT: removes it; but where nobody knows whether
 * the change happened it stays, and the sweeper takes it if no row names it. NULL is accepted. */
void body_file_give_up(struct result_file **file, int result);

/* After an early answer: the web server may look for it only when all of the body is gone. */
void body_drain(struct exchange *x);

#endif
