/* SPDX-License-Identifier: MIT */
/* work_dir.c: makes and removes the private directory of an attempt. */
#include "task/work_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "result_path.h"

static const int64_t touch_every_ns = INT64_C(15000000000);

void work_place_close(struct work_place *p)
{
    if (p->tmp >= 0)
        close(p->tmp);
    p->tmp = -1;
}

/* Opens the directory of unfinished files, and makes it where it is missing. */
static int open_place(struct work_place *p, struct error *e)
{
    int rc = 0, dir = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    work_place_close(p);
    if (dir < 0)
        return error_errno(e, ERR_IO, "the directory of result files cannot be opened");
    if (mkdirat(dir, RESULT_TMP, p->directory_mode) == 0 &&
        fchmodat(dir, RESULT_TMP, p->directory_mode, 0)) /* whatever the umask */
        rc = error_errno(e, ERR_IO, "the directory of unfinished files cannot be given its mode");
    p->tmp = openat(dir, RESULT_TMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (p->tmp < 0)
        rc = error_errno(e, ERR_IO, "the directory of unfinished files cannot be opened");
    close(dir);
    return rc;
}

/* Whether what is open is what the path leads to: another file system may have been mounted there, or be gone. */
static bool still_there(const struct work_place *p)
{
    char path[PATH_MAX];
    struct stat there, open;
    snprintf(path, sizeof path, "%s/" RESULT_TMP, p->directory);
    return p->tmp >= 0 && stat(path, &there) == 0 && fstat(p->tmp, &open) == 0 && there.st_dev == open.st_dev &&
           there.st_ino == open.st_ino;
}

int work_dir_create(struct work_place *p, uint64_t id, uint64_t fence, struct work_dir *out,
                    struct error *e)
{
    char random[RESULT_RANDOM_DIGITS + 1];
    random_hex(random, RESULT_RANDOM_DIGITS);
    *out = (struct work_dir)WORK_DIR_INIT;
    snprintf(out->name, sizeof out->name, "%llu-%llu-%s" RESULT_DIR, (unsigned long long)id,
             (unsigned long long)fence, random);
    int rc = still_there(p) ? 0 : open_place(p, e);
    if (rc)
        return rc;
    if (mkdirat(p->tmp, out->name, 0700))
        return error_errno(e, ERR_IO, "the output directory cannot be made");
    out->place = p;
    out->touched_ns = clock_mono_ns();
    return 0;
}

int work_dir_open(const struct work_dir *d, const char *sub)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(d->place->tmp, d->name, flags);
    if (fd < 0 || !sub)
        return fd;
    int inner = openat(fd, sub, flags), saved = errno;
    close(fd);
    errno = saved;
    return inner;
}

void work_dir_touch(struct work_dir *d)
{
    int64_t now = clock_mono_ns();
    if (!d->place || now - d->touched_ns < touch_every_ns)
        return;
    d->touched_ns = now;
    (void)utimensat(d->place->tmp, d->name, NULL, AT_SYMLINK_NOFOLLOW);
}

bool work_dir_remove_empty(struct work_dir *d)
{
    if (d->place && unlinkat(d->place->tmp, d->name, AT_REMOVEDIR) && errno != ENOENT)
        return false;
    *d = (struct work_dir)WORK_DIR_INIT;
    return true;
}

void work_dir_remove(struct work_dir *d)
{
    if (work_dir_remove_empty(d))
        return;
    tree_remove(d->place->tmp, d->name); /* what stays behind is the sweeper's */
    *d = (struct work_dir)WORK_DIR_INIT;
}
