/* SPDX-License-Identifier: MIT */
/* finisher.h: finishes result files on threads of its own, so that waiting for the disk holds up nobody else's
 * work. */
#ifndef TASKS_TYPES_FINISHER_H
#define TASKS_TYPES_FINISHER_H

#include "task/result_file.h"

/* Belongs to the finisher between finisher_put and finisher_get. */
struct finishing {
    struct finishing *next;
    void *owner;              /* the caller's */
    struct result_file *file;
    int rc;                   /* of result_file_finish */
    struct error error;
};

struct finisher;

/* WAKE is called, by other threads, whenever one is done. */
struct finisher *finisher_create(void (*wake)(void *ctx), void *ctx);

/* Waits for those that are being finished, forgets the others. NULL is accepted. */
void finisher_destroy(struct finisher **f);

void finisher_put(struct finisher *f, struct finishing *job);

/* One that is done, or NULL. */
struct finishing *finisher_get(struct finisher *f);

#endif
