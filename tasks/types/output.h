/* SPDX-License-Identifier: MIT */
/* output.h: where formats write: a result file, as it is or through gzip. Formats do not know which.
 *
 * A gzip file is a row of members (RFC 1952 section 2.2). A member ends behind the first row with
 * which it has OUTPUT_MEMBER bytes before compression, and what is compressed is handed to zlib in
 * pieces of a fixed size: so the file depends on the bytes written and where their rows end, and on
 * nothing else, and it can be continued behind any of its members. */
#ifndef TASKS_TYPES_OUTPUT_H
#define TASKS_TYPES_OUTPUT_H

#include <stdbool.h>

#include "task/result_file.h"

struct output;

enum {
    OUTPUT_RESERVE_MAX = RESULT_RESERVE_MAX,
    OUTPUT_MEMBER = 16 * 1024 * 1024,
};

/* FILE stays the caller's and must outlive the output. *OUT only on success. */
int output_open(struct result_file *file, bool gzip, struct output **out,
                struct error *e) MUST_USE;

/* As the functions of result_file.h with these names. */
int output_write(struct output *o, const void *data, size_t len, struct error *e) MUST_USE;
char *output_reserve(struct output *o, size_t min, size_t *room, struct error *e);
void output_advance(struct output *o, size_t used);

/* Whether another output can go on here, in a copy of all that the file has got: always but within a
 * member. And says to such a new output, before anything is written, that it does. */
bool output_resumable(const struct output *o);
void output_resume(struct output *o);

/* A row has ended here. */
int output_row(struct output *o, struct error *e) MUST_USE;

/* Everything has been written. */
int output_end(struct output *o, struct error *e) MUST_USE;

/* NULL is accepted, *O becomes NULL. */
void output_close(struct output **o);

#endif
