/* SPDX-License-Identifier: MIT */
/* http_request.c: replays deferred requests of the site, all of a worker's at once, with curl's multi interface.
 * One thread does the work; only finished files wait for the disk elsewhere. */
#include "http_request.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "finisher.h"
#include "replay.h"

static const int64_t look_ns = 100000000; /* how often it looks whether replays are to stop */

struct replays {
    CURLM *multi;
    struct finisher *finisher;
    struct seal_key key;
    bool has_key;
    struct replay *first;
    int64_t looked_ns;
};

static void wake(void *multi)
{
    curl_multi_wakeup(multi);
}

static void read_key(struct replays *a, const struct settings *s)
{
    struct error e = {0};
    const char *hex;
    int rc = settings_defer_key(s, &hex, &e);
    if (!rc)
        rc = seal_key_read(hex, &a->key, &e);
    if (rc)
        log_error("no deferred request can be replayed: %s", e.text);
    a->has_key = !rc;
}

static void *replays_open(const struct settings *s, const struct catalogue *c)
{
    struct replays *a = xcalloc(1, sizeof *a);
    (void)c;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(a->multi = curl_multi_init()))
        log_bug("curl cannot be initialised");
    a->finisher = finisher_create(wake, a->multi);
    read_key(a, s);
    return a;
}

static void enlist(struct replays *a, struct replay *p)
{
    p->next = a->first;
    if (p->next)
        p->next->previous = p;
    a->first = p;
}

static void delist(struct replays *a, struct replay *p)
{
    if (p->previous)
        p->previous->next = p->next;
    else
        a->first = p->next;
    if (p->next)
        p->next->previous = p->previous;
}

/* The end of P, which is gone then. */
static void end(struct replays *a, struct replay *p, struct run_outcome *o)
{
    delist(a, p);
    if (p->easy)
        curl_multi_remove_handle(a->multi, p->easy);
    replay_clear(p);
    if (p->file)
        o->files[o->file_count++] = p->file;
    run_end(p->run, o);
}

static void replays_begin(void *state, struct run *r)
{
    struct replays *a = state;
    struct replay *p = arena_calloc(run_arena(r), 1, sizeof *p);
    struct run_outcome o = {.end = RUN_FAILED, .code = "internal"};
    p->run = r;
    p->body = -1;
    enlist(a, p);
    if (replay_prepare(p, a->has_key ? &a->key : NULL, &o))
        end(a, p, &o);
    else
        curl_multi_add_handle(a->multi, p->easy);
}

/* The transfer is over; curl is done with it. */
static void settle(struct replays *a, struct replay *p, CURLcode rc)
{
    struct run_outcome o = {.end = RUN_FAILED, .code = "internal"};
    bool keep = replay_judge(p, rc, &o);
    if (!keep) {
        end(a, p, &o);
    } else if (!p->file) {
        replay_succeed(p, &o);
        end(a, p, &o);
    } else {
        struct finishing *job = arena_calloc(run_arena(p->run), 1, sizeof *job);
        job->owner = p;
        job->file = p->file;
        curl_multi_remove_handle(a->multi, p->easy);
        replay_clear(p);
        finisher_put(a->finisher, job);
    }
}

static void settle_file(struct replays *a, const struct finishing *job)
{
    struct replay *p = job->owner;
    struct run_outcome o = {.end = RUN_FAILED, .code = "internal"};
    if (job->rc)
        run_fail(&o, RUN_FAILED, "storage_failed", "%s", job->error.text);
    else
        replay_succeed(p, &o);
    end(a, p, &o);
}

/* One whose response has come is faster than whoever wants it to stop. */
static void stop_some(struct replays *a)
{
    for (struct replay *p = a->first, *next; p; p = next) {
        next = p->next;
        if (!run_stopping(p->run) || !p->easy)
            continue;
        struct run_outcome o = {.end = RUN_STOPPED, .code = "stopped"};
        end(a, p, &o);
    }
}

static void replays_serve(void *state, int fd, int timeout_ms)
{
    struct replays *a = state;
    struct curl_waitfd wait = {.fd = fd, .events = CURL_WAIT_POLLIN};
    struct finishing *job;
    CURLMsg *message;
    int running, left;
    curl_multi_poll(a->multi, &wait, 1, timeout_ms, NULL);
    curl_multi_perform(a->multi, &running);
    while ((message = curl_multi_info_read(a->multi, &left))) {
        struct replay *p;
        CURLcode rc = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&p);
        settle(a, p, rc);
    }
    while ((job = finisher_get(a->finisher)))
        settle_file(a, job);
    int64_t now = clock_mono_ns();
    if (now - a->looked_ns >= look_ns) {
        a->looked_ns = now;
        stop_some(a);
    }
}

static void replays_close(void **state)
{
    struct replays *a = *state;
    finisher_destroy(&a->finisher);
    for (struct replay *p = a->first; p; p = p->next) {
        if (p->easy)
            curl_multi_remove_handle(a->multi, p->easy);
        replay_clear(p);
        result_file_discard(&p->file);
    }
    curl_multi_cleanup(a->multi);
    curl_global_cleanup();
    free(a);
    *state = NULL;
}

const struct many_code http_request_code = {
    .open = replays_open,
    .begin = replays_begin,
    .serve = replays_serve,
    .close = replays_close,
};
