/* SPDX-License-Identifier: MIT */
/* dump_mark.c: counts and hashes a dump as it passes by. */
#include "dump_mark.h"

#include <string.h>

static int failed(struct error *e)
{
    return error_set(e, ERR_SYSTEM, "SHA-256 failed");
}

int dump_mark_begin(struct dump_mark *m, struct error *e)
{
    *m = (struct dump_mark){.hash = EVP_MD_CTX_new()};
    return m->hash && EVP_DigestInit_ex(m->hash, EVP_sha256(), NULL) == 1 ? 0 : failed(e);
}

/* Dumps have one row of a table, or several small ones, on a line. */
static void measure_lines(struct dump_mark *m, const char *p, size_t len)
{
    const char *end = p + len;
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        m->line += (uint64_t)((eol ? eol : end) - p);
        if (m->line > m->longest)
            m->longest = m->line;
        if (eol)
            m->line = 0;
        p = eol ? eol + 1 : end;
    }
}

int dump_mark_add(struct dump_mark *m, const void *data, size_t len, struct error *e)
{
    if (!len)
        return 0;
    size_t take = len < DUMP_TAIL ? len : DUMP_TAIL;
    size_t keep = m->tail_len < DUMP_TAIL - take ? m->tail_len : DUMP_TAIL - take;
    memmove(m->tail, m->tail + m->tail_len - keep, keep);
    memcpy(m->tail + keep, (const char *)data + len - take, take);
    m->tail_len = keep + take;
    m->bytes += len;
    measure_lines(m, data, len);
    return EVP_DigestUpdate(m->hash, data, len) == 1 ? 0 : failed(e);
}

int dump_mark_end(struct dump_mark *m, struct error *e)
{
    bool good = EVP_DigestFinal_ex(m->hash, m->digest, &m->digest_len) == 1;
    EVP_MD_CTX_free(m->hash);
    m->hash = NULL;
    return good ? 0 : failed(e);
}

void dump_mark_free(struct dump_mark *m)
{
    EVP_MD_CTX_free(m->hash);
    m->hash = NULL;
}

bool dump_mark_complete(const struct dump_mark *m)
{
    static const char last[] = "-- Dump completed";
    size_t end = m->tail_len;
    if (!end || m->tail[end - 1] != '\n')
        return false;
    while (end && m->tail[end - 1] == '\n')
        end--;
    size_t begin = end;
    while (begin && m->tail[begin - 1] != '\n')
        begin--;
    return end - begin >= sizeof last - 1 && memcmp(m->tail + begin, last, sizeof last - 1) == 0;
}

bool dump_mark_equal(const struct dump_mark *a, const struct dump_mark *b)
{
    return a->bytes == b->bytes && a->digest_len && a->digest_len == b->digest_len &&
           memcmp(a->digest, b->digest, a->digest_len) == 0;
}
