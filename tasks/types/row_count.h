/* SPDX-License-Identifier: MIT */
/* row_count.h: how many rows an export will have, found out beside the export itself: over a
 * connection of its own, with a limit on the time, and never waited for. */
#ifndef TASKS_TYPES_ROW_COUNT_H
#define TASKS_TYPES_ROW_COUNT_H

#include "source.h"

/* Zero-initialise it. */
struct row_count {
    struct db *db;  /* while the answer is awaited */
    bool done;      /* nothing more to ask */
    uint64_t total; /* 0 = not known */
};

/* Asks SQL (a COUNT) with its parameters, or looks whether the answer has come. Failures only mean
 * that the total stays unknown. */
void row_count_poll(struct row_count *c, const struct source_def *source, const char *sql,
                    const struct db_value *params, unsigned count);

void row_count_close(struct row_count *c);

#endif
