/* SPDX-License-Identifier: MIT */
/* result_path.c: the names of result files. */
#include "result_path.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"

void result_path_shard(uint64_t id, char out[RESULT_SHARD_SIZE])
{
    snprintf(out, RESULT_SHARD_SIZE, "%02x/%02x", (unsigned)(id & 255), (unsigned)(id >> 8 & 255));
}

/* A number of up to 64 bits and the '-' behind it; NULL where there is none. */
static const char *read_number(const char *p, uint64_t *out)
{
    char *end;
    if (!p || !isdigit((unsigned char)*p))
        return NULL;
    errno = 0;
    *out = strtoull(p, &end, 10);
    return errno || *end != '-' ? NULL : end + 1;
}

bool result_tmp_parse(const char *name, struct result_tmp *out)
{
    static const char *const kinds[] = {RESULT_PART, RESULT_CKPT, RESULT_CKPT_NEW, RESULT_DIR};
    const char *p = read_number(read_number(name, &out->id), &out->fence);
    if (!p || strspn(p, "0123456789abcdef") != RESULT_RANDOM_DIGITS || p[RESULT_RANDOM_DIGITS] != '.')
        return false;
    size_t len = strlen(name);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t ending = strlen(kinds[i]);
        if (len > ending && strcmp(name + len - ending, kinds[i]) == 0) {
            out->stem = len - ending;
            out->kind = kinds[i];
            bool has_extension = name + out->stem > p + RESULT_RANDOM_DIGITS;
            return has_extension == (strcmp(kinds[i], RESULT_DIR) != 0);
        }
    }
    return false;
}

bool result_tmp_is_before(const struct result_tmp *file, uint64_t id, uint64_t fence)
{
    return file->id == id && file->fence && file->fence < fence;
}

void result_tmp_each(int dir, result_tmp_see *see, void *ctx)
{
    int fd = openat(dir, RESULT_TMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    struct result_tmp file;
    while (list && (entry = readdir(list)))
        if (result_tmp_parse(entry->d_name, &file))
            see(ctx, fd, entry->d_name, &file);
    if (list)
        closedir(list);
    else if (fd >= 0)
        close(fd);
}
