/* SPDX-License-Identifier: MIT */
/* import_input.c: reads a file, through zlib where it begins like gzip. */
#include "import_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

enum { BUFFER_SIZE = 64 * 1024, GZIP_WINDOW = 15 + 16 /* zlib: gzip only */ };

struct import_input {
    int fd;
    uint64_t size, done; /* of the file */
    uint64_t given, expanded_max;
    bool gzip, member_ended;
    z_stream z;
    size_t used; /* of buffer */
    unsigned char buffer[BUFFER_SIZE];
};

static ssize_t read_some(struct import_input *in, void *out, size_t size, struct error *e)
{
    ssize_t n;
    do
        n = read(in->fd, out, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_errno(e, ERR_IO, "the uploaded file cannot be read");
    in->done += (uint64_t)n;
    return n;
}

/* Looks at the first bytes; they stay in the buffer. */
static int detect(struct import_input *in, struct error *e)
{
    ssize_t n;
    while (in->used < 2 && (n = read_some(in, in->buffer + in->used, BUFFER_SIZE - in->used, e)) != 0) {
        if (n < 0)
            return (int)n;
        in->used += (size_t)n;
    }
    in->z.next_in = in->buffer;
    in->z.avail_in = (unsigned)in->used;
    if (in->used < 2 || in->buffer[0] != 0x1f || in->buffer[1] != 0x8b)
        return 0;
    if (inflateInit2(&in->z, GZIP_WINDOW) != Z_OK)
        return error_set(e, ERR_SYSTEM, "zlib cannot be initialised");
    in->gzip = true;
    return 0;
}

int import_input_open(const char *directory, const char *path, uint64_t expanded_max,
                      struct import_input **out, struct error *e)
{
    struct import_input *in = xcalloc(1, sizeof *in);
    struct stat st;
    int rc = 0, dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    in->fd = dir < 0 ? -1 : openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    in->expanded_max = expanded_max;
    if (dir < 0)
        rc = error_errno(e, ERR_IO, "the directory of result files cannot be opened");
    else if (in->fd < 0)
        rc = error_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "the uploaded file cannot be opened");
    else if (fstat(in->fd, &st))
        rc = error_errno(e, ERR_IO, "the uploaded file cannot be read");
    if (!rc) {
        in->size = (uint64_t)st.st_size;
        rc = detect(in, e);
    }
    if (dir >= 0)
        close(dir);
    if (rc)
        import_input_close(&in);
    *out = in;
    return rc;
}

void import_input_close(struct import_input **ip)
{
    struct import_input *in = *ip;
    if (!in)
        return;
    *ip = NULL;
    if (in->gzip)
        inflateEnd(&in->z);
    if (in->fd >= 0)
        close(in->fd);
    free(in);
}

/* Fresh bytes for zlib; 0 at the end of the file. */
static int refill(struct import_input *in, struct error *e)
{
    ssize_t n = read_some(in, in->buffer, BUFFER_SIZE, e);
    if (n < 0)
        return (int)n;
    in->z.next_in = in->buffer;
    in->z.avail_in = (unsigned)n;
    return n > 0;
}

static int damaged(struct error *e)
{
    return error_set(e, ERR_INVALID, "the file is gzip and damaged or not complete");
}

/* Several members may stand one behind the other (RFC 1952 section 2.2); padding of zeros may end them. */
static int next_member(struct import_input *in, struct error *e)
{
    while (in->z.avail_in && !*in->z.next_in) {
        in->z.next_in++;
        in->z.avail_in--;
    }
    if (!in->z.avail_in)
        return 0;
    in->member_ended = false;
    return inflateReset(&in->z) == Z_OK ? 0 : damaged(e);
}

static int inflate_some(struct import_input *in, char *out, size_t size, struct error *e)
{
    in->z.next_out = (unsigned char *)out;
    in->z.avail_out = (unsigned)size;
    while (in->z.avail_out == size) {
        int rc = in->z.avail_in ? 1 : refill(in, e);
        if (rc < 0)
            return rc;
        if (!rc)
            return in->member_ended ? 0 : damaged(e);
        rc = in->member_ended ? next_member(in, e) : 0;
        if (rc)
            return rc;
        if (in->member_ended)
            continue;
        int z = inflate(&in->z, Z_NO_FLUSH);
        if (z == Z_STREAM_END)
            in->member_ended = true;
        else if (z != Z_OK && z != Z_BUF_ERROR)
            return damaged(e);
    }
    return (int)(size - in->z.avail_out);
}

static int plain_some(struct import_input *in, char *out, size_t size, struct error *e)
{
    if (!in->z.avail_in)
        return (int)read_some(in, out, size, e);
    size_t n = 0;
    for (; n < size && in->z.avail_in; in->z.avail_in--)
        out[n++] = (char)*in->z.next_in++;
    return (int)n;
}

int import_input_read(void *input, char *out, size_t size, struct error *e)
{
    struct import_input *in = input;
    if (size > 1 << 30)
        size = 1 << 30;
    int n = in->gzip ? inflate_some(in, out, size, e) : plain_some(in, out, size, e);
    if (n > 0)
        in->given += (uint64_t)n;
    if (in->gzip && in->given > in->expanded_max)
        return error_set(e, ERR_LIMIT, "the file expands to more than the %llu bytes that it may",
                         (unsigned long long)in->expanded_max);
    return n;
}

bool import_input_is_gzip(const struct import_input *in)
{
    return in->gzip;
}

int import_input_seek(struct import_input *in, uint64_t offset, struct error *e)
{
    if (offset > in->size || lseek(in->fd, (off_t)offset, SEEK_SET) < 0)
        return error_set(e, ERR_INVALID, "the file is shorter than it was");
    in->done = offset;
    in->z.avail_in = 0;
    return 0;
}

uint64_t import_input_done(const struct import_input *in)
{
    return in->done - in->z.avail_in;
}

uint64_t import_input_size(const struct import_input *in)
{
    return in->size;
}
