/* SPDX-License-Identifier: MIT */
/* pack_zstd.c: Zstandard (RFC 8878), one frame with a checksum. */
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "pack_impl.h"

enum { USUAL_LEVEL = 3 };

static int failed(size_t code, enum err err, struct error *e)
{
    return error_set(e, err, "zstd: %s", ZSTD_getErrorName(code));
}

/* --- compressing ------------------------------------------------------------------------------ */

static int open_pack(int64_t level, void **state, struct error *e)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    if (!c)
        return error_set(e, ERR_SYSTEM, "zstd: out of memory");
    size_t rc = ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel,
                                       level == SETTING_UNSET ? USUAL_LEVEL : (int)level);
    if (!ZSTD_isError(rc))
        rc = ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    if (ZSTD_isError(rc)) {
        ZSTD_freeCCtx(c);
        return failed(rc, ERR_SYSTEM, e);
    }
    *state = c;
    return 0;
}

/* Until all input is taken, at the end until all output is out. */
static int compress(struct pack *p, const void *data, size_t len, ZSTD_EndDirective how, struct error *e)
{
    ZSTD_inBuffer in = {data, len, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {p->piece, sizeof p->piece, 0};
        left = ZSTD_compressStream2(p->state, &out, &in, how);
        if (ZSTD_isError(left))
            return failed(left, ERR_SYSTEM, e);
        int rc = out.pos ? p->sink(p->ctx, p->piece, out.pos, e) : 0;
        if (rc)
            return rc;
    } while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
    return 0;
}

static int put_pack(struct pack *p, const void *data, size_t len, struct error *e)
{
    return compress(p, data, len, ZSTD_e_continue, e);
}

static int end_pack(struct pack *p, struct error *e)
{
    return compress(p, NULL, 0, ZSTD_e_end, e);
}

static void close_pack(void *state)
{
    ZSTD_freeCCtx(state);
}

/* --- expanding -------------------------------------------------------------------------------- */

/* hint: what ZSTD_decompressStream has said last; 0 = a frame is complete. */
struct expander {
    ZSTD_DCtx *d;
    size_t hint;
};

static int open_unpack(int64_t level, void **state, struct error *e)
{
    (void)level;
    ZSTD_DCtx *d = ZSTD_createDCtx();
    if (!d)
        return error_set(e, ERR_SYSTEM, "zstd: out of memory");
    struct expander *x = xcalloc(1, sizeof *x);
    x->d = d;
    x->hint = 1;
    *state = x;
    return 0;
}

static int put_unpack(struct pack *p, const void *data, size_t len, struct error *e)
{
    struct expander *x = p->state;
    ZSTD_inBuffer in = {data, len, 0};
    bool full = false; /* there may be more output without more input */
    while (in.pos < in.size || full) {
        ZSTD_outBuffer out = {p->piece, sizeof p->piece, 0};
        x->hint = ZSTD_decompressStream(x->d, &out, &in);
        if (ZSTD_isError(x->hint))
            return failed(x->hint, ERR_INVALID, e);
        int rc = out.pos ? p->sink(p->ctx, p->piece, out.pos, e) : 0;
        if (rc)
            return rc;
        full = out.pos == out.size && x->hint;
    }
    return 0;
}

static int end_unpack(struct pack *p, struct error *e)
{
    const struct expander *x = p->state;
    return x->hint ? error_set(e, ERR_INVALID, "zstd: the data ends too early") : 0;
}

static void close_unpack(void *state)
{
    struct expander *x = state;
    ZSTD_freeDCtx(x->d);
    free(x);
}

const struct pack_code pack_zstd = {open_pack, put_pack, end_pack, close_pack};
const struct pack_code unpack_zstd = {open_unpack, put_unpack, end_unpack, close_unpack};
