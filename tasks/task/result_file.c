/* SPDX-License-Identifier: MIT */
/* result_file.c: writes a result file under a temporary name and publishes it whole. It knows
 * nothing of formats and nothing of the row that will name the file. */
#include "task/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/settings.h"
#include "result_file_impl.h"

enum {
    WRITEBACK_STEP = 8 * 1024 * 1024, /* bytes after which the kernel is told to start writing */
    SETTLED_SEC = 120, /* after which every file system has written what it was not asked to write */
};

static int failed(struct result_file *f, struct error *e)
{
    if (e && !e->code)
        *e = f->error;
    return f->error.code;
}

int result_file_failed(struct result_file *f, const char *what, struct error *e)
{
    error_errno(&f->error, ERR_IO, "the result file cannot be %s", what);
    return failed(f, e);
}

/* Makes directory NAME below DIR where it is missing; the mode is exact, whatever the umask.
 * 1 = made, 0 = was there, -1 = errno. */
static int make_directory(int dir, const char *name, mode_t mode)
{
    if (mkdirat(dir, name, mode))
        return errno == EEXIST ? 0 : -1;
    return fchmodat(dir, name, mode, 0) ? -1 : 1;
}

/* fsync of the directory NAME below DIR. */
static int sync_directory(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    int saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

static int open_temporary(struct result_file *f, const char *directory, uint64_t id,
                          uint64_t fence, const char *ext, struct error *e)
{
    char random[RESULT_RANDOM_DIGITS + 1];
    random_hex(random, RESULT_RANDOM_DIGITS);
    char shard[RESULT_SHARD_SIZE];
    result_path_shard(id, shard);
    snprintf(f->final_path, sizeof f->final_path, "%s/%llu-%llu-%s.%s", shard,
             (unsigned long long)id, (unsigned long long)fence, random, ext);
    char path[RESULT_PATH_SIZE];
    /* the final name without its shards */
    int len = snprintf(path, sizeof path, "%s/%s.part", RESULT_TMP, f->final_path + 6);
    if (len >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return result_file_failed(f, "created", e);
    }
    int made = make_directory(f->dir, RESULT_TMP, f->directory_mode);
    if (made > 0)
        made = sync_directory(f->dir, ".");
    if (made < 0)
        return result_file_failed(f, "created", e);
    f->fd = openat(f->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->fd < 0)
        return result_file_failed(f, "created", e);
    memcpy(f->path, path, sizeof path);
    f->full_path = xasprintf("%s/%s", directory, path);
    return 0;
}

struct result_place result_place_of(const struct files_settings *files)
{
    return (struct result_place){files->directory, (mode_t)files->mode, (mode_t)files->directory_mode};
}

int result_file_create(const struct result_place *place, uint64_t id, uint64_t fence,
                       const char *ext, struct result_file **out, struct error *e)
{
    struct result_file *f = xcalloc(1, sizeof *f);
    int rc;
    f->id = id;
    f->fence = fence;
    f->fd = -1;
    f->mode = place->mode;
    f->directory_mode = place->directory_mode;
    f->dir = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0) {
        rc = error_errno(e, ERR_IO, "the directory of result files cannot be opened");
        goto fail;
    }
    f->hash = EVP_MD_CTX_new();
    if (!f->hash || EVP_DigestInit_ex(f->hash, EVP_sha256(), NULL) != 1) {
        rc = error_set(e, ERR_SYSTEM, "SHA-256 is not available");
        goto fail;
    }
    rc = open_temporary(f, place->directory, id, fence, ext, e);
    if (rc)
        goto fail;
    *out = f;
    return 0;

fail:
    result_file_discard(&f);
    return rc;
}

/* Has the kernel start to write what it holds, so that the fsync at the end finds little to do. It
 * is only a hint: errors show at the fsync. */
static void start_writeback(struct result_file *f)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (f->flushed - f->writeback < WRITEBACK_STEP)
        return;
    int saved = errno;
    (void)sync_file_range(f->fd, (off_t)f->writeback, (off_t)(f->flushed - f->writeback),
                          SYNC_FILE_RANGE_WRITE);
    errno = saved;
    f->writeback = f->flushed;
#else
    (void)f;
#endif
}

/* Hashes and writes all of DATA. */
static int put(struct result_file *f, const unsigned char *data, size_t len, struct error *e)
{
    if (len && EVP_DigestUpdate(f->hash, data, len) != 1) {
        error_set(&f->error, ERR_SYSTEM, "SHA-256 failed");
        return failed(f, e);
    }
    while (len) {
        ssize_t n = write(f->fd, data, len);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return result_file_failed(f, "written", e);
        }
        data += n;
        len -= (size_t)n;
        f->flushed += (uint64_t)n;
    }
    start_writeback(f);
    return 0;
}

int result_file_flush(struct result_file *f, struct error *e)
{
    if (f->error.code)
        return failed(f, e);
    size_t used = f->used;
    f->used = 0;
    return put(f, f->buffer, used, e);
}

int result_file_write(struct result_file *f, const void *data, size_t len, struct error *e)
{
    if (f->error.code)
        return failed(f, e);
    if (len > RESULT_BUFFER - f->used) {
        int rc = result_file_flush(f, e);
        if (rc)
            return rc;
    }
    if (len >= RESULT_BUFFER)
        return put(f, data, len, e);
    memcpy(f->buffer + f->used, data, len);
    f->used += len;
    return 0;
}

/* Hashes all that FD holds; COPY: writes it to F as well, else it is F's content already. */
static int take_content(struct result_file *f, int fd, bool copy, struct error *e)
{
    for (;;) {
        ssize_t n = read(fd, f->buffer, sizeof f->buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return result_file_failed(f, "read", e);
        if (n == 0)
            return 0;
        if (copy) {
            if (put(f, f->buffer, (size_t)n, e))
                return f->error.code;
            continue;
        }
        if (EVP_DigestUpdate(f->hash, f->buffer, (size_t)n) != 1) {
            error_set(&f->error, ERR_SYSTEM, "SHA-256 failed");
            return failed(f, e);
        }
        f->flushed += (uint64_t)n;
    }
}

int result_file_adopt(struct result_file *f, int from, const char *name, bool move, struct error *e)
{
    struct stat st, moved;
    int rc;
    if (f->error.code)
        return failed(f, e);
    int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno != ELOOP)
        return result_file_failed(f, "read", e);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
        error_set(&f->error, ERR_INVALID, "it is no regular file of its own");
        rc = failed(f, e);
        goto out;
    }
    if (move && st.st_uid == geteuid() && renameat(from, name, f->dir, f->path) == 0) {
        /* the name was opened, then moved: it must still have been the same file */
        if (fstatat(f->dir, f->path, &moved, AT_SYMLINK_NOFOLLOW) || moved.st_ino != st.st_ino ||
            moved.st_dev != st.st_dev) {
            error_set(&f->error, ERR_INVALID, "it was exchanged for another file");
            rc = failed(f, e);
            goto out;
        }
        close(f->fd);
        f->fd = fd;
        return take_content(f, fd, false, e);
    }
    rc = take_content(f, fd, true, e);

out:
    if (fd >= 0)
        close(fd);
    return rc;
}

char *result_file_reserve(struct result_file *f, size_t min, size_t *room, struct error *e)
{
    if (min > RESULT_RESERVE_MAX) {
        error_set(&f->error, ERR_LIMIT, "%zu bytes cannot be reserved at once", min);
        failed(f, e);
        return NULL;
    }
    if ((f->error.code || RESULT_BUFFER - f->used < min) && result_file_flush(f, e))
        return NULL;
    *room = RESULT_BUFFER - f->used;
    return (char *)f->buffer + f->used;
}

void result_file_advance(struct result_file *f, size_t used)
{
    f->used += used;
}

const char *result_file_path(const struct result_file *f)
{
    return f->full_path;
}

int result_file_take_written(struct result_file *f, struct error *e)
{
    if (f->error.code)
        return failed(f, e);
    int fd = openat(f->dir, f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return result_file_failed(f, "read", e);
    struct stat ours, there;
    int rc = 0;
    if (fstat(f->fd, &ours) || fstat(fd, &there)) {
        rc = result_file_failed(f, "read", e);
    } else if (ours.st_dev != there.st_dev || ours.st_ino != there.st_ino) {
        error_set(&f->error, ERR_IO, "another file has taken the place of the result file");
        rc = failed(f, e);
    } else {
        rc = take_content(f, fd, false, e);
    }
    close(fd);
    return rc;
}

int result_file_digest(const struct result_file *f, unsigned char *out)
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    unsigned len = 0;
    bool good = copy && EVP_MD_CTX_copy_ex(copy, f->hash) == 1 &&
                EVP_DigestFinal_ex(copy, out, &len) == 1 && len == CHECKPOINT_DIGEST;
    EVP_MD_CTX_free(copy);
    return good ? 0 : ERR_SYSTEM;
}

uint64_t result_file_bytes(const struct result_file *f)
{
    return f->flushed + f->used;
}

void result_file_name(struct result_file *f, const char *filename, const char *format)
{
    snprintf(f->info.format, sizeof f->info.format, "%s", format);
    size_t len = 0;
    for (; filename[len] && len < sizeof f->info.filename - 1; len++) {
        unsigned char c = (unsigned char)filename[len];
        f->info.filename[len] = c < 0x20 || c == 0x7f || c == '/' ? '_' : (char)c;
    }
    /* never half a character at the cut */
    if (filename[len])
        while (len && ((unsigned char)filename[len] & 0xc0) == 0x80)
            len--;
    f->info.filename[len] = '\0';
}

void result_file_set_result(struct result_file *f)
{
    f->info.is_result = true;
}

void result_file_set_response(struct result_file *f)
{
    f->info.is_response = true;
}

void result_file_set_keeping(struct result_file *f, const char *role, const char *series)
{
    snprintf(f->info.role, sizeof f->info.role, "%s", role ? role : "");
    snprintf(f->info.series, sizeof f->info.series, "%s", series ? series : "");
}

/* Whether the name of directory NAME, which is there, is on the disk, although this process has not seen to that.
 * NOW is a file that the same file system's clock has just marked: hosts may not agree on the time. */
static bool is_settled(int dir, const char *name, const struct stat *now)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && now->st_ctime - st.st_ctime >= SETTLED_SEC;
}

/* Has the directory NAME there, and its name on the disk: PARENT, which holds it, is fsynced, too, where another
 * process has just made it, who may have died before he did that. 0 or -1 with errno. */
static int provide_shard(int dir, const char *name, const char *parent, mode_t mode, const struct stat *now)
{
    int made = make_directory(dir, name, mode);
    if (made < 0 || (!made && is_settled(dir, name, now)))
        return made < 0 ? -1 : 0;
    if (sync_directory(dir, parent) == 0)
        return 0;
    int saved = errno;
    (void)unlinkat(dir, name, AT_REMOVEDIR); /* nobody shall find it settled one day */
    errno = saved;
    return -1;
}

/* Renames into "xx/yy/name", making the shards where they are missing. */
static int move_to_shard(struct result_file *f, const struct stat *now)
{
    char outer[] = "xx", inner[] = "xx/yy";
    memcpy(outer, f->final_path, sizeof outer - 1);
    memcpy(inner, f->final_path, sizeof inner - 1);
    /* somebody may remove an empty shard between the mkdir and the rename: once more, then */
    for (int tries = 0;; tries++) {
        if ((is_settled(f->dir, inner, now) || (!provide_shard(f->dir, outer, ".", f->directory_mode, now) &&
                                                !provide_shard(f->dir, inner, outer, f->directory_mode, now))) &&
            renameat(f->dir, f->path, f->dir, f->final_path) == 0)
            break;
        if (errno != ENOENT || tries == 3)
            return -1;
    }
    memcpy(f->path, f->final_path, sizeof f->final_path);
    return sync_directory(f->dir, inner);
}

int result_file_finish(struct result_file *f, uint64_t rows, struct error *e)
{
    checkpoint_wait(f);
    int rc = result_file_flush(f, e);
    if (rc)
        return rc;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    if (EVP_DigestFinal_ex(f->hash, digest, &digest_len) != 1 ||
        digest_len * 2 + 1 != sizeof f->info.sha256) {
        error_set(&f->error, ERR_SYSTEM, "SHA-256 failed");
        return failed(f, e);
    }
    hex_write(f->info.sha256, digest, digest_len);
    if (fchmod(f->fd, f->mode))
        return result_file_failed(f, "given its mode", e);
    if (fsync(f->fd))
        return result_file_failed(f, "written to the disk", e);
    struct stat now; /* the change of the mode is the last one */
    if (fstat(f->fd, &now))
        return result_file_failed(f, "read", e);
    int fd = f->fd;
    f->fd = -1;
    if (close(fd))
        return result_file_failed(f, "closed", e);
    if (move_to_shard(f, &now))
        return result_file_failed(f, "given its final name", e);
    checkpoint_remove(f);
    memcpy(f->info.path, f->final_path, sizeof f->info.path);
    f->info.bytes = f->flushed;
    f->info.rows = rows;
    return 0;
}

const struct result_info *result_file_info(const struct result_file *f)
{
    return &f->info;
}

void result_file_discard(struct result_file **fp)
{
    struct result_file *f = *fp;
    if (f) {
        checkpoint_wait(f);
        if (*f->path)
            (void)unlinkat(f->dir, f->path, 0); /* what stays behind is the sweeper's */
        checkpoint_remove(f);
    }
    result_file_release(fp);
}

void result_file_keep(struct result_file **fp)
{
    struct result_file *f = *fp;
    if (f)
        checkpoint_wait(f);
    if (f && f->checkpoint.saved)
        result_file_release(fp);
    else
        result_file_discard(fp);
}

void result_file_release(struct result_file **fp)
{
    struct result_file *f = *fp;
    if (!f)
        return;
    *fp = NULL;
    checkpoint_wait(f);
    buf_free(&f->checkpoint.data);
    if (f->fd >= 0)
        close(f->fd);
    if (f->dir >= 0)
        close(f->dir);
    EVP_MD_CTX_free(f->hash);
    free(f->full_path);
    free(f);
}
