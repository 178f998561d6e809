/* SPDX-License-Identifier: MIT */
/* import_batch.c: keeps the rows and the rejects of a batch. */
#include "import_batch.h"

#include <stdlib.h>
#include <string.h>

void import_batch_clear(struct import_batch *b, size_t cap, size_t width)
{
    struct arena *arena = b->arena;
    arena_reset(arena);
    *b = (struct import_batch){.arena = arena, .width = width, .cap = cap};
    b->rows = arena_alloc(arena, cap * sizeof *b->rows);
    b->values = arena_alloc(arena, cap * width * sizeof *b->values);
}

void import_batch_reject(struct import_batch *b, const struct import_row *row, const char *column,
                         const char *reason)
{
    if (b->reject_count == b->reject_cap) {
        size_t cap = b->reject_cap ? 2 * b->reject_cap : 16;
        struct import_reject *rejects = arena_alloc(b->arena, cap * sizeof *rejects);
        if (b->reject_count)
            memcpy(rejects, b->rejects, b->reject_count * sizeof *rejects);
        b->rejects = rejects;
        b->reject_cap = cap;
    }
    b->rejects[b->reject_count++] = (struct import_reject){*row, column, reason};
}

void import_batch_rewind(struct import_batch *b)
{
    b->reject_count = b->parse_rejects;
    b->result = (struct import_counts){0};
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct import_reject *)a)->row.number, y = ((const struct import_reject *)b)->row.number;
    return (x > y) - (x < y);
}

void import_batch_sort(struct import_batch *b)
{
    if (b->reject_count == b->parse_rejects || b->reject_count < 2)
        return;
    qsort(b->rejects, b->reject_count, sizeof *b->rejects, compare);
}
