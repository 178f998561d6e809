/* SPDX-License-Identifier: MIT */
/* ring.c: tasks to lanes, lanes to the doorbell. */
#include "fcgi/ring.h"

#include <stdio.h>
#include <string.h>

#include "store/doorbell.h"

/* More lanes at once than this are left to the runners' next poll. */
enum { LANES_MAX = 32 };

static void add_task(struct doorbell_message *lanes, size_t *count, const struct task *t)
{
    for (size_t i = 0; i < *count; i++)
        if (lanes[i].priority == t->priority && strcmp(lanes[i].type, t->type.p) == 0) {
            if (t->turn < lanes[i].turn)
                lanes[i].turn = t->turn;
            return;
        }
    if (*count == LANES_MAX)
        return;
    struct doorbell_message *lane = &lanes[(*count)++];
    snprintf(lane->type, sizeof lane->type, "%s", t->type.p);
    lane->priority = t->priority;
    lane->turn = t->turn;
}

void ring_for_tasks(const struct settings *s, const struct task *tasks, size_t count)
{
    struct doorbell_message lanes[LANES_MAX];
    size_t lane_count = 0;
    for (size_t i = 0; i < count; i++)
        if (tasks[i].status == TASK_fresh)
            add_task(lanes, &lane_count, &tasks[i]);
    if (lane_count)
        doorbell_ring(s->runner.doorbell, lanes, lane_count);
}
