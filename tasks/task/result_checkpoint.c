/* SPDX-License-Identifier: MIT */
/* result_checkpoint.c: writes a result file's checkpoints. A thread waits for the disk, so that the
 * export does not; the order is data, note, rename. Should the machine fail in between, the SHA-256 in
 * the note tells that the data are not what it says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "result_file_impl.h"

/* Enough for the longest ending, as the file's own temporary name fits RESULT_PATH_SIZE. */
enum { NAME_SIZE = RESULT_PATH_SIZE + sizeof RESULT_CKPT_NEW - sizeof RESULT_PART };

static void name_of(const struct result_file *f, const char *kind, char out[NAME_SIZE])
{
    /* the final name without its shards */
    snprintf(out, NAME_SIZE, "%s/%s%s", RESULT_TMP, f->final_path + 6, kind);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* 0 or -1 with errno. */
static int write_note(struct result_file *f)
{
    char fresh[NAME_SIZE], path[NAME_SIZE];
    name_of(f, RESULT_CKPT_NEW, fresh);
    name_of(f, RESULT_CKPT, path);
    int fd = openat(f->dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    int rc = write_all(fd, f->checkpoint.data.data, f->checkpoint.data.len);
    if (!rc)
        rc = fdatasync(fd);
    if (close(fd) || rc || renameat(f->dir, fresh, f->dir, path)) {
        int saved = errno;
        (void)unlinkat(f->dir, fresh, 0);
        errno = saved;
        return -1;
    }
    return 0;
}

/* What earlier claims have left is of no use any more. */
static void remove_earlier(void *ctx, int dir, const char *name, const struct result_tmp *file)
{
    const struct result_file *f = ctx;
    if (result_tmp_is_before(file, f->id, f->fence))
        (void)unlinkat(dir, name, 0);
}

static void *save(void *arg)
{
    struct result_file *f = arg;
    struct checkpoint_writer *w = &f->checkpoint;
    if (fdatasync(f->fd) || write_note(f)) {
        if (!w->complained)
            log_warning("task %llu: a checkpoint cannot be written: %s", (unsigned long long)f->id,
                        strerror(errno));
        w->complained = true;
    } else if (!w->saved) {
        w->saved = true;
        result_tmp_each(f->dir, remove_earlier, f);
    }
    atomic_store(&w->done, true);
    return NULL;
}

void checkpoint_wait(struct result_file *f)
{
    if (f->checkpoint.started)
        pthread_join(f->checkpoint.thread, NULL);
    f->checkpoint.started = false;
}

void checkpoint_remove(struct result_file *f)
{
    char path[NAME_SIZE];
    if (!f->checkpoint.saved)
        return;
    name_of(f, RESULT_CKPT, path);
    (void)unlinkat(f->dir, path, 0);
    f->checkpoint.saved = false;
}

void result_file_checkpoint(struct result_file *f, struct checkpoint *c, bool wait)
{
    struct checkpoint_writer *w = &f->checkpoint;
    struct error ignored = {0}; /* the file's own, which the next write tells */
    if (w->started && !wait && !atomic_load(&w->done))
        return;
    checkpoint_wait(f);
    if (result_file_flush(f, &ignored) || result_file_digest(f, c->sha256))
        return;
    c->bytes = f->flushed;
    buf_clear(&w->data);
    checkpoint_encode(c, &w->data);
    if (w->data.err)
        return;
    atomic_store(&w->done, false);
    w->started = pthread_create(&w->thread, NULL, save, f) == 0;
    if (!w->started)
        save(f);
    if (wait)
        checkpoint_wait(f);
}
