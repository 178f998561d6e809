/* SPDX-License-Identifier: MIT */
/* upload.c: the paths of uploads. */
#include "task/upload.h"

#include <stdio.h>
#include <string.h>

#include "result_path.h"

int upload_create(const struct result_place *place, int64_t owner, const char *ext, struct result_file **out,
                  struct error *e)
{
    return result_file_create(place, (uint64_t)owner, 0, ext, out, e);
}

void upload_id(const struct result_file *f, char out[UPLOAD_ID_SIZE])
{
    const char *random = strrchr(result_file_info(f)->path, '-') + 1;
    snprintf(out, UPLOAD_ID_SIZE, "%s", random);
}

int upload_path(int64_t owner, const char *id, char out[RESULT_PATH_SIZE])
{
    char shard[RESULT_SHARD_SIZE];
    if (strlen(id) != UPLOAD_ID_SIZE - 1 || strspn(id, "0123456789abcdef") != UPLOAD_ID_SIZE - 1)
        return ERR_NOT_FOUND;
    result_path_shard((uint64_t)owner, shard);
    snprintf(out, RESULT_PATH_SIZE, "%s/%llu-0-%s." UPLOAD_EXT, shard, (unsigned long long)owner, id);
    return 0;
}
