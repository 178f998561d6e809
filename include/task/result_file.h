/* SPDX-License-Identifier: MIT */
/* result_file.h: a file in the shared directory, from its temporary name to its published one. The
 * order is the promise: written, fsynced, renamed, directory fsynced, and only then may a row name
 * it. */
#ifndef TASK_RESULT_FILE_H
#define TASK_RESULT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

enum { RESULT_PATH_SIZE = 128, SHA256_HEX_SIZE = 65, RESULT_NAME_SIZE = 256 };

/* Where and how files are made; from the configuration. */
struct result_place {
    const char *directory; /* the shared directory, absolute; must exist */
    mode_t mode;           /* of a published file, e.g. 0640 */
    mode_t directory_mode; /* of the directories below, e.g. 0750 */
};

struct result_file;

enum { RESULT_RESERVE_MAX = 32 * 1024 }; /* the most that result_file_reserve can be asked for */

/* What stands in csv_export about a finished file. */
struct result_info {
    char path[RESULT_PATH_SIZE];     /* below the shared directory: "11/00/17-2-<random>.csv" */
    char filename[RESULT_NAME_SIZE]; /* for the person who downloads: "books-2026-11-21.csv" */
    char format[16];                 /* "csv", "html" */
    char sha256[SHA256_HEX_SIZE];    /* of the bytes, lower-case hex */
    uint64_t bytes;
    uint64_t rows;
};

/* Makes the temporary file, "tmp/<id>-<fence>-<random>.<ext>.part" below the shared directory, for
 * task ID's claim FENCE; EXT without a dot. *OUT only on success. */
int result_file_create(const struct result_place *place, uint64_t id, uint64_t fence,
                       const char *ext, struct result_file **out, struct error *e) MUST_USE;

/* Makes the file NAME in the directory FROM the content of F, which must be new: moved where the file
 * system and its owner allow it, else copied. It must be a regular file without a second name (ERR_INVALID
 * otherwise) that nobody writes to any more; MOVE false: somebody may, so it is always copied. */
int result_file_adopt(struct result_file *f, int from, const char *name, bool move,
                      struct error *e) MUST_USE;

/* Buffers and writes; hashes on the way. A full disk or quota is ERR_IO with the reason. Errors
 * stick: everything after the first one fails with it. */
int result_file_write(struct result_file *f, const void *data, size_t len,
                      struct error *e) MUST_USE;

/* For writers that fill memory directly: at least MIN bytes (at most RESULT_RESERVE_MAX) of room,
 * *ROOM says how many; then result_file_advance by what was used. Returns NULL after an error. */
char *result_file_reserve(struct result_file *f, size_t min, size_t *room, struct error *e);
void result_file_advance(struct result_file *f, size_t used);

uint64_t result_file_bytes(const struct result_file *f); /* written so far */

/* Names it for a person; anything but the base name's safe characters is the caller's to quote
 * later. Control characters and '/' are replaced by '_'. */
void result_file_name(struct result_file *f, const char *filename, const char *format);

/* Flushes, fsyncs, renames to the final name, fsyncs the directories. After success the file is
 * reachable by nobody until a row names it. After an error only result_file_discard is left to do.
 * */
int result_file_finish(struct result_file *f, uint64_t rows, struct error *e) MUST_USE;

/* Valid after result_file_finish. */
const struct result_info *result_file_info(const struct result_file *f);

/* Removes the file, whatever stage it is in, frees F and sets it to NULL. NULL is accepted. */
void result_file_discard(struct result_file **f);

/* Frees F but leaves the finished file: a row names it now. */
void result_file_release(struct result_file **f);

/* Removes a published file by its path below DIRECTORY; a missing one is no error. Refuses a path
 * that is not of the generated form. */
int result_file_remove(const char *directory, const char *path, struct error *e) MUST_USE;

/* Removes every file, finished or not, of task ID's claim FENCE: for a claim that is lost or has
 * failed, whose files no row names or ever will. Cheap: a claim's files stand in one shard. ERR_IO
 * where DIRECTORY itself cannot be read. */
int result_file_remove_claim(const char *directory, uint64_t id, uint64_t fence,
                             struct error *e) MUST_USE;

#endif
