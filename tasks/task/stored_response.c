/* SPDX-License-Identifier: MIT */
/* stored_response.c: the head of a kept HTTP response, written and read. */
#include "task/stored_response.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

enum { READ_STEP = 16 * 1024 };

/* --- bytes as characters ------------------------------------------------------------------------- */

void header_bytes_json(struct buf *out, const char *s)
{
    struct buf text = BUF_INIT;
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        if (*p >= 0x80)
            buf_addc(&text, (char)(0xc0 | *p >> 6));
        buf_addc(&text, (char)(*p >= 0x80 ? 0x80 | (*p & 0x3f) : *p));
    }
    buf_json(out, text.data ? text.data : "", text.len);
    buf_free(&text);
}

const char *header_bytes_get(struct json_object *v, struct arena *arena)
{
    if (!json_object_is_type(v, json_type_string))
        return NULL;
    const char *text = json_object_get_string(v);
    size_t len = (size_t)json_object_get_string_len(v);
    char *out = arena_alloc(arena, len + 1), *to = out;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0xc4 || (c < ' ' && c != '\t') || c == 0x7f)
            return NULL;
        if (c >= 0xc0) /* the scanner has let well-formed UTF-8 through only */
            c = (unsigned char)((c & 3) << 6 | (text[++i] & 0x3f));
        *to++ = (char)c;
    }
    *to = '\0';
    return out;
}

bool header_is_token(const char *s)
{
    static const char others[] = "!#$%&'*+-.^_`|~0123456789"; /* RFC 9110 section 5.6.2 */
    for (const char *p = s; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || strchr(others, *p)))
            return false;
    return *s;
}

bool header_is_of_connection(const char *name)
{
    static const char names[] = "Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate, TE, Trailer, "
                                "Transfer-Encoding, Upgrade";
    return header_list_has(names, name, strncasecmp);
}

bool header_list_has(const char *list, const char *name, int (*same)(const char *a, const char *b, size_t len))
{
    size_t len = strlen(name);
    for (const char *p = list; *p;) {
        p += strspn(p, ", \t");
        size_t word = strcspn(p, ", \t");
        if (word == len && same(p, name, len) == 0)
            return true;
        p += word;
    }
    return false;
}

/* --- writing --------------------------------------------------------------------------------------- */

void stored_response_head(const struct stored_response *r, struct buf *out)
{
    buf_addf(out, "{\"status\":%u,\"reason\":", r->status);
    header_bytes_json(out, r->reason);
    buf_adds(out, ",\"headers\":[");
    for (size_t i = 0; i < r->header_count; i++) {
        buf_adds(out, i ? ",[" : "[");
        header_bytes_json(out, r->headers[i].name);
        buf_addc(out, ',');
        header_bytes_json(out, r->headers[i].value);
        buf_addc(out, ']');
    }
    buf_adds(out, "]}\n");
}

/* --- reading --------------------------------------------------------------------------------------- */

static bool get_header(struct json_object *pair, struct arena *arena, struct stored_header *out)
{
    if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2)
        return false;
    out->name = header_bytes_get(json_object_array_get_idx(pair, 0), arena);
    out->value = header_bytes_get(json_object_array_get_idx(pair, 1), arena);
    return out->name && *out->name && out->value;
}

static bool get_head(struct json_object *head, struct arena *arena, struct stored_response *out)
{
    struct json_object *status, *reason, *headers;
    if (!json_object_is_type(head, json_type_object) || !json_object_object_get_ex(head, "status", &status) ||
        !json_object_object_get_ex(head, "reason", &reason) || !json_object_object_get_ex(head, "headers", &headers))
        return false;
    if (!json_object_is_type(status, json_type_int) || !json_object_is_type(headers, json_type_array))
        return false;
    int64_t number = json_object_get_int64(status);
    out->reason = header_bytes_get(reason, arena);
    if (number < 200 || number > 999 || !out->reason)
        return false;
    out->status = (unsigned)number;
    out->header_count = json_object_array_length(headers);
    out->headers = arena_calloc(arena, out->header_count + 1, sizeof *out->headers);
    for (size_t i = 0; i < out->header_count; i++)
        if (!get_header(json_object_array_get_idx(headers, i), arena, &out->headers[i]))
            return false;
    return true;
}

int stored_response_parse(const char *line, size_t len, struct arena *arena, struct stored_response *out,
                          struct error *e)
{
    struct json_object *head = NULL;
    *out = (struct stored_response){0};
    int rc = json_parse(line, len, &head, e);
    if (!rc && !get_head(head, arena, out))
        rc = error_set(e, ERR_INVALID, "this is no head of a stored response");
    json_object_put(head);
    return rc;
}

/* Appends up to READ_STEP bytes of FD to B; 0 at the end of the file. */
static int read_step(int fd, struct buf *b, struct error *e)
{
    ssize_t n;
    buf_reserve(b, READ_STEP);
    do
        n = pread(fd, b->data + b->len, READ_STEP, (off_t)b->len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_errno(e, ERR_IO, "the stored response cannot be read");
    b->len += (size_t)n;
    return n > 0;
}

int stored_response_read(int fd, struct arena *arena, struct stored_response *out, struct error *e)
{
    struct buf b = BUF_INIT;
    const char *end = NULL;
    struct stat st;
    int rc = 1;
    while (!end && rc > 0 && b.len < STORED_HEAD_MAX) {
        size_t seen = b.len;
        rc = read_step(fd, &b, e);
        if (rc > 0)
            end = memchr(b.data + seen, '\n', b.len - seen);
    }
    if (rc < 0)
        goto out;
    rc = end ? stored_response_parse(b.data, (size_t)(end - b.data), arena, out, e)
             : error_set(e, ERR_INVALID, "the stored response has no head");
    if (rc)
        goto out;
    if (fstat(fd, &st) < 0) {
        rc = error_errno(e, ERR_IO, "the stored response cannot be read");
        goto out;
    }
    out->body_at = (uint64_t)(end - b.data) + 1;
    out->body_bytes = (uint64_t)st.st_size - out->body_at;

out:
    buf_free(&b);
    return rc;
}
