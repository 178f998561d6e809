/* SPDX-License-Identifier: MIT */
/* result_remove.c: removes published files and what a lost claim has left. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "result_path.h"
#include "task/result_file.h"
#include "task/work_dir.h"

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

/* --- unfinished files ---------------------------------------------------------------------------- */

struct removal {
    uint64_t id, fence;
    enum result_rest rest;
};

/* Whether the file whose name begins with STEM bytes of NAME has a checkpoint. */
static bool has_checkpoint(int dir, const char *name, size_t stem)
{
    char path[NAME_MAX + 1];
    if (stem + sizeof RESULT_CKPT > sizeof path)
        return false;
    memcpy(path, name, stem);
    memcpy(path + stem, RESULT_CKPT, sizeof RESULT_CKPT);
    return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void remove_unfinished(void *ctx, int dir, const char *name, const struct result_tmp *file)
{
    const struct removal *r = ctx;
    if (!result_tmp_is_before(file, r->id, r->fence + 1))
        return;
    if (strcmp(file->kind, RESULT_DIR) == 0) {
        tree_remove(dir, name);
        return;
    }
    if (r->rest == RESULT_KEEP_CHECKPOINT &&
        (file->fence < r->fence ||
         (strcmp(file->kind, RESULT_CKPT_NEW) != 0 && has_checkpoint(dir, name, file->stem))))
        return;
    (void)unlinkat(dir, name, 0); /* what stays behind is the sweeper's */
}

int result_file_remove_claim(const char *directory, uint64_t id, uint64_t fence,
                             enum result_rest rest, struct error *e)
{
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_errno(e, ERR_IO, "the directory of result files cannot be opened");
    char prefix[64], shard[RESULT_SHARD_SIZE];
    snprintf(prefix, sizeof prefix, "%llu-%llu-", (unsigned long long)id,
             (unsigned long long)fence);
    result_path_shard(id, shard);
    struct removal r = {id, fence, rest};
    result_tmp_each(dir, remove_unfinished, &r);
    if (rest != RESULT_KEEP_FINISHED)
        remove_with_prefix(dir, shard, prefix);
    close(dir);
    return 0;
}

/* A list that grows. */
struct found {
    struct result_claim *items;
    size_t count, cap;
};

static void note_checkpoint(void *ctx, int dir, const char *name, const struct result_tmp *file)
{
    struct found *f = ctx;
    (void)dir;
    (void)name;
    if (strcmp(file->kind, RESULT_CKPT) != 0)
        return;
    if (f->count == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 16;
        f->items = xrealloc(f->items, f->cap * sizeof *f->items);
    }
    f->items[f->count++] = (struct result_claim){file->id, file->fence};
}

size_t result_file_checkpoints(const char *directory, struct result_claim **out)
{
    struct found f = {0};
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        result_tmp_each(dir, note_checkpoint, &f);
        close(dir);
    }
    *out = f.items;
    return f.count;
}
