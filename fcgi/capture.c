/* SPDX-License-Identifier: MIT */
/* capture.c: reads and checks what nginx says of a deferred request. */
#include "fcgi/capture.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "fcgi/exchange.h"
#include "fcgi/prefer.h"
#include "fcgi/request.h"
#include "store/http_request.h"
#include "task/request.h"

enum { METHOD_MAX = 32, TARGET_MAX = 64 * 1024, HOST_MAX = 255 };

static const char *param(struct exchange *x, const char *name)
{
    const char *value = transport_param(x->transport, name);
    return value ? value : "";
}

bool capture_wanted(struct exchange *x)
{
    return *param(x, "BACKDESK_DEFER");
}

static bool is_method(const char *text)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return *text && strspn(text, chars) == strlen(text) && strlen(text) <= METHOD_MAX;
}

/* $host has no port, and is what nginx has chosen the server by; what the client sent has one, and is taken
 * where it is the same host. */
static const char *host_of(struct exchange *x)
{
    const char *chosen = param(x, "BACKDESK_HOST"), *sent = param(x, "BACKDESK_HTTP_HOST");
    size_t len = strlen(chosen);
    if (strncasecmp(chosen, sent, len) != 0)
        return chosen;
    if (sent[len] == '\0')
        return sent;
    size_t digits = sent[len] == ':' ? strspn(sent + len + 1, "0123456789") : 0;
    return digits && digits <= 5 && !sent[len + 1 + digits] ? sent : chosen;
}

/* The operator's fault: it must be seen, and the client can do nothing. */
static bool misconfigured(struct exchange *x, const char *what)
{
    log_error("a request cannot be deferred: %s", what);
    return response_problem(&x->response, PROBLEM_internal, NULL);
}

static bool find_site(struct exchange *x, struct capture *c)
{
    const struct settings *s = x->app->settings;
    c->site = param(x, "BACKDESK_SITE");
    if (!*c->site && s->site_count == 1)
        c->site = s->sites[0].name;
    if (!s->site_count)
        return misconfigured(x, "the configuration has no section site");
    if (!settings_site(s, c->site))
        return misconfigured(x, "BACKDESK_SITE of nginx (map $backdesk_site) names no section site of the "
                                "configuration");
    if (!catalogue_type(x->app->catalogue, HTTP_REQUEST_TYPE))
        return misconfigured(x, "the type " HTTP_REQUEST_TYPE " is switched off");
    return true;
}

static void find_wishes(struct exchange *x, struct capture *c)
{
    const char *how = param(x, "BACKDESK_DEFER"), *prefer = request_list(x, "HTTP_PREFER");
    const char *async = param(x, "HTTP_X_ARANGO_ASYNC");
    if (prefer && prefer_has(prefer, "respond-async"))
        c->forget = prefer_has(prefer, "forget");
    else if (strcmp(how, "arango") == 0) {
        c->interface = CAPTURE_ARANGO;
        c->forget = strcasecmp(async, "store") != 0;
    } else
        c->interface = CAPTURE_ALWAYS;
}

/* How long the body is: the client's word stands among the headers, where the location passes no
 * CONTENT_LENGTH. */
static int64_t length_of(struct exchange *x)
{
    int64_t length = request_content_length(x);
    return length == -1 ? request_length(param(x, "HTTP_CONTENT_LENGTH")) : length;
}

bool capture_read(struct exchange *x, struct capture *out)
{
    struct capture *c = out;
    struct error e = {0};
    *c = (struct capture){.headers = KEPT_HEADERS_INIT};
    c->method = param(x, "BACKDESK_METHOD");
    c->target = param(x, "BACKDESK_URI");
    c->scheme = strcmp(param(x, "BACKDESK_SCHEME"), "https") == 0 ? "https" : "http";
    c->address = param(x, "BACKDESK_ADDR");
    c->host = host_of(x);
    c->length = length_of(x);
    if (!request_is_address(c->address))
        c->address = "";
    if (!find_site(x, c))
        return false;
    if (!is_method(c->method) || !request_is_target(c->target) || strlen(c->target) > TARGET_MAX ||
        !request_is_host(c->host) || strlen(c->host) > HOST_MAX)
        return response_problem(&x->response, PROBLEM_bad_request, NULL);
    if (c->length == -2)
        return response_problem(&x->response, PROBLEM_incomplete_body, "Content-Length is no number.");
    if (kept_headers_choose(transport_params(x->transport), &x->app->settings->defer, &c->headers, &e) != 0)
        return response_problem(&x->response, PROBLEM_bad_header, e.text);
    find_wishes(x, c);
    return true;
}

void capture_free(struct capture *c)
{
    kept_headers_free(&c->headers);
}

static void add_bytes(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
    header_bytes_json(out, value);
}

void capture_data(const struct capture *c, int64_t user, uint64_t body_bytes, struct buf *out)
{
    buf_addc(out, '{');
    add_bytes(out, "site", c->site);
    add_bytes(out, "method", c->method);
    add_bytes(out, "target", c->target);
    add_bytes(out, "host", c->host);
    add_bytes(out, "scheme", c->scheme);
    add_bytes(out, "address", c->address);
    buf_adds(out, ",\"headers\":");
    buf_add(out, c->headers.shown.data, c->headers.shown.len);
    buf_addf(out, ",\"body_bytes\":%llu,\"user\":%lld", (unsigned long long)body_bytes, (long long)user);
    add_bytes(out, "interface", c->interface == CAPTURE_ARANGO ? "arango" : "prefer");
    add_bytes(out, "mode", c->forget ? "forget" : "store");
    buf_addc(out, '}');
}
