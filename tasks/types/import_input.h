/* SPDX-License-Identifier: MIT */
/* import_input.h: an uploaded file as a stream of bytes, expanded where it is gzip (RFC 1952). */
#ifndef TASKS_TYPES_IMPORT_INPUT_H
#define TASKS_TYPES_IMPORT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct import_input;

/* Opens PATH below DIRECTORY. EXPANDED_MAX: the most bytes that gzip may become. ERR_NOT_FOUND where there is
 * no such file. */
int import_input_open(const char *directory, const char *path, uint64_t expanded_max,
                      struct import_input **out, struct error *e) MUST_USE;

/* A csv_source: the next bytes. ERR_LIMIT beyond EXPANDED_MAX; ERR_INVALID where the gzip is damaged. */
int import_input_read(void *input, char *out, size_t size, struct error *e) MUST_USE;

/* gzip has to be read from its beginning; any other file may be read from OFFSET on, before the first read. */
bool import_input_is_gzip(const struct import_input *in);
int import_input_seek(struct import_input *in, uint64_t offset, struct error *e) MUST_USE;

/* How far the file itself has been read, and its size: for the progress. */
uint64_t import_input_done(const struct import_input *in);
uint64_t import_input_size(const struct import_input *in);

void import_input_close(struct import_input **in); /* NULL is accepted */

#endif
