/* SPDX-License-Identifier: MIT */
/* pack.c: the kinds of compression as a table, and the one that does nothing. */
#include "pack.h"

#include <stdlib.h>

#include "base/mem.h"
#include "pack_impl.h"

static int plain_open(int64_t level, void **state, struct error *e)
{
    (void)level, (void)e;
    *state = NULL;
    return 0;
}

static int plain_put(struct pack *p, const void *data, size_t len, struct error *e)
{
    return p->sink(p->ctx, data, len, e);
}

static int plain_end(struct pack *p, struct error *e)
{
    (void)p, (void)e;
    return 0;
}

static void plain_close(void *state)
{
    (void)state;
}

static const struct pack_code plain = {plain_open, plain_put, plain_end, plain_close};

static const struct {
    const struct pack_code *pack, *unpack;
    const char *extension;
} kinds[] = {
    [BACKUP_ZSTD] = {&pack_zstd, &unpack_zstd, "sql.zst"},
    [BACKUP_GZIP] = {&pack_gzip, &unpack_gzip, "sql.gz"},
    [BACKUP_PLAIN] = {&plain, &plain, "sql"},
};

static int open_code(const struct pack_code *code, int64_t level, pack_sink *sink, void *ctx,
                     struct pack **out, struct error *e)
{
    void *state;
    int rc = code->open(level, &state, e);
    if (rc)
        return rc;
    struct pack *p = xcalloc(1, sizeof *p);
    p->code = code;
    p->state = state;
    p->sink = sink;
    p->ctx = ctx;
    *out = p;
    return 0;
}

int pack_open(enum backup_compression kind, int64_t level, pack_sink *sink, void *ctx, struct pack **out,
              struct error *e)
{
    return open_code(kinds[kind].pack, level, sink, ctx, out, e);
}

int unpack_open(enum backup_compression kind, pack_sink *sink, void *ctx, struct pack **out,
                struct error *e)
{
    return open_code(kinds[kind].unpack, SETTING_UNSET, sink, ctx, out, e);
}

int pack_put(struct pack *p, const void *data, size_t len, struct error *e)
{
    return p->code->put(p, data, len, e);
}

int pack_end(struct pack *p, struct error *e)
{
    return p->code->end(p, e);
}

void pack_close(struct pack **p)
{
    if (!*p)
        return;
    (*p)->code->close((*p)->state);
    free(*p);
    *p = NULL;
}

const char *pack_extension(enum backup_compression kind)
{
    return kinds[kind].extension;
}
