/* SPDX-License-Identifier: MIT */
/* child.c: puts backend, exchanges and pool together. */
#include "fcgi/child.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/log.h"
#include "fcgi/backend.h"
#include "fcgi/cgi.h"
#include "fcgi/creator.h"
#include "fcgi/exchange.h"
#include "fcgi/gateway.h"
#include "fcgi/pool.h"
#include "fcgi/stats.h"
#include "fcgi/tokens.h"

enum {
    IO_TIMEOUT_SECONDS = 10, /* nginx has the whole request before it sends it, and buffers answers */
    OTHER_DESCRIPTORS = 64,  /* database connections, log, epoll */
    SPARE_MAX = 64,
    LARGE_MEMORY = 128 * 1024,
};

/* Exchanges belong to requests, not to threads; those without a request wait here with their memory. */
struct child {
    struct app app;
    pthread_mutex_t lock;
    struct exchange *spare;
    unsigned spare_count;
};

static int app_open(struct app *app, const struct catalogue *catalogue, struct error *e)
{
    app->catalogue = catalogue;
    app->settings = catalogue_settings(catalogue);
    store_library_init();
    const char *key;
    int result = backend_create(app->settings, &app->backend, e);
    if (result == 0 && app->settings->site_count) {
        result = settings_defer_key(app->settings, &key, e);
        if (result == 0)
            result = seal_key_read(key, &app->seal_key, e);
    }
    if (result != 0)
        return result;
    app->creator = creator_create(app->backend, app->settings);
    app->stats = stats_create(app->backend);
    app->tokens = tokens_create(app->backend);
    for (int admin = 0; admin < 2; admin++)
        catalogue_json(catalogue, admin, &app->types_json[admin]);
    return 0;
}

static void app_close(struct app *app)
{
    waiters_destroy(&app->waiters);
    creator_destroy(&app->creator);
    stats_destroy(&app->stats);
    tokens_destroy(&app->tokens);
    backend_destroy(&app->backend);
    for (int admin = 0; admin < 2; admin++)
        buf_free(&app->types_json[admin]);
}

static struct exchange *take_exchange(struct child *c)
{
    pthread_mutex_lock(&c->lock);
    struct exchange *x = c->spare;
    if (x) {
        c->spare = x->next;
        c->spare_count--;
    }
    pthread_mutex_unlock(&c->lock);
    return x ? x : exchange_create(&c->app);
}

/* Cleared at once: what waits at the bottom of the list may not be used again for days. */
static void give_exchange(struct child *c, struct exchange *x)
{
    exchange_clear(x);
    pthread_mutex_lock(&c->lock);
    if (c->spare_count < SPARE_MAX) {
        x->next = c->spare;
        c->spare = x;
        c->spare_count++;
        x = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    exchange_destroy(&x);
}

static enum outcome settle(struct child *c, struct pool_request *r, enum outcome outcome)
{
    if (outcome == OUTCOME_ANSWERED) {
        give_exchange(c, r->kept);
        r->kept = NULL;
    }
    return outcome;
}

static enum outcome serve_request(void *context, struct pool_request *r)
{
    struct child *c = context;
    if (r->kept)
        return settle(c, r, exchange_go_on(r->kept));
    r->kept = take_exchange(c); /* before it can be held, and woken by another thread */
    return settle(c, r, exchange_run(r->kept, r->transport, r));
}

static void flush_requests(void *context)
{
    struct child *c = context;
    backend_flush(c->app.backend);
    creator_flush(c->app.creator);
}

static void settle_request(void *place, enum outcome outcome)
{
    struct pool_request *r = place;
    pool_served(r, settle(pool_context(r), r, outcome));
}

static void wake_request(void *place)
{
    pool_wake(place);
}

static void call_request_again(void *place)
{
    pool_serve_again(place);
}

/* A connection is a descriptor: as many as the configuration promises must fit. */
static void raise_descriptor_limit(int64_t connections)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)connections + OTHER_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
        return;
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < want)
        log_warning("only %lu descriptors may be open: api.connections = %lld needs %lu (ulimit -n, LimitNOFILE)",
                    (unsigned long)limit.rlim_cur, (long long)connections, (unsigned long)want);
}

/* What is large goes back to the system when it is freed. By itself glibc would no longer do so once something large
 * has been freed. */
static void return_large_memory(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, LARGE_MEMORY);
#endif
}

int child_serve(const struct catalogue *catalogue, const struct child_descriptors *descriptors)
{
    struct child c = {
        .app = {.settle = settle_request, .call_again = call_request_again},
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    struct error e = {0};
    return_large_memory();
    gateway_library_init();
    int result = app_open(&c.app, catalogue, &e);
    if (result == 0)
        result = waiters_create(c.app.backend, (size_t)c.app.settings->api.waiters, wake_request,
                                &c.app.waiters, &e);
    if (result == 0) {
        const struct api_settings *api = &c.app.settings->api;
        raise_descriptor_limit(api->connections);
        const struct pool_options options = {
            .listener = descriptors->listener,
            .handover_in = descriptors->handover_in,
            .handover_out = descriptors->handover_out,
            .ready = descriptors->ready,
            .threads = (unsigned)api->threads,
            .connections = (unsigned)api->connections,
            .io_timeout_usec = IO_TIMEOUT_SECONDS * INT64_C(1000000),
            .drain_usec = api->shutdown_grace_usec,
            .serve = serve_request,
            .flush = flush_requests,
            .context = &c,
        };
        result = pool_run(&options, &e);
    }
    if (result != 0)
        log_error("%s", e.text);
    for (struct exchange *x = c.spare, *next; x; x = next) {
        next = x->next;
        exchange_destroy(&x);
    }
    app_close(&c.app);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int child_answer_one(const struct catalogue *catalogue, int in, int out)
{
    struct app app = {0};
    struct cgi cgi;
    struct error e = {0};
    int result = app_open(&app, catalogue, &e);
    if (result == 0) {
        struct exchange *x = exchange_create(&app);
        cgi_open(&cgi, in, out);
        exchange_run(x, &cgi.transport, NULL);
        creator_flush(app.creator);
        backend_flush(app.backend);
        exchange_destroy(&x);
    } else {
        log_error("%s", e.text);
    }
    app_close(&app);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
