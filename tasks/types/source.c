/* SPDX-License-Identifier: MIT */
/* source.c: the connections that a worker keeps, one per source. */
#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "task/type.h"

enum { PING_AFTER_NS = 1000000000 }; /* a connection idle for longer is asked first */

/* A kept connection. The address and what else a session is made from are compared as text, because a
 * reloaded configuration may have moved the source. */
struct kept {
    struct kept *next;
    struct db *db;
    char *address;
    int64_t since; /* clock_mono_ns */
};

struct source_pool {
    struct kept *kept;
};

struct source_pool *source_pool_create(void)
{
    return xcalloc(1, sizeof(struct source_pool));
}

static void drop(struct kept **link)
{
    struct kept *k = *link;
    *link = k->next;
    db_close(&k->db);
    free(k->address);
    free(k);
}

void source_pool_destroy(struct source_pool **p)
{
    if (!*p)
        return;
    while ((*p)->kept)
        drop(&(*p)->kept);
    free(*p);
    *p = NULL;
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static char *address_text(const struct source_def *s, const struct db_address *a)
{
    return xasprintf("%s\n%s\n%s\n%u\n%s\n%s\n%s\n%s\n%s", s->name, or_empty(a->socket),
                     or_empty(a->host), a->port, or_empty(a->name), or_empty(a->user),
                     or_empty(a->password), or_empty(a->tls_ca), or_empty(s->time_zone));
}

int source_open(const struct source_def *source, struct db **out, struct error *e)
{
    struct db_options options = {
        .session = DB_SESSION_SOURCE,
        .timeout_s = (int)((source->read_timeout_usec + 999999) / 1000000),
        .time_zone = source->time_zone,
    };
    struct db_address address;
    int rc = settings_source_address(source, &address, e);
    return rc ? rc : db_open(&address, &options, out, e);
}

/* The kept connection to ADDRESS, taken out of the pool; NULL where there is none that answers. */
static struct db *take(struct source_pool *p, const char *address)
{
    struct kept **link = &p->kept;
    while (*link && strcmp((*link)->address, address) != 0)
        link = &(*link)->next;
    if (!*link)
        return NULL;
    struct db *d = (*link)->db;
    (*link)->db = NULL;
    bool idle = clock_mono_ns() - (*link)->since > PING_AFTER_NS;
    drop(link);
    struct error ignored = {0};
    if (idle && db_ping(d, &ignored))
        db_close(&d);
    return d;
}

int source_kill(const struct source_def *source, unsigned long thread_id, struct error *e)
{
    struct db_address address;
    int rc = settings_source_address(source, &address, e);
    return rc ? rc : db_kill_query(&address, thread_id, e);
}

int source_get(struct source_pool *p, const struct source_def *source, struct db **out,
               struct error *e)
{
    struct db_address address;
    int rc = settings_source_address(source, &address, e);
    if (rc)
        return rc;
    char *text = address_text(source, &address);
    *out = take(p, text);
    free(text);
    return *out ? 0 : source_open(source, out, e);
}

void source_put(struct source_pool *p, const struct source_def *source, struct db **d)
{
    if (!*d)
        return;
    db_set_stop(*d, NULL, NULL);
    struct db_address address;
    struct error ignored = {0};
    if (!db_usable(*d) || db_in_transaction(*d) ||
        settings_source_address(source, &address, &ignored)) {
        db_close(d);
        return;
    }
    /* One is enough, and a worker runs one task at a time: one for another address of the same
     * source is out of date. */
    for (struct kept **link = &p->kept; *link;) {
        size_t len = strlen(source->name);
        if (strncmp((*link)->address, source->name, len) == 0 && (*link)->address[len] == '\n')
            drop(link);
        else
            link = &(*link)->next;
    }
    struct kept *k = xcalloc(1, sizeof *k);
    k->db = *d;
    k->address = address_text(source, &address);
    k->since = clock_mono_ns();
    k->next = p->kept;
    p->kept = k;
    *d = NULL;
}

/* Three attempts, with a pause of a second, bridge half a minute to a minute. */
void source_wait(const struct run *r, struct run_outcome *o)
{
    enum { PAUSES_FIRST = 10, PAUSES_LATER = 60 };
    struct task_limits limits;
    task_limits_get(run_settings(r), run_task(r)->type, &limits);
    int64_t pause = limits.backoff_usec * (run_task(r)->attempt < 2 ? PAUSES_FIRST : PAUSES_LATER);
    if (pause > limits.backoff_max_usec && limits.backoff_max_usec > 0)
        pause = limits.backoff_max_usec;
    o->retry_usec = random_half(pause);
}
