/* SPDX-License-Identifier: MIT */
/* cgi.c: the transport of a request that comes from a shell. */
#include "fcgi/cgi.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

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
    ssize_t n;
    if (((struct cgi *)t)->in < 0)
        return 0;
    do
        n = read(((struct cgi *)t)->in, out, len > 65536 ? 65536 : len);
    while (n < 0 && errno == EINTR);
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

void cgi_open(struct cgi *c, int in, int out)
{
    c->transport.ops = &cgi_ops;
    c->in = isatty(in) ? -1 : in;
    c->out = out;
}
