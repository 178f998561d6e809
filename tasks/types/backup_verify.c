/* SPDX-License-Identifier: MIT */
/* backup_verify.c: proves a backup by reading it as a restore would. */
#include "backup_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "pack.h"

enum { READ_SIZE = 128 * 1024 };

/* How often the file's time is set: the search for files that no row names must not take it for one. */
static const int64_t touch_ns = 10000000000;

struct reading {
    struct run *run;
    struct dump_mark file, dump; /* of the bytes as they are, and expanded */
    struct pack *unpack;
    int fd;
    int64_t touched_ns;
    char buffer[READ_SIZE];
};

static int add_dump(void *ctx, const void *data, size_t len, struct error *e)
{
    struct reading *r = ctx;
    return dump_mark_add(&r->dump, data, len, e);
}

static int open_file(struct reading *r, const struct result_info *info, struct error *e)
{
    const char *path = arena_printf(run_arena(r->run), "%s/%s", run_settings(r->run)->files.directory,
                                    info->path);
    r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (r->fd < 0)
        return error_errno(e, ERR_IO, "the backup cannot be opened again");
    /* what is in memory proves nothing; it has been fsynced, so that it can be dropped */
    (void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

static void touch(struct reading *r)
{
    int64_t now_ns = clock_mono_ns();
    if (now_ns - r->touched_ns < touch_ns)
        return;
    r->touched_ns = now_ns;
    (void)futimens(r->fd, NULL);
}

static int read_file(struct reading *r, struct error *e)
{
    for (;;) {
        touch(r);
        if (run_stopping(r->run))
            return error_set(e, ERR_CANCELLED, "stopped");
        ssize_t n = read(r->fd, r->buffer, sizeof r->buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, ERR_IO, "the backup cannot be read again");
        if (n == 0)
            return pack_end(r->unpack, e);
        int rc = dump_mark_add(&r->file, r->buffer, (size_t)n, e);
        if (!rc)
            rc = pack_put(r->unpack, r->buffer, (size_t)n, e);
        if (rc)
            return rc;
    }
}

static bool is_digest(const struct dump_mark *m, const char *hex)
{
    char text[2 * EVP_MAX_MD_SIZE + 1];
    hex_write(text, m->digest, m->digest_len);
    return strcmp(text, hex) == 0;
}

int backup_verify(struct run *run, const struct result_info *info, enum backup_compression kind,
                  const struct dump_mark *mark, struct error *e)
{
    struct reading *r = arena_calloc(run_arena(run), 1, sizeof *r);
    r->run = run;
    r->fd = -1;
    int rc = dump_mark_begin(&r->file, e);
    if (!rc)
        rc = dump_mark_begin(&r->dump, e);
    if (!rc)
        rc = unpack_open(kind, add_dump, r, &r->unpack, e);
    if (!rc)
        rc = open_file(r, info, e);
    if (!rc)
        rc = read_file(r, e);
    if (!rc)
        rc = dump_mark_end(&r->file, e);
    if (!rc)
        rc = dump_mark_end(&r->dump, e);
    if (!rc && (!is_digest(&r->file, info->sha256) || !dump_mark_equal(&r->dump, mark) ||
                !dump_mark_complete(&r->dump)))
        rc = error_set(e, ERR_INVALID, "it does not hold what was written");
    if (r->fd >= 0)
        close(r->fd);
    pack_close(&r->unpack);
    dump_mark_free(&r->file);
    dump_mark_free(&r->dump);
    return rc;
}
