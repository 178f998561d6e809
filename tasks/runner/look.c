/* SPDX-License-Identifier: MIT */
/* look.c: what the queue has, as far as it is read without claiming: which lanes have tasks, when the next
 * scheduled one is due, which types are paused. */
#include "base/clock.h"
#include "impl.h"

enum { HEADS_MAX = RUNNER_TYPES_MAX * 10 };

/* By our clock; what is farther away than a day is asked for again before. */
static int64_t due_at(int64_t due_usec, int64_t now_ns)
{
    static const int64_t day_usec = INT64_C(86400) * 1000000;
    if (due_usec == INT64_MAX)
        return INT64_MAX;
    return now_ns + (due_usec < day_usec ? due_usec : day_usec) * 1000;
}

/* What waits may be of types that are paused: no more turns for them. The claim itself knows of a pause in any case. */
static void read_pauses(struct dispatcher *d, int64_t now_ns)
{
    struct error e = {0};
    int n = store_paused_types(d->store, d->types.names, d->types.count, d->paused, &e);
    if (n < 0)
        database_failed(d, "reading the paused types", &e);
    else
        d->paused_count = (size_t)n;
    d->pauses_at_ns = now_ns + 1000000000;
}

void look(struct dispatcher *d, int64_t now_ns)
{
    struct lane_head heads[HEADS_MAX];
    int64_t due_usec;
    struct error e = {0};
    int64_t began = clock_mono_ns();
    int n = store_look(d->store, d->types.names, d->types.count, heads, HEADS_MAX, &due_usec, &e);
    int64_t poll_ns = d->settings->runner.poll_usec * 1000;
    if (n < 0) {
        database_failed(d, "looking for work", &e);
        d->look_at_ns = now_ns + poll_ns;
        return;
    }
    lanes_look(&d->lanes, heads, (size_t)n);
    d->promote_at_ns = due_at(due_usec, now_ns);
    /* a look that is slow (a held read view makes it so) is made rarer: 5% of the time, but one a second */
    int64_t pause = (clock_mono_ns() - began) * 20;
    d->look_at_ns = now_ns + (pause < poll_ns ? poll_ns : pause > 1000000000 ? 1000000000 : pause);
    if ((n > 0 || d->paused_count) && now_ns >= d->pauses_at_ns)
        read_pauses(d, now_ns);
}

void promote(struct dispatcher *d, int64_t now_ns)
{
    struct error e = {0};
    int n = store_promote(d->store, (size_t)d->settings->runner.batch * 4, &e);
    if (n < 0)
        database_failed(d, "making due tasks fresh", &e);
    d->promote_at_ns = INT64_MAX;
    d->look_at_ns = n > 0 ? now_ns : d->look_at_ns; /* the look finds them, and the next due one */
}
