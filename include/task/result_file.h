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
#include "base/mem.h"
#include "task/checkpoint.h"

struct files_settings;

enum {
    RESULT_PATH_SIZE = 128,
    SHA256_HEX_SIZE = 65,
    RESULT_NAME_SIZE = 256,
    RESULT_ROLE_SIZE = 17,
    RESULT_SERIES_SIZE = 81,
};

#define RESULT_NO_ROWS UINT64_MAX /* of a file that is not made of rows */

/* Where and how files are made; from the configuration. */
struct result_place {
    const char *directory; /* the shared directory, absolute; must exist */
    mode_t mode;           /* of a published file, e.g. 0640 */
    mode_t directory_mode; /* of the directories below, e.g. 0750 */
};

/* As section files has it; DIRECTORY stays the settings'. */
struct result_place result_place_of(const struct files_settings *files);

struct result_file;

enum { RESULT_RESERVE_MAX = 32 * 1024 }; /* the most that result_file_reserve can be asked for */

/* What stands in csv_export about a finished file. */
struct result_info {
    char path[RESULT_PATH_SIZE];     /* below the shared directory: "11/00/17-2-<random>.csv" */
    char filename[RESULT_NAME_SIZE]; /* for the person who downloads: "books-2026-11-21.csv" */
    char format[16];                 /* "csv", "html" */
    char sha256[SHA256_HEX_SIZE];    /* of the bytes, lower-case hex */
    uint64_t bytes;
    uint64_t rows; /* or RESULT_NO_ROWS */
    bool is_result;                  /* the task's JSON result; no download */
    bool is_response;                /* a stored HTTP response; no download */
    char role[RESULT_ROLE_SIZE];     /* who alone may have it, "" = the task's owner may */
    char series[RESULT_SERIES_SIZE]; /* of which the newest are kept; "" = none: kept as the task is */
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

/* For a library that writes a file by its name, instead of the calls above: the absolute path of
 * the temporary file, which is there and empty; and, once the library is done,
 * result_file_take_written, which reads the file for its length and hash. ERR_IO where another file
 * stands in its place. */
const char *result_file_path(const struct result_file *f);
int result_file_take_written(struct result_file *f, struct error *e) MUST_USE;

uint64_t result_file_bytes(const struct result_file *f); /* written so far */

/* --- going on where an earlier attempt has stopped --- */

/* Notes beside the file that an attempt can go on behind what is written so far; fills C's bytes and
 * sha256. The data and the note get to the disk by a thread of its own, so that this takes microseconds;
 * once they are there, what earlier claims of the task left is removed. While the one before is on its
 * way this one is left out, unless WAIT is set: then it is on the disk when this returns. A note that
 * cannot be written is no failure of the file: it is logged, once. */
void result_file_checkpoint(struct result_file *f, struct checkpoint *c, bool wait);

/* What result_file_resume is to look for, and whom it asks and tells. */
struct result_search {
    const unsigned char *fingerprint; /* CHECKPOINT_DIGEST bytes that a checkpoint must have */
    struct arena *arena;              /* for what is found */
    bool (*stop)(void *ctx);          /* true: give up */
    bool (*accept)(void *ctx, const struct checkpoint *c); /* the last word on one that is whole */
    void (*tell)(void *ctx, const char *line); /* why one that was found is not used */
    void *ctx;
};

/* Copies what an earlier claim of the same task has written up to its newest checkpoint into the empty F:
 * into a file of its own, because a stopped worker may wake up and write on. 1 with the checkpoint in OUT,
 * 0 where there is none that fits and is whole (F is empty still), ERR_CANCELLED where it was to stop,
 * or another negative enum err where F cannot be used. */
int result_file_resume(struct result_file *f, const struct result_search *search,
                       struct checkpoint *out, struct error *e) MUST_USE;

/* Names it for a person; anything but the base name's safe characters is the caller's to quote
 * later. Control characters and '/' are replaced by '_'. */
void result_file_name(struct result_file *f, const char *filename, const char *format);

/* The file is the task's JSON result rather than a download. */
void result_file_set_result(struct result_file *f);

/* The file is an HTTP response in the form of task/stored_response.h. */
void result_file_set_response(struct result_file *f);

/* Only ROLE may have the file, and its task stays until there are enough newer files of SERIES. Either may be
 * NULL; both are cut to their sizes above. */
void result_file_set_keeping(struct result_file *f, const char *role, const char *series);

/* Flushes, fsyncs, renames to the final name, fsyncs the directories. After success the file is
 * reachable by nobody until a row names it. After an error only result_file_discard is left to do.
 * */
int result_file_finish(struct result_file *f, uint64_t rows, struct error *e) MUST_USE;

/* Valid after result_file_finish. */
const struct result_info *result_file_info(const struct result_file *f);

/* Removes the file, whatever stage it is in, frees F and sets it to NULL. NULL is accepted. */
void result_file_discard(struct result_file **f);

/* Frees F and leaves an unfinished file that has a checkpoint, for a later attempt; otherwise the same as
 * result_file_discard. NULL is accepted. */
void result_file_keep(struct result_file **f);

/* Frees F but leaves the finished file: a row names it now. */
void result_file_release(struct result_file **f);

/* Removes a published file by its path below DIRECTORY; a missing one is no error. Refuses a path
 * that is not of the generated form. */
int result_file_remove(const char *directory, const char *path, struct error *e) MUST_USE;

/* Whether what an ended claim has left may be of use. */
enum result_rest {
    RESULT_REMOVE_ALL,      /* the task has ended: what its earlier claims left goes as well */
    RESULT_KEEP_CHECKPOINT, /* it may be tried again: an unfinished file with a checkpoint stays */
    RESULT_KEEP_FINISHED,   /* it has ended, maybe well: rows may name what is finished, the rest goes */
};

/* Removes the files, finished or not, of task ID's claim FENCE that no row names or ever will; with
 * RESULT_KEEP_FINISHED it need not be known whether one does. Cheap: a claim's files stand in one shard.
 * ERR_IO where DIRECTORY itself cannot be read. */
int result_file_remove_claim(const char *directory, uint64_t id, uint64_t fence,
                             enum result_rest rest, struct error *e) MUST_USE;

struct result_claim {
    uint64_t id, fence;
};

/* Which claims have a checkpoint in DIRECTORY; *OUT (NULL where there is none) is freed with free(). */
size_t result_file_checkpoints(const char *directory, struct result_claim **out) MUST_USE;

#endif
