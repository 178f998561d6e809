/* SPDX-License-Identifier: MIT */
/* upload.h: uploaded files in the shared directory. Such a file is made like a result file, for its owner
 * instead of a task and with the fence 0, which no claim has; its random part is the upload's id. So the path
 * follows from owner and id, and nobody can name another's upload. */
#ifndef TASK_UPLOAD_H
#define TASK_UPLOAD_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "task/result_file.h"

enum { UPLOAD_ID_SIZE = 33 };

#define UPLOAD_EXT "upload"
#define REQUEST_BODY_EXT "body" /* of a deferred request: a file like an upload, but nobody can name it as one */

/* Makes the temporary file of a new one; EXT is one of those above. result_file_finish and upload_id follow. */
int upload_create(const struct result_place *place, int64_t owner, const char *ext, struct result_file **out,
                  struct error *e) MUST_USE;

/* The id of a finished upload. */
void upload_id(const struct result_file *f, char out[UPLOAD_ID_SIZE]);

/* Where upload ID of OWNER is, below the shared directory. ERR_NOT_FOUND where ID is no id. */
int upload_path(int64_t owner, const char *id, char out[RESULT_PATH_SIZE]) MUST_USE;

#endif
