/* SPDX-License-Identifier: MIT */
/* lanes.c: the runner's memory of the queue. */
#include "lanes.h"

#include <stdlib.h>
#include <string.h>

void lanes_free(struct lanes *l)
{
    free(l->items);
    *l = (struct lanes){0};
}

static struct lane *find(struct lanes *l, const char *type, int priority)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].priority == priority && strcmp(l->items[i].type, type) == 0)
            return &l->items[i];
    return NULL;
}

static struct lane *add(struct lanes *l, const char *type, int priority, int64_t turn)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->items = xrealloc(l->items, l->cap * sizeof *l->items);
    }
    struct lane *lane = &l->items[l->count++];
    *lane = (struct lane){.priority = priority, .floor = {turn, 0}, .noted = INT64_MAX};
    size_t len = strlen(type);
    memcpy(lane->type, type, len < sizeof lane->type ? len : sizeof lane->type - 1);
    return lane;
}

static void note(struct lane *lane, int64_t turn)
{
    /* A lane that ran dry at this very turn had a task commit late behind its floor: from the turn's
     * start again. One that still waits keeps its place in a turn that many tasks share. */
    if (turn < lane->floor.turn || (turn == lane->floor.turn && !lane->waiting))
        lane->floor = (struct lane_floor){turn, 0};
    lane->waiting = true;
    lane->noted = turn < lane->noted ? turn : lane->noted;
}

void lanes_note(struct lanes *l, const char *type, int priority, int64_t turn)
{
    struct lane *lane = find(l, type, priority);
    note(lane ? lane : add(l, type, priority, turn), turn);
}

void lanes_look(struct lanes *l, const struct lane_head *heads, size_t count)
{
    for (size_t i = 0; i < l->count; i++) {
        bool seen = false;
        for (size_t h = 0; h < count && !seen; h++)
            seen = heads[h].priority == l->items[i].priority &&
                   strcmp(heads[h].type, l->items[i].type) == 0;
        if (!seen)
            l->items[i].waiting = false;
    }
    for (size_t h = 0; h < count; h++)
        lanes_note(l, heads[h].type, heads[h].priority, heads[h].turn);
}

static int compare(const void *a, const void *b)
{
    const struct lane *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    if (x->floor.turn != y->floor.turn)
        return x->floor.turn < y->floor.turn ? -1 : 1;
    return strcmp(x->type, y->type);
}

void lanes_sort(struct lanes *l)
{
    if (l->count)
        qsort(l->items, l->count, sizeof *l->items, compare);
}

struct lanes lanes_copy(struct lanes *l, struct arena *arena)
{
    struct lanes copy = {arena_alloc(arena, l->count * sizeof *l->items), l->count, l->count};
    for (size_t i = 0; i < l->count; i++) {
        l->items[i].noted = INT64_MAX;
        copy.items[i] = l->items[i];
    }
    return copy;
}

void lanes_take_over(struct lanes *l, const struct lanes *copy)
{
    for (size_t i = 0; i < copy->count; i++) {
        int64_t noted = l->items[i].noted;
        l->items[i] = copy->items[i];
        if (noted != INT64_MAX)
            note(&l->items[i], noted);
    }
}
