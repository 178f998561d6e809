/* SPDX-License-Identifier: MIT */
/* gateway.c: FastCGI by libfcgi, without the parts of it that accept and close: accepting would block
 * a thread, and its close waits up to two seconds for the peer. */
#include "fcgi/gateway.h"

#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "fcgi/watch.h"

/* What is read and thrown away of a body that nobody wanted, before the connection is given up. It
 * must be more than a web server lets through by default, or an early answer (413) would be lost. */
enum { DRAIN_MAX = 16 * 1024 * 1024 };

/* The FastCGI specification 1.0, sections 3.3 and 8. */
enum { FCGI_VERSION = 1, FCGI_BEGIN = 1, FCGI_STDIN = 5, RECORD_HEAD_SIZE = 8 };

enum {
    PEEK_SIZE = 8192,         /* more than a request without a long body has */
    SMALL_ANSWER = 12 * 1024, /* what a socket takes at once however slow its peer is */
};

/* Invariant: request.in is set exactly between gateway_begin and gateway_finish. */
struct gateway {
    struct transport transport;
    FCGX_Request request;
    int fd;
};

static const char *fastcgi_param(struct transport *t, const char *name)
{
    return FCGX_GetParam(name, ((struct gateway *)t)->request.envp);
}

static const char *const *fastcgi_params(struct transport *t)
{
    return (const char *const *)((struct gateway *)t)->request.envp;
}

static int fastcgi_read(struct transport *t, void *out, size_t len)
{
    FCGX_Stream *in = ((struct gateway *)t)->request.in;
    int n = FCGX_GetStr(out, len > 65536 ? 65536 : (int)len, in);
    return FCGX_GetError(in) ? ERR_IO : n;
}

static int fastcgi_write(struct transport *t, const void *data, size_t len)
{
    FCGX_Stream *out = ((struct gateway *)t)->request.out;
    const char *p = data;
    if (len > SMALL_ANSWER)
        watch_leave();
    while (len) {
        int part = len > 1 << 20 ? 1 << 20 : (int)len;
        if (FCGX_PutStr(p, part, out) != part)
            return ERR_IO;
        p += part;
        len -= (size_t)part;
    }
    return 0;
}

static const struct transport_ops fastcgi_ops = {
    .param = fastcgi_param,
    .params = fastcgi_params,
    .read = fastcgi_read,
    .write = fastcgi_write,
};

void gateway_library_init(void)
{
    if (FCGX_Init() != 0)
        log_bug("libfcgi cannot be initialised");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
}

struct gateway *gateway_create(int fd)
{
    struct gateway *g = xcalloc(1, sizeof *g);
    g->transport.ops = &fastcgi_ops;
    g->fd = fd;
    FCGX_InitRequest(&g->request, -1, 0); /* no listening socket: it can never accept by itself */
    return g;
}

void gateway_destroy(struct gateway **g)
{
    if (!*g)
        return;
    FCGX_Free(&(*g)->request, 0);
    if ((*g)->fd >= 0)
        close((*g)->fd);
    free(*g);
    *g = NULL;
}

int gateway_fd(const struct gateway *g)
{
    return g->fd;
}

/* Whether the first LEN bytes of a request have all of it: its last record is an empty one of its body. */
static bool is_whole(const unsigned char *p, size_t len)
{
    while (len >= RECORD_HEAD_SIZE) {
        size_t content = (size_t)p[4] << 8 | p[5], record = RECORD_HEAD_SIZE + content + p[6];
        if (p[1] == FCGI_STDIN && content == 0)
            return true;
        if (record > len)
            return false;
        p += record;
        len -= record;
    }
    return false;
}

/* What libfcgi would refuse by closing: seen here first, so that the close is ours. Leaves the watch where the rest
 * of a request has to be waited for. */
static enum gateway_event look(int fd)
{
    unsigned char head[PEEK_SIZE];
    ssize_t n;
    do
        n = recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? GATEWAY_NOTHING : GATEWAY_CLOSED;
    if (n == 0)
        return GATEWAY_CLOSED;
    if (head[0] != FCGI_VERSION || (n >= 4 && head[1] == FCGI_BEGIN && head[2] == 0 && head[3] == 0))
        return GATEWAY_CLOSED;
    if (!is_whole(head, (size_t)n))
        watch_leave();
    return GATEWAY_REQUEST;
}

enum gateway_event gateway_begin(struct gateway *g)
{
    enum gateway_event event = look(g->fd);
    if (event != GATEWAY_REQUEST)
        return event;
    g->request.ipcFd = g->fd;
    g->request.keepConnection = 1; /* else FCGX_Accept_r begins with closing it */
    FCGX_Detach(&g->request);      /* should libfcgi close it after all, then without waiting */
    if (FCGX_Accept_r(&g->request) != 0) {
        g->fd = -1; /* it closed the connection, and found no listening socket to go on with */
        return GATEWAY_CLOSED;
    }
    return GATEWAY_REQUEST;
}

struct transport *gateway_transport(struct gateway *g)
{
    return &g->transport;
}

/* Reads to the end of the body, so that the next bytes are the next request's. */
static bool drain(FCGX_Stream *in)
{
    char waste[8192];
    size_t total = 0;
    int n;
    while (total < DRAIN_MAX && (n = FCGX_GetStr(waste, sizeof waste, in)) > 0)
        total += (size_t)n;
    return total < DRAIN_MAX && FCGX_GetError(in) == 0;
}

bool gateway_finish(struct gateway *g)
{
    bool whole = drain(g->request.in);
    /* both must be closed: the second one writes the end of the request */
    bool failed = FCGX_FClose(g->request.err) != 0;
    failed |= FCGX_FClose(g->request.out) != 0;
    bool kept = whole && !failed && g->request.keepConnection;
    FCGX_Free(&g->request, 0);
    g->request.ipcFd = -1;
    return kept;
}
