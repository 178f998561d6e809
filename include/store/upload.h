/* SPDX-License-Identifier: MIT */
/* upload.h: the rows of uploaded files: whose, how large, until when. */
#ifndef STORE_UPLOAD_H
#define STORE_UPLOAD_H

#include "store/store.h"

struct upload {
    int64_t owner;
    const char *id, *path, *sha256;
    uint64_t bytes;
    int64_t keep_usec;
};

/* What one user may have at a time. */
struct upload_limits {
    uint64_t count, bytes;
};

/* Whether OWNER may have one more upload of BYTES: 0 or ERR_LIMIT. */
int store_upload_room(struct store *s, int64_t owner, const struct upload_limits *limits, uint64_t bytes,
                      struct error *e) MUST_USE;

/* Enters an upload whose file is in place. ERR_LIMIT as above; *EXPIRES_AT as it is in the row. */
int store_add_upload(struct store *s, const struct upload *u, const struct upload_limits *limits,
                     int64_t *expires_at, struct error *e) MUST_USE;

/* THERE[i] tells whether IDS[i] is an upload of OWNERS[i] that has not expired. */
int store_find_uploads(struct store *s, const char *const *ids, const int64_t *owners, size_t count, bool *there,
                       struct error *e) MUST_USE;

/* Removes at most MAX expired uploads with their files; returns how many went. One that an unfinished task
 * names is kept on. */
int store_expire_uploads(struct store *s, size_t max, struct error *e) MUST_USE;

#endif
