/* SPDX-License-Identifier: MIT */
/* cgi.h: one request from the environment and standard input, answered on standard output: the same
 * handlers without a web server, for replaying a fault with one shell line. */
#ifndef FCGI_CGI_H
#define FCGI_CGI_H

#include <stdint.h>

#include "base/compiler.h"
#include "fcgi/transport.h"

/* RFC 3875's variables from environ, the body from descriptor IN, the answer to descriptor OUT. The body is as long as
 * CONTENT_LENGTH says; without that, for a shell's sake, all that comes, but none for GET, HEAD and DELETE, and none
 * from a terminal. */
struct cgi {
    struct transport transport;
    int in; /* -1: no body */
    int64_t left; /* of the body; -1: up to the end of the file */
    int out;
};

void cgi_open(struct cgi *c, int in, int out);

#endif
