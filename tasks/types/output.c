/* SPDX-License-Identifier: MIT */
/* output.c: passes bytes on to the result file, through zlib where it is to be a gzip file. */
#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

enum {
    PIECE = 64 * 1024,       /* what zlib is given at a time, but for the end of a member */
    PACKED = 2 * PIECE,      /* room for what it makes of that */
    GZIP_WINDOW = 15 + 16,   /* deflateInit2: the largest window, a gzip header without name and time */
    MEMORY_LEVEL = 8,        /* zlib's default */
};

/* Invariant: of the present member, fed bytes have gone through zlib, and plain[0..used) comes
 * next. */
struct output {
    struct result_file *file;
    bool gzip;
    bool any; /* a member has been finished */
    z_stream z;
    uint64_t fed;
    size_t used;
    unsigned char plain[PIECE + OUTPUT_RESERVE_MAX];
    unsigned char packed[PACKED];
};

int output_open(struct result_file *file, bool gzip, struct output **out, struct error *e)
{
    struct output *o = xcalloc(1, sizeof *o);
    o->file = file;
    if (gzip && deflateInit2(&o->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                             Z_DEFAULT_STRATEGY) != Z_OK) {
        free(o);
        return error_set(e, ERR_SYSTEM, "zlib cannot be used");
    }
    o->gzip = gzip;
    *out = o;
    return 0;
}

void output_close(struct output **op)
{
    struct output *o = *op;
    if (!o)
        return;
    *op = NULL;
    if (o->gzip)
        deflateEnd(&o->z);
    free(o);
}

/* Compresses the first LEN bytes of what waits. */
static int feed(struct output *o, size_t len, int flush, struct error *e)
{
    int rc = 0;
    o->z.next_in = o->plain;
    o->z.avail_in = (uInt)len;
    do {
        o->z.next_out = o->packed;
        o->z.avail_out = PACKED;
        if (deflate(&o->z, flush) == Z_STREAM_ERROR)
            return error_set(e, ERR_SYSTEM, "zlib failed");
        rc = result_file_write(o->file, o->packed, PACKED - o->z.avail_out, e);
    } while (!rc && o->z.avail_out == 0);
    o->fed += len;
    o->used -= len;
    memmove(o->plain, o->plain + len, o->used);
    return rc;
}

static int feed_pieces(struct output *o, struct error *e)
{
    int rc = 0;
    while (!rc && o->used >= PIECE)
        rc = feed(o, PIECE, Z_NO_FLUSH, e);
    return rc;
}

static int end_member(struct output *o, struct error *e)
{
    int rc = feed_pieces(o, e);
    if (!rc)
        rc = feed(o, o->used, Z_FINISH, e);
    deflateReset(&o->z);
    o->fed = 0;
    o->any = true;
    return rc;
}

int output_write(struct output *o, const void *data, size_t len, struct error *e)
{
    if (!o->gzip)
        return result_file_write(o->file, data, len, e);
    const unsigned char *p = data;
    int rc = 0;
    while (!rc && len) {
        size_t room = sizeof o->plain - o->used, n = len < room ? len : room;
        memcpy(o->plain + o->used, p, n);
        o->used += n;
        p += n;
        len -= n;
        rc = feed_pieces(o, e);
    }
    return rc;
}

char *output_reserve(struct output *o, size_t min, size_t *room, struct error *e)
{
    if (!o->gzip)
        return result_file_reserve(o->file, min, room, e);
    if (min > OUTPUT_RESERVE_MAX) {
        error_set(e, ERR_LIMIT, "%zu bytes cannot be reserved at once", min);
        return NULL;
    }
    if (feed_pieces(o, e))
        return NULL;
    *room = sizeof o->plain - o->used;
    return (char *)o->plain + o->used;
}

void output_advance(struct output *o, size_t used)
{
    if (o->gzip)
        o->used += used;
    else
        result_file_advance(o->file, used);
}

bool output_resumable(const struct output *o)
{
    return o->fed + o->used == 0;
}

void output_resume(struct output *o)
{
    o->any = true;
}

int output_row(struct output *o, struct error *e)
{
    return o->gzip && o->fed + o->used >= OUTPUT_MEMBER ? end_member(o, e) : 0;
}

int output_end(struct output *o, struct error *e)
{
    bool open = o->gzip && (o->fed + o->used || !o->any);
    return open ? end_member(o, e) : 0;
}
