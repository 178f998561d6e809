/* SPDX-License-Identifier: MIT */
/* request.c: reads a request and refuses what no handler should see. */
#include "fcgi/request.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/tokens.h"

enum { READ_CHUNK = 16 * 1024, EMPTY_MAX = 256, SMALL_MAX = 8 * 1024, SHOWN_MAX = 100 };

static const int64_t warning_pause_ns = INT64_C(60000000000);

/* A parameter that is set and not empty, else NULL. */
static const char *param(struct exchange *x, const char *name)
{
    const char *value = transport_param(x->transport, name);
    return value && *value ? value : NULL;
}

/* nginx before 1.23 sends a parameter for each line, and a transport gives the first. */
const char *request_list(struct exchange *x, const char *name)
{
    struct buf list = BUF_INIT;
    size_t len = strlen(name);
    const char *found = NULL;
    for (const char *const *p = transport_params(x->transport); *p; p++)
        if (strncmp(*p, name, len) == 0 && (*p)[len] == '=') {
            buf_addf(&list, "%s%s", found ? ", " : "", *p + len + 1);
            found = *p;
        }
    if (found)
        found = arena_strndup(x->arena, buf_str(&list), list.len);
    buf_free(&list);
    return found;
}

/* The decoded path. DOCUMENT_URI is what nginx has matched its locations with; the others are for
 * servers and shells that do not set it. */
static const char *request_path(struct exchange *x)
{
    const char *path = param(x, "DOCUMENT_URI");
    if (path)
        return path;
    path = param(x, "REQUEST_URI");
    if (path)
        return percent_decode(path, strcspn(path, "?"), false, x->arena);
    const char *script = param(x, "SCRIPT_NAME"), *info = param(x, "PATH_INFO");
    return arena_printf(x->arena, "%s%s", script ? script : "", info ? info : "");
}

bool request_find_route(struct exchange *x)
{
    char allow[ALLOW_SIZE];
    const char *method = param(x, "REQUEST_METHOD"), *path = request_path(x);
    if (!path)
        return response_problem(&x->response, PROBLEM_not_found, NULL);
    x->request.path = path;
    enum method number = method_parse(method ? method : "", &x->request.head);
    switch (route_find(number, path, &x->request.route, &x->request.id, allow)) {
    case ROUTE_FOUND:
        return true;
    case ROUTE_NO_METHOD:
        response_problem(&x->response, PROBLEM_method_not_allowed, NULL);
        response_header(&x->response, "Allow", allow);
        return false;
    case ROUTE_NO_PATH:
    default:
        return response_problem(&x->response, PROBLEM_not_found, NULL);
    }
}

/* A decimal number from 1 to 2^63-1; 0 for anything else. */
static int64_t parse_user(const char *text)
{
    int64_t n = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > (INT64_MAX - (*text - '0')) / 10)
            return 0;
        n = n * 10 + (*text - '0');
    }
    return n;
}

/* Whether ROLE stands in LIST, words divided by commas or spaces. */
static bool has_role(const char *list, const char *role)
{
    size_t len = strlen(role);
    while (list && *list) {
        size_t word = strcspn(list, ", ");
        if (word == len && strncmp(list, role, len) == 0)
            return true;
        list += word;
        list += strspn(list, ", ");
    }
    return false;
}

/* Where nginx has verified nobody a token may say who it is. */
static bool take_token(struct exchange *x, const char *token)
{
    struct identity *who = &x->request.identity;
    struct error e = {0};
    int result = tokens_find(x->app->tokens, token, &who->user, &who->admin, &e);
    who->by_token = result == 0;
    if (result == 0)
        return true;
    if (result != ERR_NOT_FOUND)
        return exchange_fail(x, result, &e);
    response_problem(&x->response, PROBLEM_invalid_token, NULL);
    response_header(&x->response, "WWW-Authenticate", "Bearer realm=\"backdesk\", error=\"invalid_token\"");
    return false;
}

/* Where users have no numbers everybody looks signed out for ever. Once a minute: each request is like the others. */
static void warn_of_user(const char *user)
{
    static _Atomic int64_t next_ns;
    int64_t now = clock_mono_ns(), due = atomic_load(&next_ns);
    if (now < due || !atomic_compare_exchange_strong(&next_ns, &due, now + warning_pause_ns))
        return;
    struct buf quoted = BUF_INIT;
    buf_json(&quoted, user, strnlen(user, SHOWN_MAX));
    log_warning("nginx sends BACKDESK_USER %s: a user is a number from 1 to 2^63-1, anything else is nobody (401)",
                buf_str(&quoted));
    buf_free(&quoted);
}

/* Whom nginx says it is; returns the name it gives, or NULL. */
static const char *take_user(struct exchange *x)
{
    struct identity *who = &x->request.identity;
    const char *user = param(x, "BACKDESK_USER");
    who->user = user ? parse_user(user) : 0;
    if (user && !who->user)
        warn_of_user(user);
    who->admin = who->user && has_role(param(x, "BACKDESK_ROLES"), "admin");
    return user;
}

bool request_check_identity(struct exchange *x)
{
    const struct identity *who = &x->request.identity;
    enum right right = x->request.route->right;
    if (right == RIGHT_NONE)
        return true;
    const char *user = take_user(x), *header = param(x, "HTTP_AUTHORIZATION");
    const char *token = !user && header ? bearer_token(header) : NULL;
    if (token && !take_token(x, token))
        return false;
    if (!who->user) {
        response_problem(&x->response, PROBLEM_unauthorized, NULL);
        response_header(&x->response, "WWW-Authenticate", "Bearer realm=\"backdesk\"");
        return false;
    }
    if (right == RIGHT_ADMIN && !who->admin)
        return response_problem(&x->response, PROBLEM_role_missing, "This needs the role admin.");
    return true;
}

/* Credentials in the request are the site's, not ours: only what nginx says counts. */
bool request_check_visitor(struct exchange *x)
{
    const char *method = param(x, "BACKDESK_METHOD");
    x->request.head = method && strcmp(method, "HEAD") == 0;
    take_user(x);
    if (x->request.identity.user)
        return true;
    response_problem(&x->response, PROBLEM_unauthorized, "Only requests of somebody who is signed in are deferred.");
    response_header(&x->response, "WWW-Authenticate", "Session realm=\"site\"");
    return false;
}

/* Browsers say Sec-Fetch-Site to https and localhost only (W3C Fetch Metadata, 3); to others they say Origin. Over
 * HTTP/3 nginx may know no Host. */
static bool from_another_site(struct exchange *x)
{
    const char *site = param(x, "HTTP_SEC_FETCH_SITE");
    const char *origin = param(x, "HTTP_ORIGIN"), *host = param(x, "HTTP_HOST");
    if (site || !origin || !host || x->request.identity.by_token)
        return site && strcasecmp(site, "cross-site") == 0;
    const char *scheme_end = strstr(origin, "://"); /* "null" has none */
    return !scheme_end || strcasecmp(scheme_end + 3, host) != 0;
}

bool request_check_site(struct exchange *x)
{
    if (x->request.route->method == METHOD_GET || !from_another_site(x))
        return true;
    return response_problem(&x->response, PROBLEM_cross_site, NULL);
}

bool request_read_query(struct exchange *x)
{
    struct error e = {0};
    const char *query = param(x, "QUERY_STRING"), *uri = param(x, "REQUEST_URI");
    if (!query && uri && strchr(uri, '?'))
        query = strchr(uri, '?') + 1;
    switch (url_query_parse(query ? query : "", x->request.route->query, x->arena,
                            &x->request.query, &e)) {
    case URL_GOOD:
        return true;
    case URL_UNKNOWN:
        return response_problem(&x->response, PROBLEM_unknown_parameter, e.text);
    case URL_MALFORMED:
    default:
        return response_problem(&x->response, PROBLEM_bad_parameter, e.text);
    }
}

/* "application/json", in any case, with or without parameters. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    return type && strncasecmp(type, json, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ' || type[len] == '\t');
}

/* "{}" and white space. */
static bool is_empty_object(const struct buf *b)
{
    char text[3] = "";
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        char c = b->data[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (n == 2)
            return false;
        text[n++] = c;
    }
    return strcmp(text, "{}") == 0;
}

static struct body_limit body_limit(const struct exchange *x)
{
    switch (x->request.route->body) {
    case BODY_JSON:
        return (struct body_limit){(uint64_t)x->app->settings->api.max_body_bytes, "api.max_body"};
    case BODY_SMALL:
        return (struct body_limit){SMALL_MAX, NULL};
    case BODY_EMPTY:
        return (struct body_limit){EMPTY_MAX, NULL};
    case BODY_NONE:
    default:
        return (struct body_limit){0, NULL};
    }
}

int64_t request_content_length(struct exchange *x)
{
    return request_length(param(x, "CONTENT_LENGTH"));
}

int64_t request_length(const char *text)
{
    if (!text || !*text)
        return -1;
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
        return -2;
    return strtoll(text, NULL, 10);
}

/* Reads all of the body into the request, at most LIMIT bytes and one. */
static int read_all(struct exchange *x, size_t limit)
{
    struct buf *body = &x->request.body;
    while (body->len <= limit) {
        buf_reserve(body, READ_CHUNK);
        int n = transport_read(x->transport, body->data + body->len, READ_CHUNK);
        if (n <= 0)
            return n;
        body->len += (size_t)n;
    }
    return 0;
}

bool request_refuse_size(struct exchange *x, struct body_limit limit)
{
    char detail[128] = "This route takes no body.";
    if (limit.bytes || limit.setting)
        snprintf(detail, sizeof detail, "The body is larger than %" PRIu64 " bytes%s%s.", limit.bytes,
                 limit.setting ? ", the setting " : ", which is the most here", limit.setting ? limit.setting : "");
    return response_problem(&x->response, PROBLEM_too_large, detail);
}

bool request_read_body(struct exchange *x)
{
    struct body_limit limit = body_limit(x);
    int64_t length = request_content_length(x);
    if (x->request.route->body == BODY_STREAM)
        return true;
    if (length == -2)
        return response_problem(&x->response, PROBLEM_incomplete_body, "Content-Length is no number.");
    if (length > 0 && (uint64_t)length > limit.bytes)
        return request_refuse_size(x, limit);
    int result = read_all(x, limit.bytes);
    size_t got = x->request.body.len;
    if (got > limit.bytes)
        return request_refuse_size(x, limit);
    if (result != 0 || (length >= 0 && (size_t)length != got))
        return response_problem(&x->response, PROBLEM_incomplete_body, NULL);
    if (got && !is_json(param(x, "CONTENT_TYPE")))
        return response_problem(&x->response, PROBLEM_unsupported_media_type, NULL);
    if (got && x->request.route->body == BODY_EMPTY && !is_empty_object(&x->request.body))
        return response_problem(&x->response, PROBLEM_unknown_member, NULL);
    return true;
}

/* To anybody but its owner and admins a thing is not there, and the answer is that of a thing that
 * never was. */
static bool may_see(const struct exchange *x, int64_t owner)
{
    return x->request.identity.admin || x->request.identity.user == owner;
}

/* RESULT is that of the lookup. */
static bool check_found(struct exchange *x, int result, const struct error *e, bool seen)
{
    if (result != 0 && result != ERR_NOT_FOUND)
        return exchange_fail(x, result, e);
    return seen ? true : response_problem(&x->response, PROBLEM_not_found, NULL);
}

bool request_check_task(struct exchange *x)
{
    struct lookup *l = &x->lookup;
    x->request.task = l->task;
    return check_found(x, l->result, &l->error, l->result == 0 && may_see(x, l->task.created_by));
}

bool request_find_export(struct exchange *x)
{
    struct request *r = &x->request;
    struct error e = {0};
    if (r->route->right != RIGHT_EXPORT_OWNER)
        return true;
    int result = backend_get_export(x->app->backend, r->id, x->arena, &r->file, &e);
    bool seen = result == 0 && may_see(x, r->file.owner_id) && !r->file.is_result &&
                !r->file.is_response && (r->identity.admin || !r->file.admin_only);
    return check_found(x, result, &e, seen);
}
