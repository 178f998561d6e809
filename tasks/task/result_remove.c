/* SPDX-License-Identifier: MIT */
/* result_remove.c: removes published files and what a lost claim has left. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "result_path.h"
#include "task/result_file.h"
#include "task/work_dir.h"

void result_path_shard(uint64_t id, char out[RESULT_SHARD_SIZE])
{
    snprintf(out, RESULT_SHARD_SIZE, "%02x/%02x", (unsigned)(id & 255), (unsigned)(id >> 8 & 255));
}

static const char *skip_hex(const char *p, unsigned digits)
{
    for (; p && digits; digits--, p++)
        if (!isdigit((unsigned char)*p) && !(*p >= 'a' && *p <= 'f'))
            return NULL;
    return p;
}

static const char *skip_number(const char *p)
{
    if (!p || !isdigit((unsigned char)*p))
        return NULL;
    while (isdigit((unsigned char)*p))
        p++;
    return p;
}

static const char *skip_char(const char *p, char c)
{
    return p && *p == c ? p + 1 : NULL;
}

/* Whether PATH is "xx/yy/<id>-<fence>-<random>.<ext>". */
static bool generated_path(const char *path)
{
    const char *p = skip_char(skip_hex(path, 2), '/');
    p = skip_char(skip_hex(p, 2), '/');
    p = skip_char(skip_number(p), '-');
    p = skip_char(skip_number(p), '-');
    p = skip_char(skip_hex(p, RESULT_RANDOM_DIGITS), '.');
    if (!p || !*p || *p == '.')
        return false;
    for (; *p; p++)
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '.')
            return false;
    return true;
}

int result_file_remove(const char *directory, const char *path, struct error *e)
{
    if (!generated_path(path))
        return error_set(e, ERR_INVALID, "not the path of a result file");
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_errno(e, ERR_IO, "the directory of result files cannot be opened");
    int rc = 0;
    if (unlinkat(dir, path, 0) && errno != ENOENT)
        rc = error_errno(e, ERR_IO, "the result file %s cannot be removed", path);
    close(dir);
    return rc;
}

/* Unlinks what begins with PREFIX in directory NAME below DIR, directories with all that is in them; a
 * missing directory has nothing. */
static void remove_with_prefix(int dir, const char *name, const char *prefix)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    while (list && (entry = readdir(list)))
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            tree_remove(fd, entry->d_name); /* what stays behind is the sweeper's */
    if (list)
        closedir(list);
    else if (fd >= 0)
        close(fd);
}

int result_file_remove_claim(const char *directory, uint64_t id, uint64_t fence, struct error *e)
{
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_errno(e, ERR_IO, "the directory of result files cannot be opened");
    char prefix[64], shard[RESULT_SHARD_SIZE];
    snprintf(prefix, sizeof prefix, "%llu-%llu-", (unsigned long long)id,
             (unsigned long long)fence);
    result_path_shard(id, shard);
    remove_with_prefix(dir, RESULT_TMP, prefix);
    remove_with_prefix(dir, shard, prefix);
    close(dir);
    return 0;
}
