/* SPDX-License-Identifier: MIT */
/* gateway.h: one FastCGI connection. The only door to libfcgi; everybody else sees a transport.
 * A gateway is used by one thread at a time and may be handed from thread to thread. */
#ifndef FCGI_GATEWAY_H
#define FCGI_GATEWAY_H

#include <stdbool.h>

#include "base/compiler.h"
#include "fcgi/transport.h"

struct gateway;

/* Once per process, before threads start. libfcgi installs signal handlers of its own (SIGTERM and
 * SIGUSR1 would only set a flag that nobody reads): they are taken out again, SIGPIPE is ignored. */
void gateway_library_init(void);

/* Takes over the connected, blocking socket FD. */
struct gateway *gateway_create(int fd) MUST_USE;

/* Closes the connection, frees *G and sets it to NULL. NULL is accepted. */
void gateway_destroy(struct gateway **g);

int gateway_fd(const struct gateway *g);

enum gateway_event {
    GATEWAY_NOTHING, /* no byte is there yet */
    GATEWAY_REQUEST, /* a request's parameters have been read; gateway_finish must follow */
    GATEWAY_CLOSED,  /* the peer went away or broke the protocol: destroy it */
};

/* Call it when the descriptor is readable. Reads the parameters of one request; blocks for the rest of
 * a request that has begun, at most the socket's receive timeout at a time. */
enum gateway_event gateway_begin(struct gateway *g) MUST_USE;

/* The request between gateway_begin and gateway_finish. */
struct transport *gateway_transport(struct gateway *g);

/* Ends the answer and throws away what is left of the body, up to a bound. Returns true where the
 * web server keeps the connection and its next request may come; false: destroy it. */
bool gateway_finish(struct gateway *g) MUST_USE;

#endif
