/* SPDX-License-Identifier: MIT */
/* handle_list.c: many tasks: list, clear. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fcgi/backend.h"
#include "fcgi/exchange.h"
#include "fcgi/page.h"
#include "fcgi/view.h"

/* A status that cannot be asked for, and which can: all, or those of tasks that have ended. */
static int bad_status(const char *word, bool ended_only, struct error *e)
{
    struct buf known = BUF_INIT;
    for (int i = 0; i < TASK_STATUS_COUNT; i++)
        if (!ended_only || task_status_ended((enum task_status)i))
            buf_addf(&known, "%s%s", known.len ? ", " : "", task_status_name((enum task_status)i));
    int result = error_set(e, ERR_INVALID, "status cannot be \"%.40s\" here, but %s.", word, buf_str(&known));
    buf_free(&known);
    return result;
}

/* Reads "failure,dropped" into flags. */
static int read_status(struct exchange *x, bool status[TASK_STATUS_COUNT], bool *given, bool ended_only,
                       struct error *e)
{
    const char *words[TASK_STATUS_COUNT];
    size_t count;
    int result = url_query_list(&x->request.query, "status", x->arena, words, COUNT_OF(words), &count, e);
    if (result != 0)
        return result;
    *given = count > 0;
    for (size_t i = 0; i < count; i++) {
        int number = task_status_parse(words[i], strlen(words[i]));
        if (number < 0 || (ended_only && !task_status_ended((enum task_status)number)))
            return bad_status(words[i], ended_only, e);
        status[number] = true;
    }
    return 0;
}

static int read_creators(struct exchange *x, struct task_filter *f, struct error *e)
{
    const char *words[FILTER_VALUES_MAX];
    int result = url_query_list(&x->request.query, "created_by", x->arena, words, COUNT_OF(words),
                                &f->creators, e);
    for (size_t i = 0; result == 0 && i < f->creators; i++) {
        char *end;
        f->created_by[i] = strtoll(words[i], &end, 10);
        if (*end || words[i][0] < '0' || words[i][0] > '9')
            return error_set(e, ERR_INVALID, "created_by must be the number of a user.");
    }
    return result;
}

static int read_cancel_requested(struct exchange *x, struct task_filter *f, struct error *e)
{
    const char *value = url_query_get(&x->request.query, "cancel_requested");
    if (!value)
        return 0;
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return error_set(e, ERR_INVALID, "cancel_requested must be true or false.");
    f->cancel_requested = strcmp(value, "true") == 0;
    return 0;
}

static int read_instants(struct exchange *x, struct task_filter *f, struct error *e)
{
    const struct {
        const char *name;
        int64_t *value;
    } bounds[] = {
        {"created_before", &f->created_before},   {"created_after", &f->created_after},
        {"started_before", &f->started_before},   {"started_after", &f->started_after},
        {"finished_before", &f->finished_before}, {"finished_after", &f->finished_after},
    };
    for (size_t i = 0; i < COUNT_OF(bounds); i++)
        if (url_query_instant(&x->request.query, bounds[i].name, bounds[i].value, e) != 0)
            return ERR_INVALID;
    return 0;
}

static bool read_filter(struct exchange *x, struct task_filter *f)
{
    const struct url_query *q = &x->request.query;
    struct error e = {0};
    task_filter_init(f);
    f->owner = exchange_scope(x);
    if (read_status(x, f->status, &f->has_status, false, &e) == 0 &&
        url_query_list(q, "type", x->arena, f->type, FILTER_VALUES_MAX, &f->types, &e) == 0 &&
        url_query_list(q, "worker", x->arena, f->worker, FILTER_VALUES_MAX, &f->workers, &e) == 0 &&
        read_creators(x, f, &e) == 0 && read_cancel_requested(x, f, &e) == 0 &&
        read_instants(x, f, &e) == 0)
        return true;
    return response_problem(&x->response, PROBLEM_bad_parameter, e.text);
}

/* A page of large tasks is cut here: it may be short while next goes on. */
enum { FIRST_CHUNK = 50, PAGE_BYTES_MAX = 4 * 1024 * 1024 };

struct listing {
    struct exchange *x;
    struct task_filter filter;
    struct page page;
    struct task *tasks; /* room for a whole page */
};

/* How many tasks to read next: the first ones say how large the others may be. */
static size_t chunk_size(const struct listing *l, size_t shown)
{
    size_t left = l->page.limit - shown, bytes = l->x->response.body.len;
    size_t most = FIRST_CHUNK;
    if (shown) {
        size_t fit = (PAGE_BYTES_MAX - bytes) / (bytes / shown + 1) + 1;
        most = fit < 4 * shown ? fit : 4 * shown;
    }
    return left < most ? left : most;
}

/* Writes the page into the body, from its beginning. */
static int list_call(struct store *s, void *context, struct error *e)
{
    struct listing *l = context;
    struct buf *body = &l->x->response.body;
    struct arena *chunk = arena_create();
    size_t shown = 0, wanted;
    int count;
    buf_clear(body);
    buf_adds(body, "{\"tasks\":[");
    l->page.next = l->page.before_id;
    do {
        wanted = chunk_size(l, shown);
        arena_reset(chunk);
        count = store_list_tasks(s, &l->filter, l->page.next, wanted, chunk, l->tasks, &l->page.next, e);
        for (int i = 0; i < count; i++, shown++) {
            if (shown)
                buf_addc(body, ',');
            view_task(body, l->x->app->settings, &l->tasks[i], l->x->request.identity.admin);
        }
    } while (count == (int)wanted && l->page.next && shown < l->page.limit &&
             body->len < PAGE_BYTES_MAX);
    arena_destroy(&chunk);
    buf_addc(body, ']');
    return count < 0 ? count : 0;
}

void handle_task_list(struct exchange *x)
{
    struct listing *l = arena_calloc(x->arena, 1, sizeof *l);
    struct error e = {0};
    if (!read_filter(x, &l->filter) || !page_read(x, "tasks", &l->page))
        return;
    l->x = x;
    l->tasks = arena_calloc(x->arena, l->page.limit, sizeof *l->tasks);
    int result = backend_call(x->app->backend, BACKEND_READ, list_call, l, &e);
    if (result != 0)
        exchange_fail(x, result, &e);
    else
        page_finish(x, "tasks", &l->page, true);
}

struct clearing {
    int64_t owner, before;
    bool status[TASK_STATUS_COUNT];
    bool has_status;
    uint64_t next, deleted;
    bool more;
};

static int clear_call(struct store *s, void *context, struct error *e)
{
    struct clearing *c = context;
    uint64_t next = c->next;
    int rc = store_clear_tasks(s, c->owner, c->before, c->has_status ? c->status : NULL, &next, e);
    if (rc < 0)
        return rc;
    c->deleted += (uint64_t)rc;
    c->next = next;
    c->more = next != 0;
    return 0;
}

void handle_task_clear(struct exchange *x)
{
    struct clearing c = {.owner = x->request.identity.user, .before = INSTANT_NONE};
    struct error e = {0};
    if (!url_query_get(&x->request.query, "finished_before")) {
        response_problem(&x->response, PROBLEM_bad_parameter, "finished_before is missing.");
        return;
    }
    if (url_query_instant(&x->request.query, "finished_before", &c.before, &e) != 0 ||
        read_status(x, c.status, &c.has_status, true, &e) != 0) {
        response_problem(&x->response, PROBLEM_bad_parameter, e.text);
        return;
    }
    int result = exchange_work(x, clear_call, &c, &c.more, &e);
    if (result != 0 && !c.deleted) { /* else what has been done is told */
        exchange_fail(x, result, &e);
        return;
    }
    buf_addf(&x->response.body, "{\"deleted\":%llu%s}", (unsigned long long)c.deleted, c.more ? ",\"more\":true" : "");
    response_json(&x->response, 200);
}
