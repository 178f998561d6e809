/* SPDX-License-Identifier: MIT */
/* route.h: from a path and a method to a row of routes.def. Looks nothing up and knows no user. */
#ifndef FCGI_ROUTE_H
#define FCGI_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct exchange;

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_OTHER };
enum right { RIGHT_NONE, RIGHT_USER, RIGHT_TASK_OWNER, RIGHT_EXPORT_OWNER, RIGHT_JOB_OWNER, RIGHT_ADMIN };
enum body { BODY_NONE, BODY_EMPTY, BODY_SMALL, BODY_JSON, BODY_STREAM };

/* Fills the exchange's response. */
typedef void handler_fn(struct exchange *x);

struct route {
    enum method method;
    const char *path;
    handler_fn *handle;
    enum right right;
    enum body body;
    const char *query;
    const char *text;
};

#define ROUTE(method, path, handler, right, body, query, text) handler_fn handle_##handler;
#include "fcgi/routes.def"
#undef ROUTE

/* Requests of the site that nginx sends here to be deferred; no path leads to it. */
handler_fn handle_deferred;
extern const struct route deferred_route;

extern const struct route routes[];
extern const size_t route_count;

enum { ALLOW_SIZE = 64 };

enum route_result { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* METHOD_OTHER for what no route has; HEAD is GET with *HEAD set. */
enum method method_parse(const char *name, bool *head);

/* Finds the route of PATH (decoded, without the query). *ID is the number in it, 0 where it has none; a
 * number is 1 to 2^63-1 without leading zeros, anything else is no path. With ROUTE_NO_METHOD, ALLOW
 * lists the methods that the path has. */
enum route_result route_find(enum method method, const char *path, const struct route **route,
                             uint64_t *id, char allow[ALLOW_SIZE]) MUST_USE;

#endif
