/* SPDX-License-Identifier: MIT */
/* cgi.c: the transport of a request that comes from a shell. */
#include "fcgi/cgi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "fcgi/request.h"

static const char *cgi_param(struct transport *t, const char *name)
{
    (void)t;
    return getenv(name);
}

static const char *const *cgi_params(struct transport *t)
{
    (void)t;
    return (const char *const *)environ;
}

static int cgi_read(struct transport *t, void *out, size_t len)
{
    struct cgi *c = (struct cgi *)t;
    size_t most = len > 65536 ? 65536 : len;
    ssize_t n;
    if (c->left >= 0 && (uint64_t)c->left < most)
        most = (size_t)c->left;
    if (c->in < 0 || !most)
        return 0;
    do
        n = read(c->in, out, most);
    while (n < 0 && errno == EINTR);
    if (n > 0 && c->left > 0)
        c->left -= n;
    return n < 0 ? ERR_IO : (int)n;
}

static int cgi_write(struct transport *t, const void *data, size_t len)
{
    const char *p = data;
    while (len) {
        ssize_t n = write(((struct cgi *)t)->out, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static const struct transport_ops cgi_ops = {
    .param = cgi_param,
    .params = cgi_params,
    .read = cgi_read,
    .write = cgi_write,
};

/* Nothing more may be read (RFC 3875 section 4.2): whoever holds the other end need not close it. */
static int64_t body_length(void)
{
    static const char *const without[] = {"GET", "HEAD", "DELETE"};
    const char *method = getenv("REQUEST_METHOD");
    int64_t length = request_length(getenv("CONTENT_LENGTH"));
    if (length != -1)
        return length > 0 ? length : 0;
    for (size_t i = 0; method && i < COUNT_OF(without); i++)
        if (strcmp(method, without[i]) == 0)
            return 0;
    return -1;
}

void cgi_open(struct cgi *c, int in, int out)
{
    c->transport.ops = &cgi_ops;
    c->in = isatty(in) ? -1 : in;
    c->out = out;
    c->left = body_length();
}
