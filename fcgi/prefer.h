/* SPDX-License-Identifier: MIT */
/* prefer.h: reads the header Prefer (RFC 7240). */
#ifndef FCGI_PREFER_H
#define FCGI_PREFER_H

#include <stdbool.h>

#include "base/buf.h"

enum { PREFER_WAIT_MAX = 60 };

/* The seconds of wait=N, at most PREFER_WAIT_MAX; -1 where there is none or it is no number: preferences
 * that make no sense are ignored (section 2). The first of several counts. */
int prefer_wait(const char *header);

/* Whether NAME stands in it, with or without a value. */
bool prefer_has(const char *header, const char *name);

/* Appends to OUT what is left without the COUNT preferences NAMES, as it was written. */
void prefer_without(const char *header, const char *const *names, size_t count, struct buf *out);

#endif
