/* SPDX-License-Identifier: MIT */
/* wire.c: frames to and from bytes. A frame is its own length, the place, then numbers and strings in order. */
#include "wire.h"

#include <string.h>

/* Memory for frames that is worth keeping. */
enum { KEPT = 256 * 1024 };

/* A place in a frame; bad once a field did not fit. */
struct reader {
    const char *p, *end;
    struct arena *arena;
    bool bad;
};

static void put_u64(struct buf *b, uint64_t n)
{
    buf_add(b, &n, sizeof n);
}

static void put_bytes(struct buf *b, const char *p, size_t len)
{
    put_u64(b, len);
    buf_add(b, p, len);
    buf_addc(b, '\0');
}

static void put_string(struct buf *b, const char *s)
{
    put_bytes(b, s, strlen(s));
}

static uint64_t get_u64(struct reader *r)
{
    uint64_t n = 0;
    if (r->bad || (size_t)(r->end - r->p) < sizeof n) {
        r->bad = true;
        return 0;
    }
    memcpy(&n, r->p, sizeof n);
    r->p += sizeof n;
    return n;
}

static void put_request(struct buf *b, const struct run_request *q)
{
    put_u64(b, q != NULL);
    if (!q)
        return;
    put_u64(b, q->sealed != NULL);
    put_bytes(b, q->sealed ? q->sealed : "", q->sealed ? q->sealed_len : 0);
    put_u64(b, q->body_path != NULL);
    put_string(b, q->body_path ? q->body_path : "");
    put_u64(b, q->body_bytes);
}

static const char *get_bytes(struct reader *r, size_t *len)
{
    uint64_t n = get_u64(r);
    if (len)
        *len = 0;
    if (r->bad || n >= (uint64_t)(r->end - r->p)) {
        r->bad = true;
        return "";
    }
    const char *s = arena_strndup(r->arena, r->p, n);
    r->p += n + 1;
    if (len)
        *len = n;
    return s;
}

static const struct run_request *get_request(struct reader *r)
{
    if (!get_u64(r))
        return NULL;
    struct run_request *q = arena_calloc(r->arena, 1, sizeof *q);
    bool has_sealed = get_u64(r);
    const char *sealed = get_bytes(r, &q->sealed_len);
    bool has_body = get_u64(r);
    const char *body_path = get_bytes(r, NULL);
    q->sealed = has_sealed ? sealed : NULL;
    q->body_path = has_body ? body_path : NULL;
    q->body_bytes = get_u64(r);
    return q;
}

static void get_array(struct reader *r, char *out, size_t size)
{
    size_t len;
    const char *s = get_bytes(r, &len);
    if (len >= size)
        r->bad = true;
    else
        memcpy(out, s, len + 1);
}

/* Starts a frame for PLACE; the length is filled in by end_frame. */
static size_t begin_frame(struct buf *b, size_t place)
{
    size_t at = b->len;
    put_u64(b, 0);
    put_u64(b, place);
    return at;
}

static void end_frame(struct buf *b, size_t at)
{
    uint64_t len = b->len - at;
    if (!b->err)
        memcpy(b->data + at, &len, sizeof len);
}

size_t wire_frame(const struct buf *b)
{
    uint64_t len;
    if (b->len < sizeof len)
        return 0;
    memcpy(&len, b->data, sizeof len);
    if (len < sizeof len || len > WIRE_FRAME_MAX)
        return sizeof len;
    return len <= b->len ? len : 0;
}

static struct reader open_frame(const struct buf *b, struct arena *arena)
{
    size_t len = wire_frame(b);
    struct reader r = {b->data, b->data + len, arena, len < 2 * sizeof(uint64_t)};
    if (!r.bad)
        r.p += 2 * sizeof(uint64_t);
    return r;
}

bool wire_peek_place(const struct buf *b, size_t *place)
{
    struct reader r = open_frame(b, NULL);
    if (r.bad)
        return false;
    r.p -= sizeof(uint64_t);
    *place = get_u64(&r);
    return true;
}

void wire_put_task(struct buf *b, size_t place, const struct run_task *t)
{
    size_t at = begin_frame(b, place);
    put_u64(b, t->id);
    put_u64(b, t->fence);
    put_u64(b, t->attempt);
    put_u64(b, t->max_attempts);
    put_u64(b, (uint64_t)t->created_by);
    put_u64(b, (uint64_t)t->created_at);
    put_string(b, t->type);
    put_bytes(b, t->data, t->data_len);
    put_request(b, t->request);
    end_frame(b, at);
}

bool wire_get_task(const struct buf *b, struct arena *arena, struct run_task *out)
{
    struct reader r = open_frame(b, arena);
    out->id = get_u64(&r);
    out->fence = get_u64(&r);
    out->attempt = (unsigned)get_u64(&r);
    out->max_attempts = (unsigned)get_u64(&r);
    out->created_by = (int64_t)get_u64(&r);
    out->created_at = (int64_t)get_u64(&r);
    out->type = get_bytes(&r, NULL);
    out->data = get_bytes(&r, &out->data_len);
    out->request = get_request(&r);
    return !r.bad && r.p == r.end;
}

void wire_put_done(struct buf *b, size_t place, const struct run_outcome *o)
{
    size_t at = begin_frame(b, place);
    put_u64(b, o->end);
    put_u64(b, (uint64_t)o->retry_usec);
    put_string(b, o->code);
    put_string(b, o->message);
    put_u64(b, o->result.len > 0);
    put_bytes(b, o->result.len ? o->result.data : "", o->result.len);
    put_u64(b, o->file_count);
    for (unsigned i = 0; i < o->file_count; i++) {
        const struct result_info *f = result_file_info(o->files[i]);
        put_string(b, f->path);
        put_string(b, f->filename);
        put_string(b, f->format);
        put_string(b, f->sha256);
        put_u64(b, f->bytes);
        put_u64(b, f->rows);
        put_u64(b, f->is_result);
        put_u64(b, f->is_response);
        put_string(b, f->role);
        put_string(b, f->series);
    }
    end_frame(b, at);
}

bool wire_get_done(const struct buf *b, struct arena *arena, struct wire_done *out)
{
    struct reader r = open_frame(b, arena);
    uint64_t end = get_u64(&r);
    out->retry_usec = (int64_t)get_u64(&r);
    out->code = get_bytes(&r, NULL);
    out->message = get_bytes(&r, NULL);
    bool has_result = get_u64(&r);
    const char *result = get_bytes(&r, NULL);
    out->result = has_result ? result : NULL;
    uint64_t file_count = get_u64(&r);
    if (end > RUN_DROPPED || file_count > COUNT_OF(out->files))
        return false;
    out->end = (enum run_end)end;
    out->file_count = (unsigned)file_count;
    for (unsigned i = 0; i < out->file_count; i++) {
        struct result_info *f = &out->files[i];
        get_array(&r, f->path, sizeof f->path);
        get_array(&r, f->filename, sizeof f->filename);
        get_array(&r, f->format, sizeof f->format);
        get_array(&r, f->sha256, sizeof f->sha256);
        f->bytes = get_u64(&r);
        f->rows = get_u64(&r);
        f->is_result = get_u64(&r) != 0;
        f->is_response = get_u64(&r) != 0;
        get_array(&r, f->role, sizeof f->role);
        get_array(&r, f->series, sizeof f->series);
    }
    return !r.bad && r.p == r.end;
}

void wire_drop(struct buf *b, size_t len)
{
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
    if (!b->len && b->cap > KEPT)
        buf_free(b);
}
