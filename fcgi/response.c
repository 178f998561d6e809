/* SPDX-License-Identifier: MIT */
/* response.c: collects and sends an answer. */
#include "fcgi/response.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hex.h"
#include "base/log.h"

enum { KEPT_MEMORY = 64 * 1024, FILE_CHUNK = 64 * 1024 };

void response_init(struct response *r)
{
    *r = (struct response){.file = -1};
}

static void close_file(struct response *r)
{
    if (r->file >= 0)
        close(r->file);
    r->file = -1;
    r->reason = NULL;
}

void response_free(struct response *r)
{
    close_file(r);
    buf_free(&r->head);
    buf_free(&r->body);
}

void response_clear(struct response *r)
{
    if (r->body.cap > KEPT_MEMORY)
        buf_free(&r->body);
    if (r->head.cap > KEPT_MEMORY)
        buf_free(&r->head);
    close_file(r);
    buf_clear(&r->head);
    buf_clear(&r->body);
    r->status = 0;
    r->bad_header = false;
}

void response_header(struct response *r, const char *name, const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            r->bad_header = true;
    buf_addf(&r->head, "%s: %s\r\n", name, value);
}

void response_json(struct response *r, int status)
{
    r->status = status;
    response_header(r, "Content-Type", "application/json");
    response_header(r, "Cache-Control", status == 200 ? "private, no-cache" : "no-store");
}

void response_no_content(struct response *r)
{
    r->status = 204;
    response_header(r, "Cache-Control", "no-store");
}

bool response_problem_faults(struct response *r, enum problem p, const char *detail,
                             const struct fault *faults, size_t count)
{
    close_file(r);
    buf_clear(&r->head);
    buf_clear(&r->body);
    r->bad_header = false;
    r->status = problem_status(p);
    problem_json(&r->body, p, detail, faults, count);
    response_header(r, "Content-Type", "application/problem+json");
    response_header(r, "Cache-Control", "no-store");
    return false;
}

bool response_problem(struct response *r, enum problem p, const char *detail)
{
    return response_problem_faults(r, p, detail, NULL, 0);
}

void response_retry_after(struct response *r, int64_t usec)
{
    buf_addf(&r->head, "Retry-After: %lld\r\n", usec < 1000000 ? 1LL : (long long)(usec / 1000000));
}

void response_stored(struct response *r, int status, const char *reason, int file, uint64_t at, uint64_t bytes)
{
    r->status = status;
    r->reason = reason;
    r->file = file;
    r->file_at = at;
    r->file_bytes = bytes;
}

/* RFC 9110 sections 8.8.3.2, 13.1.1 and 13.1.2. */
bool etag_list_has(const char *list, const char *tag, enum etag_comparison how)
{
    size_t len = strlen(tag);
    for (const char *p = list; *p;) {
        p += strspn(p, " \t,");
        if (*p == '*')
            return true;
        bool weak = strncmp(p, "W/", 2) == 0;
        if (weak)
            p += 2;
        if (!(weak && how == ETAG_STRONG) && strncmp(p, tag, len) == 0)
            return true;
        if (*p == '"')
            p++;
        p += strcspn(p, "\"");
        if (*p == '"')
            p++;
    }
    return false;
}

void etag_of(struct buf *body, char tag[ETAG_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)buf_str(body), body->len, digest);
    tag[0] = '"';
    hex_write(tag + 1, digest, 16);
    tag[33] = '"';
    tag[34] = '\0';
}

void response_etag(struct response *r, const char *if_match, const char *if_none_match)
{
    char tag[ETAG_SIZE];
    if (r->status != 200 || r->body.err)
        return;
    etag_of(&r->body, tag);
    if (if_match && !etag_list_has(if_match, tag, ETAG_STRONG)) {
        response_problem(r, PROBLEM_precondition_failed, NULL);
        return;
    }
    response_header(r, "ETag", tag);
    if (!if_none_match || !etag_list_has(if_none_match, tag, ETAG_WEAK))
        return;
    r->status = 304;
    buf_clear(&r->body);
}

static int send_file(const struct response *r, struct transport *t)
{
    char chunk[FILE_CHUNK];
    uint64_t at = r->file_at, end = r->file_at + r->file_bytes;
    while (at < end) {
        size_t want = end - at < sizeof chunk ? (size_t)(end - at) : sizeof chunk;
        ssize_t n = pread(r->file, chunk, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { /* too late for another answer: it stays shorter than it says */
            log_error("a stored response cannot be read to its end%s%s", n ? ": " : "", n ? strerror(errno) : "");
            return ERR_IO;
        }
        if (transport_write(t, chunk, (size_t)n) != 0)
            return ERR_IO;
        at += (uint64_t)n;
    }
    return 0;
}

int response_send(struct response *r, struct transport *t, bool head_only)
{
    struct buf start = BUF_INIT;
    if (r->bad_header || r->head.err || r->body.err || !r->status) {
        log_error("an answer could not be written: %s",
                  r->bad_header ? "control character in a header"
                  : r->status   ? err_text(r->body.err ? r->body.err : r->head.err)
                                : "nobody answered");
        response_problem(r, PROBLEM_internal, NULL);
    }
    bool stored = r->file >= 0, bodiless = r->status == 204 || r->status == 304;
    buf_addf(&start, "Status: %d %s\r\n", r->status, r->reason ? r->reason : status_phrase(r->status));
    buf_add(&start, r->head.data, r->head.len);
    if (!stored)
        buf_adds(&start, "X-Content-Type-Options: nosniff\r\n");
    if (!bodiless)
        buf_addf(&start, "Content-Length: %llu\r\n", (unsigned long long)(stored ? r->file_bytes : r->body.len));
    buf_adds(&start, "\r\n");
    int result = transport_write(t, start.data, start.len);
    if (result == 0 && !bodiless && !head_only)
        result = stored ? send_file(r, t) : transport_write(t, r->body.data, r->body.len);
    buf_free(&start);
    close_file(r);
    return result;
}
