/* SPDX-License-Identifier: MIT */
/* result_resume.c: finds what an earlier claim has left of a result file and copies it. Nothing that is
 * found is trusted: a checkpoint must be whole and of the same content, and the bytes those that it says. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "result_file_impl.h"

enum { CANDIDATES_MAX = 8, LINE_SIZE = 400 };

struct candidate {
    uint64_t fence;
    size_t stem;
    char name[NAME_MAX + 1];
};

/* The newest first; more than there is room for are left out. */
struct candidates {
    const struct result_file *file;
    struct candidate items[CANDIDATES_MAX];
    size_t count;
};

static void note(void *ctx, int dir, const char *name, const struct result_tmp *file)
{
    struct candidates *c = ctx;
    (void)dir;
    if (!result_tmp_is_before(file, c->file->id, c->file->fence) || strcmp(file->kind, RESULT_CKPT) != 0 ||
        strlen(name) > NAME_MAX)
        return;
    size_t at = c->count;
    while (at > 0 && c->items[at - 1].fence < file->fence)
        at--;
    if (at == CANDIDATES_MAX)
        return;
    size_t kept = c->count < CANDIDATES_MAX ? c->count : CANDIDATES_MAX - 1;
    memmove(&c->items[at + 1], &c->items[at], (kept - at) * sizeof *c->items);
    c->count = kept + 1;
    c->items[at].fence = file->fence;
    c->items[at].stem = file->stem;
    memcpy(c->items[at].name, name, strlen(name) + 1);
}

/* Opens "tmp/<stem of C><KIND>", a regular file; -1 with E. */
static int open_file(const struct result_file *f, const struct candidate *c, const char *kind,
                     struct stat *st, struct error *e)
{
    char path[NAME_MAX + sizeof RESULT_TMP + sizeof RESULT_CKPT_NEW];
    snprintf(path, sizeof path, "%s/%.*s%s", RESULT_TMP, (int)c->stem, c->name, kind);
    int fd = openat(f->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    error_errno(e, ERR_IO, "%s cannot be opened", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads up to LEN bytes, all that there are; -1 with errno. */
static ssize_t read_all(int fd, char *p, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = read(fd, p + have, len - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

static int read_checkpoint(const struct result_file *f, const struct candidate *c,
                           const struct result_search *search, struct checkpoint *out, struct error *e)
{
    struct stat st;
    int fd = open_file(f, c, RESULT_CKPT, &st, e);
    if (fd < 0)
        return e->code;
    char *data = arena_alloc(search->arena, CHECKPOINT_SIZE_MAX + 1);
    ssize_t len = read_all(fd, data, CHECKPOINT_SIZE_MAX + 1);
    int rc = len < 0 ? error_errno(e, ERR_IO, "it cannot be read")
                     : checkpoint_decode(data, (size_t)len, out, e);
    close(fd);
    if (!rc && memcmp(out->fingerprint, search->fingerprint, CHECKPOINT_DIGEST) != 0)
        rc = error_set(e, ERR_INVALID, "it was written for another content");
    return rc;
}

/* Copies the first C->bytes bytes of FROM; ERR_INVALID where they are not what C says. */
static int copy(struct result_file *f, int from, const struct checkpoint *c,
                const struct result_search *search, struct error *e)
{
    for (uint64_t left = c->bytes; left;) {
        size_t room;
        char *p = result_file_reserve(f, RESULT_RESERVE_MAX, &room, e);
        if (!p)
            return e->code;
        if (search->stop(search->ctx))
            return error_set(e, ERR_CANCELLED, "asked to stop");
        if (room > left)
            room = (size_t)left;
        ssize_t n = read_all(from, p, room);
        if (n != (ssize_t)room)
            return n < 0 ? error_errno(e, ERR_INVALID, "its file cannot be read")
                         : error_set(e, ERR_INVALID, "its file is too short");
        result_file_advance(f, room);
        left -= room;
    }
    unsigned char sha256[CHECKPOINT_DIGEST];
    int rc = result_file_flush(f, e);
    if (!rc && (result_file_digest(f, sha256) || memcmp(sha256, c->sha256, sizeof sha256) != 0))
        rc = error_set(e, ERR_INVALID, "its file is not what it was");
    if (!rc && !search->accept(search->ctx, c))
        rc = error_set(e, ERR_INVALID, "nobody can go on from there");
    return rc;
}

/* F as it was made: empty. */
static int start_anew(struct result_file *f, struct error *e)
{
    error_clear(&f->error);
    f->used = 0;
    f->flushed = f->writeback = 0;
    if (EVP_DigestInit_ex(f->hash, EVP_sha256(), NULL) != 1)
        return error_set(e, ERR_SYSTEM, "SHA-256 is not available");
    if (ftruncate(f->fd, 0) || lseek(f->fd, 0, SEEK_SET) != 0)
        return result_file_failed(f, "emptied", e);
    return 0;
}

/* 1 = F has what C's file had; 0 = it is of no use, for the reason in WHY. */
static int try_one(struct result_file *f, const struct candidate *c, const struct result_search *search,
                   struct checkpoint *out, struct error *why, struct error *e)
{
    struct stat st;
    if (read_checkpoint(f, c, search, out, why))
        return 0;
    int from = open_file(f, c, RESULT_PART, &st, why);
    if (from < 0)
        return 0;
    int rc = (uint64_t)st.st_size < out->bytes ? error_set(why, ERR_INVALID, "its file is too short")
                                              : copy(f, from, out, search, why);
    close(from);
    if (!rc)
        return 1;
    if (rc == ERR_CANCELLED)
        return error_set(e, ERR_CANCELLED, "%s", why->text);
    return start_anew(f, e);
}

int result_file_resume(struct result_file *f, const struct result_search *search,
                       struct checkpoint *out, struct error *e)
{
    struct candidates *found = arena_calloc(search->arena, 1, sizeof *found);
    found->file = f;
    result_tmp_each(f->dir, note, found);
    for (size_t i = 0; i < found->count; i++) {
        struct error why = {0};
        const struct candidate *c = &found->items[i];
        int rc = try_one(f, c, search, out, &why, e);
        if (rc)
            return rc;
        char line[LINE_SIZE];
        snprintf(line, sizeof line, "the checkpoint of claim %llu is not used: %.300s",
                 (unsigned long long)c->fence, why.text);
        search->tell(search->ctx, line);
    }
    /* they would only be in the way of a full disk */
    for (size_t i = 0; i < found->count; i++) {
        char path[NAME_MAX + sizeof RESULT_TMP + sizeof RESULT_CKPT_NEW];
        const struct candidate *c = &found->items[i];
        snprintf(path, sizeof path, "%s/%.*s%s", RESULT_TMP, (int)c->stem, c->name, RESULT_PART);
        (void)unlinkat(f->dir, path, 0);
        snprintf(path, sizeof path, "%s/%s", RESULT_TMP, c->name);
        (void)unlinkat(f->dir, path, 0);
    }
    return 0;
}
