/* SPDX-License-Identifier: MIT */
/* replay_request.c: makes a request for curl of what was kept of the client's: the same method, target, host,
 * headers and body, to nobody but the site's own nginx. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "replay.h"

enum { UPLOAD_BUFFER = 64 * 1024 };

/* --- headers ---------------------------------------------------------------------------------------- */

static void add_line(struct replay *p, const char *line)
{
    struct curl_slist *more = curl_slist_append(p->headers, line);
    if (!more)
        log_bug("curl: out of memory");
    p->headers = more;
}

static void add_header(struct replay *p, const char *name, const char *value)
{
    struct arena *arena = run_arena(p->run);
    bool blank = strspn(value, " \t") == strlen(value); /* curl's way to say "with an empty value" */
    add_line(p, blank ? arena_printf(arena, "%s;", name) : arena_printf(arena, "%s: %s", name, value));
}

/* What the request has of the headers that matter for the others. */
struct seen {
    bool accept, key;
};

static void add_kept(struct replay *p, const struct request_headers *kept, struct seen *seen)
{
    for (size_t i = 0; i < kept->count; i++) {
        const struct stored_header *h = &kept->items[i];
        if (request_header_is_dropped(h->name)) /* it was not kept; but anybody may have changed the row */
            continue;
        seen->accept = seen->accept || strcasecmp(h->name, "Accept") == 0;
        seen->key = seen->key || strcasecmp(h->name, "Idempotency-Key") == 0;
        add_header(p, h->name, h->value);
    }
}

static void add_headers(struct replay *p, const struct request_headers *secret)
{
    const struct run_task *t = run_task(p->run);
    struct arena *arena = run_arena(p->run);
    struct seen seen = {false, false};
    add_header(p, "Host", p->request.host);
    add_kept(p, &p->request.headers, &seen);
    add_kept(p, secret, &seen);
    if (!seen.accept)
        add_line(p, "Accept:"); /* takes curl's own away */
    add_line(p, "Expect:");
    if (!seen.key) /* the same in every attempt */
        add_header(p, "Idempotency-Key", arena_printf(arena, "backdesk-%" PRIu64 "-%" PRId64, t->id, t->created_at));
    add_header(p, "X-Task-Id", arena_printf(arena, "%" PRIu64, t->id));
    add_header(p, "X-Backdesk-Client", p->request.address);
    add_header(p, "X-Backdesk-User", arena_printf(arena, "%" PRId64, p->request.user));
}

/* --- what was kept ----------------------------------------------------------------------------------- */

static int open_secrets(struct replay *p, const struct seal_key *key, struct request_headers *out,
                        struct run_outcome *o)
{
    const struct run_request *kept = run_task(p->run)->request;
    struct buf context = BUF_INIT, plain = BUF_INIT;
    struct error e = {0};
    int rc;
    if (!key)
        return run_fail(o, RUN_FAILED, "no_key", "the runner cannot read the key of deferred requests");
    seal_request_context(&context, p->request.site, p->request.method, p->request.target);
    rc = seal_open(key, &context, kept->sealed, kept->sealed_len, &plain, &e);
    if (!rc)
        rc = request_headers_parse(plain.data ? plain.data : "", plain.len, run_arena(p->run), out, &e);
    if (rc)
        run_fail(o, RUN_FAILED_FINAL, "sealed", "the request's secret headers cannot be opened: %s", e.text);
    buf_free(&context);
    buf_free(&plain);
    return rc;
}

static int open_body(struct replay *p, struct run_outcome *o)
{
    const struct run_request *kept = run_task(p->run)->request;
    const char *directory = run_settings(p->run)->files.directory;
    struct stat st;
    if (!kept->body_path && !p->request.body_bytes)
        return 0;
    if (kept->body_path)
        p->body = open(arena_printf(run_arena(p->run), "%s/%s", directory, kept->body_path),
                       O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (p->body < 0 && kept->body_path && errno != ENOENT)
        return run_fail(o, RUN_FAILED, "storage_failed", "the request's body cannot be read: %s", strerror(errno));
    if (p->body < 0 || fstat(p->body, &st) < 0 || (uint64_t)st.st_size != p->request.body_bytes)
        return run_fail(o, RUN_FAILED_FINAL, "body_gone", "the request's body is no longer there");
    return 0;
}

/* The request as the task's data, its row and the file have it. */
static int read_task(struct replay *p, const struct seal_key *key, struct request_headers *secret,
                     struct run_outcome *o)
{
    const struct run_task *t = run_task(p->run);
    struct error e = {0};
    if (deferred_request_parse(t->data, t->data_len, run_arena(p->run), &p->request, &e))
        return run_fail(o, RUN_FAILED_FINAL, "invalid_data", "%s", e.text);
    if (!t->request)
        return run_fail(o, RUN_FAILED_FINAL, "invalid_data", "no request of the site was deferred for this task");
    if (!t->request->sealed)
        return run_fail(o, RUN_FAILED_FINAL, "not_retryable", "what the request consisted of has been wiped");
    p->site = settings_site(run_settings(p->run), p->request.site);
    if (!p->site)
        return run_fail(o, RUN_FAILED_FINAL, "unknown_site", "no site %s is configured", p->request.site);
    p->repeatable = deferred_request_is_repeatable(&p->request, p->site);
    int rc = open_secrets(p, key, secret, o);
    return rc ? rc : open_body(p, o);
}

/* --- curl ---------------------------------------------------------------------------------------------- */

static size_t read_body(char *to, size_t size, size_t count, void *arg)
{
    struct replay *p = arg;
    ssize_t n = 0;
    do
        n = p->body >= 0 ? read(p->body, to, size * count) : 0;
    while (n < 0 && errno == EINTR);
    return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

/* Connected, nothing is sent yet. */
static int before_sending(void *arg, char *peer, char *self, int peer_port, int self_port)
{
    struct replay *p = arg;
    (void)peer, (void)self, (void)peer_port, (void)self_port;
    p->sent = true;
    if (!p->repeatable)
        run_commit(p->run);
    return CURL_PREREQFUNC_OK;
}

static bool has_content(const struct replay *p)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (strcmp(p->request.method, methods[i]) == 0)
            return true;
    return p->request.body_bytes > 0;
}

/* HEAD goes without a body: what it had meant nothing (RFC 9110 section 9.3.2). */
static void set_method(struct replay *p)
{
    if (strcmp(p->request.method, "HEAD") == 0) {
        curl_easy_setopt(p->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (has_content(p)) {
        curl_easy_setopt(p->easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(p->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)p->request.body_bytes);
        curl_easy_setopt(p->easy, CURLOPT_READFUNCTION, read_body);
        curl_easy_setopt(p->easy, CURLOPT_READDATA, p);
        curl_easy_setopt(p->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
    }
    curl_easy_setopt(p->easy, CURLOPT_CUSTOMREQUEST, p->request.method);
}

/* The site's socket is the only way out of here. The host in the URL is for TLS; nobody looks it up. */
static void set_way(struct replay *p)
{
    const char *scheme = p->site->tls ? "https" : "http";
    const char *host = strchr(p->request.host, '_') ? "localhost" : p->request.host;
    curl_easy_setopt(p->easy, CURLOPT_UNIX_SOCKET_PATH, p->site->socket);
    curl_easy_setopt(p->easy, CURLOPT_URL, arena_printf(run_arena(p->run), "%s://%s/", scheme, host));
    curl_easy_setopt(p->easy, CURLOPT_REQUEST_TARGET, p->request.target);
    curl_easy_setopt(p->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(p->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(p->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* only who may enter the socket's directory can be at its other end: a certificate would say no more */
    curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(p->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    /* on a kept connection that has just been closed curl would send the request a second time */
    curl_easy_setopt(p->easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(p->easy, CURLOPT_FORBID_REUSE, 1L);
}

int replay_prepare(struct replay *p, const struct seal_key *key, struct run_outcome *o)
{
    struct request_headers secret;
    int rc = read_task(p, key, &secret, o);
    if (rc)
        return rc;
    p->easy = curl_easy_init();
    if (!p->easy)
        log_bug("curl: out of memory");
    add_headers(p, &secret);
    set_way(p);
    set_method(p);
    replay_take_response(p);
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
    curl_easy_setopt(p->easy, CURLOPT_PREREQFUNCTION, before_sending);
    curl_easy_setopt(p->easy, CURLOPT_PREREQDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
    curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->trouble);
    curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(p->site->connect_timeout_usec / 1000));
    curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)(p->site->timeout_usec / 1000));
    return 0;
}

void replay_clear(struct replay *p)
{
    curl_easy_cleanup(p->easy);
    curl_slist_free_all(p->headers);
    if (p->body >= 0)
        close(p->body);
    p->easy = NULL;
    p->headers = NULL;
    p->body = -1;
}
