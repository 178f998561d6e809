/* SPDX-License-Identifier: MIT */
/* reference.h: what a relative reference means, seen from another URL (RFC 3986 section 5.2). Knows no hosts. */
#ifndef FCGI_REFERENCE_H
#define FCGI_REFERENCE_H

#include "base/compiler.h"
#include "base/mem.h"

/* REFERENCE as it has to read elsewhere on the same host to mean what it does at TARGET ("/path?query", raw): an
 * absolute path. As it is where it has a scheme or begins with a slash. From ARENA, or one of the two. */
const char *reference_resolve(const char *target, const char *reference, struct arena *arena) MUST_USE;

#endif
