/* SPDX-License-Identifier: MIT */
/* wire.h: what goes over the socket between dispatcher and worker: frames of a length and fields, both
 * ends being the same program. */
#ifndef TASKS_RUNNER_WIRE_H
#define TASKS_RUNNER_WIRE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "task/run.h"

/* A finished task as it comes back from its worker. Strings belong to the arena it was read with. */
struct wire_done {
    enum run_end end;
    const char *code, *message;
    const char *result; /* NULL = none */
    int64_t retry_usec; /* not before */
    struct result_info files[RUN_FILES_MAX + 1];
    unsigned file_count;
};

/* Append a whole frame to B. PLACE: which of the worker's. */
void wire_put_task(struct buf *b, size_t place, const struct run_task *task);
void wire_put_done(struct buf *b, size_t place, const struct run_outcome *outcome);

enum { WIRE_FRAME_MAX = 1 << 30 };

/* The length of the frame at the start of B, 0 where it is not complete yet. A length that no frame can
 * have counts as complete: reading it fails. */
size_t wire_frame(const struct buf *b);

/* The place that the frame at the start of B is for, or comes from. Like the readers below false where it is malformed:
 * the peer is not to be trusted. */
bool wire_peek_place(const struct buf *b, size_t *place) MUST_USE;

/* Read the frame at the start of B. */
bool wire_get_task(const struct buf *b, struct arena *arena, struct run_task *out) MUST_USE;
bool wire_get_done(const struct buf *b, struct arena *arena, struct wire_done *out) MUST_USE;

/* Takes the first LEN bytes off. */
void wire_drop(struct buf *b, size_t len);

#endif
