/* SPDX-License-Identifier: MIT */
/* pack_gzip.c: gzip (RFC 1952), one member. */
#define ZLIB_CONST
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "pack_impl.h"

enum { WINDOW_BITS = 15, GZIP_FORMAT = 16, MEMORY_LEVEL = 8 };

/* The stream of either direction. */
struct gzip {
    z_stream z;
    bool ended; /* the member's end has been read */
};

static int failed(const struct gzip *g, enum err err, struct error *e)
{
    return error_set(e, err, "gzip: %s", g->z.msg ? g->z.msg : "out of memory");
}

/* --- compressing ------------------------------------------------------------------------------ */

static int open_pack(int64_t level, void **state, struct error *e)
{
    struct gzip *g = xcalloc(1, sizeof *g);
    if (deflateInit2(&g->z, level == SETTING_UNSET ? Z_DEFAULT_COMPRESSION : (int)level, Z_DEFLATED,
                     WINDOW_BITS + GZIP_FORMAT, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        int rc = failed(g, ERR_SYSTEM, e);
        free(g);
        return rc;
    }
    *state = g;
    return 0;
}

/* A piece of output is complete when deflate has left room in it. */
static int compress_with(struct pack *p, const void *data, size_t len, int flush, struct error *e)
{
    struct gzip *g = p->state;
    g->z.next_in = data;
    g->z.avail_in = (uInt)len;
    do {
        g->z.next_out = (Bytef *)p->piece;
        g->z.avail_out = sizeof p->piece;
        if (deflate(&g->z, flush) == Z_STREAM_ERROR)
            return failed(g, ERR_SYSTEM, e);
        size_t made = sizeof p->piece - g->z.avail_out;
        int rc = made ? p->sink(p->ctx, p->piece, made, e) : 0;
        if (rc)
            return rc;
    } while (!g->z.avail_out);
    return 0;
}

static int put_pack(struct pack *p, const void *data, size_t len, struct error *e)
{
    return compress_with(p, data, len, Z_NO_FLUSH, e);
}

static int end_pack(struct pack *p, struct error *e)
{
    return compress_with(p, NULL, 0, Z_FINISH, e);
}

static void close_pack(void *state)
{
    struct gzip *g = state;
    deflateEnd(&g->z);
    free(g);
}

/* --- expanding -------------------------------------------------------------------------------- */

static int open_unpack(int64_t level, void **state, struct error *e)
{
    (void)level;
    struct gzip *g = xcalloc(1, sizeof *g);
    if (inflateInit2(&g->z, WINDOW_BITS + GZIP_FORMAT) != Z_OK) {
        int rc = failed(g, ERR_SYSTEM, e);
        free(g);
        return rc;
    }
    *state = g;
    return 0;
}

static int put_unpack(struct pack *p, const void *data, size_t len, struct error *e)
{
    struct gzip *g = p->state;
    g->z.next_in = data;
    g->z.avail_in = (uInt)len;
    while (!g->ended && (g->z.avail_in || !g->z.avail_out)) {
        g->z.next_out = (Bytef *)p->piece;
        g->z.avail_out = sizeof p->piece;
        int code = inflate(&g->z, Z_NO_FLUSH);
        if (code == Z_BUF_ERROR) /* nothing was left to do */
            break;
        if (code != Z_OK && code != Z_STREAM_END)
            return failed(g, ERR_INVALID, e);
        size_t made = sizeof p->piece - g->z.avail_out;
        int rc = made ? p->sink(p->ctx, p->piece, made, e) : 0;
        if (rc)
            return rc;
        g->ended = code == Z_STREAM_END;
    }
    return g->ended && g->z.avail_in ? error_set(e, ERR_INVALID, "gzip: there is something behind the data") : 0;
}

static int end_unpack(struct pack *p, struct error *e)
{
    const struct gzip *g = p->state;
    return g->ended ? 0 : error_set(e, ERR_INVALID, "gzip: the data ends too early");
}

static void close_unpack(void *state)
{
    struct gzip *g = state;
    inflateEnd(&g->z);
    free(g);
}

const struct pack_code pack_gzip = {open_pack, put_pack, end_pack, close_pack};
const struct pack_code unpack_gzip = {open_unpack, put_unpack, end_unpack, close_unpack};
