/* SPDX-License-Identifier: MIT */
/* worker_many.c: a worker that carries many tasks of one type at once, by that type's many_code. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/log.h"
#include "run_impl.h"
#include "wire.h"

enum {
    READ_SIZE = 64 * 1024,
    LOOK_MS = 200,   /* while tasks run: how often they look whether they are to stop */
    IDLE_MS = 60000, /* only its dispatcher wakes it */
};

static const struct many_code *find_many(const struct catalogue *c)
{
    for (size_t i = 0; i < catalogue_type_count(c); i++) {
        const struct type_code *code = type_code_find(catalogue_type_at(c, i));
        if (code && code->many)
            return code->many;
    }
    return NULL;
}

/* Each task has files and a connection of its own. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Takes what the socket has; false at its end. */
static bool receive(struct worker *w)
{
    for (;;) {
        buf_reserve(&w->in, READ_SIZE);
        ssize_t n = recv(WORKER_SOCKET, w->in.data + w->in.len, READ_SIZE, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            return false;
        w->in.len += (size_t)n;
    }
}

static void begin(struct worker *w, const struct many_code *code, void *state)
{
    struct arena *arena = arena_create();
    struct run *r = arena_calloc(arena, 1, sizeof *r);
    r->worker = w;
    r->arena = arena;
    if (!wire_peek_place(&w->in, &r->place) || r->place >= w->setup->place_count || w->runs[r->place] ||
        !wire_get_task(&w->in, arena, &r->task))
        log_bug("a malformed frame from the dispatcher");
    wire_drop(&w->in, wire_frame(&w->in));
    r->slot = w->setup->slot + r->place;
    w->runs[r->place] = r;
    atomic_fetch_add(&w->busy, 1);
    code->begin(state, r);
}

void run_end(struct run *r, struct run_outcome *outcome)
{
    struct arena *arena = r->arena;
    run_send(r, outcome);
    r->worker->runs[r->place] = NULL;
    arena_destroy(&arena); /* R with it */
}

void worker_serve_many(struct worker *w)
{
    const struct worker_setup *setup = w->setup;
    const struct many_code *code = find_many(setup->catalogue);
    if (!code)
        log_bug("a worker for many tasks, but no type that has them");
    raise_descriptors();
    void *state = code->open(catalogue_settings(setup->catalogue), setup->catalogue);
    w->runs = xcalloc(setup->place_count, sizeof *w->runs);
    bool alive = true;
    while (alive && !w->cut_off) {
        code->serve(state, WORKER_SOCKET, atomic_load(&w->busy) ? LOOK_MS : IDLE_MS);
        alive = receive(w);
        while (alive && wire_frame(&w->in))
            begin(w, code, state);
    }
    code->close(&state);
    for (size_t i = 0; i < setup->place_count; i++)
        if (w->runs[i]) {
            struct arena *arena = w->runs[i]->arena; /* the run itself lies in it */
            arena_destroy(&arena);
        }
    free(w->runs);
}
