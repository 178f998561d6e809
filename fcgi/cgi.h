/* SPDX-License-Identifier: MIT */
/* cgi.h: one request from the environment and standard input, answered on standard output: the same
 * handlers without a web server, for replaying a fault with one shell line. */
#ifndef FCGI_CGI_H
#define FCGI_CGI_H

#include "base/compiler.h"
#include "fcgi/transport.h"

/* RFC 3875's variables from environ, the body from descriptor IN (a terminal counts as
 * no body), the answer to descriptor OUT. */
struct cgi {
    struct transport transport;
    int in; /* -1: no body */
    int out;
};

void cgi_open(struct cgi *c, int in, int out);

#endif
