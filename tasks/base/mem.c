/* SPDX-License-Identifier: MIT */
/* mem.c: checked allocation and arenas. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { ARENA_BLOCK = 8 * 1024 };

struct block {
    struct block *next;
    size_t size; /* of data */
    size_t used;
    max_align_t data[];
};

/* Invariant: first is the oldest block and is kept by arena_reset; blocks are filled from last. */
struct arena {
    struct block *first;
    struct block *last;
};

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        log_bug("out of memory for %zu bytes", size);
    return p;
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        log_bug("out of memory for %zu times %zu bytes", count, size);
    return p;
}

void *xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p)
        log_bug("out of memory for %zu bytes", size);
    return p;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len)
{
    char *copy = xmalloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    char *text;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        log_bug("out of memory while formatting");
    return text;
}

static struct block *block_create(size_t size)
{
    struct block *b = xmalloc(sizeof *b + size);
    b->next = NULL;
    b->size = size;
    b->used = 0;
    return b;
}

struct arena *arena_create(void)
{
    struct arena *a = xmalloc(sizeof *a);
    a->first = a->last = block_create(ARENA_BLOCK);
    return a;
}

static void free_chain(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_destroy(struct arena **a)
{
    if (!*a)
        return;
    free_chain((*a)->first);
    free(*a);
    *a = NULL;
}

void arena_reset(struct arena *a)
{
    free_chain(a->first->next);
    a->first->next = NULL;
    a->first->used = 0;
    a->last = a->first;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = sizeof(max_align_t);
    if (size > SIZE_MAX / 2)
        log_bug("arena: absurd size %zu", size);
    size = (size + align - 1) / align * align;
    struct block *b = a->last;
    if (b->size - b->used < size) {
        b = block_create(size > ARENA_BLOCK ? size : ARENA_BLOCK);
        a->last->next = b;
        a->last = b;
    }
    void *p = (char *)b->data + b->used;
    b->used += size;
    return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / 2 / size)
        log_bug("arena: absurd size %zu times %zu", count, size);
    void *p = arena_alloc(a, count * size);
    memset(p, 0, count * size);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = arena_alloc(a, len + 1);
    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        log_bug("arena_printf: bad format");
    char *text = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return text;
}
