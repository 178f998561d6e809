/* SPDX-License-Identifier: MIT */
/* mem.h: memory that never comes back NULL, and arenas: one per request, one per attempt. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* Like their namesakes, but the process aborts with a message when memory is out.
 * The caller frees with free(). xcalloc checks the product for overflow. */
void *xmalloc(size_t size) MUST_USE;
void *xcalloc(size_t count, size_t size) MUST_USE;
void *xrealloc(void *p, size_t size) MUST_USE;
char *xstrdup(const char *s) MUST_USE;
char *xstrndup(const char *s, size_t len) MUST_USE;
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_USE;

/* An arena hands out memory that is freed all at once. Not safe for use by two threads. */
struct arena;

struct arena *arena_create(void) MUST_USE;

/* Frees *A and everything from it, and sets *A to NULL. NULL is accepted. */
void arena_destroy(struct arena **a);

/* Forgets everything handed out but keeps the first block for the next use. */
void arena_reset(struct arena *a);

/* Aligned for any type; contents undefined (arena_calloc: zero). Never NULL. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
void *arena_calloc(struct arena *a, size_t count, size_t size) MUST_USE;
char *arena_strdup(struct arena *a, const char *s) MUST_USE;
char *arena_strndup(struct arena *a, const char *s, size_t len) MUST_USE; /* NUL is added */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_USE;

#endif
