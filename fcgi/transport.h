/* SPDX-License-Identifier: MIT */
/* transport.h: one request's way in and out, whoever carries it: FastCGI (gateway.c) or the
 * environment and standard input (cgi.c). Knows nothing of HTTP beyond the names of parameters. */
#ifndef FCGI_TRANSPORT_H
#define FCGI_TRANSPORT_H

#include <stddef.h>

#include "base/compiler.h"

struct transport;

struct transport_ops {
    /* A CGI variable such as "REQUEST_METHOD"; NULL where it is not set. Valid while the request is. */
    const char *(*param)(struct transport *t, const char *name);

    /* All of them, "NAME=value", NULL at the end. Valid while the request is. */
    const char *const *(*params)(struct transport *t);

    /* Reads at most LEN bytes of the body. Returns their number, 0 at the body's end, or ERR_IO where
     * the peer broke off or broke the protocol. */
    int (*read)(struct transport *t, void *out, size_t len);

    /* Writes all of it: 0 or ERR_IO. */
    int (*write)(struct transport *t, const void *data, size_t len);
};

/* First member of each implementation's struct. */
struct transport {
    const struct transport_ops *ops;
};

static inline const char *transport_param(struct transport *t, const char *name)
{
    return t->ops->param(t, name);
}

static inline const char *const *transport_params(struct transport *t)
{
    return t->ops->params(t);
}

static inline int transport_read(struct transport *t, void *out, size_t len)
{
    return t->ops->read(t, out, len);
}

static inline MUST_USE int transport_write(struct transport *t, const void *data, size_t len)
{
    return t->ops->write(t, data, len);
}

#endif
