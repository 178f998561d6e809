/* SPDX-License-Identifier: MIT */
/* ahead.c: cuts the key's range into pieces and keeps every connection busy with one. */
#include "ahead.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "row_source_impl.h"

enum {
    PIECE_BYTES = 192 * 1024, /* about what sockets hold: a server that has sent it can go on to the next */
    ROW_BYTES = 16, /* that a row costs beside its values, about */
    PIECE_ROWS_MIN = 16,
    PIECE_ROWS_MAX = 100000,
    SEARCHES = 2, /* so much longer than finding a piece's rows should sending them take ... */
    SEARCH_USEC_MIN = 3000, /* ... where finding them takes longer than this */
    PIECE_MSEC = 250, /* what sending a piece's rows may take: a short read, and soon ended */
    SURPRISE = 4, /* so many times the expected rows make the rest be planned anew */
};

void ahead_init(struct row_source *s)
{
    int64_t connections = s->export->def->connections;
    if (connections < 2)
        return;
    if (!key_is_integer(&s->key)) {
        run_log(s->run, "the key is not one integer column: one connection reads all rows");
        return;
    }
    s->ahead.state = AHEAD_READY;
    s->ahead.count = (unsigned)connections;
}

/* --- connections --------------------------------------------------------------------------------- */

/* What it has been asked for is not wanted: the server should not go on. */
static void give_up(struct row_source *s, struct ahead_piece *p)
{
    struct error ignored = {0};
    if (p->asked && p->db)
        (void)!source_kill(s->export->source, db_thread_id(p->db), &ignored);
    db_close(&p->db);
    p->asked = p->given = false;
}

/* The source goes on alone with its own connection. */
static void stop(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    for (unsigned i = 0; i < a->count; i++)
        give_up(s, &a->pieces[i]);
    a->state = AHEAD_OFF;
    a->open = false;
}

void ahead_close(struct row_source *s)
{
    stop(s);
}

/* Opens the connections beside the source's own, as many as there may be. */
static void connect_all(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    struct error e = {0};
    unsigned n = 1;
    while (n < a->count && source_open(s->export->source, &a->pieces[n].db, &e) == 0)
        row_source_watch(s, a->pieces[n++].db);
    if (n < a->count)
        log_warning("task %llu: export %s: only %u of %u connections: %s",
                    (unsigned long long)run_task(s->run)->id, s->export->def->name, n, a->count, e.text);
    a->count = n;
    a->present = 0;
}

/* --- where the end is ------------------------------------------------------------------------------ */

/* What the page of one connection that has just been read tells. Anything may have delayed it: the least
 * of what the pages say counts. */
static void learn(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    double search_ns = (double)(s->page_start_ns - s->page_asked_ns);
    double row_ns = (double)(clock_mono_ns() - s->page_start_ns + 1) / (double)s->page_rows;
    double rows = search_ns > SEARCH_USEC_MIN * 1e3 ? SEARCHES * search_ns / row_ns : 0;
    if (rows < a->rows_min)
        a->rows_min = rows;
    a->goal_ns = PIECE_MSEC * 1e6 > SEARCHES * search_ns ? PIECE_MSEC * 1e6 : SEARCHES * search_ns;
    if (a->goal_ns / row_ns < a->rows_max)
        a->rows_max = a->goal_ns / row_ns < 1 ? 1 : a->goal_ns / row_ns;
    a->row_bytes = (double)s->page_bytes / (double)s->page_rows;
}

static void look_for_end(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    struct error e = {0};
    a->rows_min = a->rows_max = PIECE_ROWS_MAX;
    learn(s);
    a->state = AHEAD_LOOKING;
    connect_all(s);
    if (a->count < 2 ||
        db_rows_send(a->pieces[1].db, s->sql.last, s->params, s->bind_count, &e))
        stop(s);
    else
        a->pieces[1].asked = true;
}

/* Rows that a piece should have. */
static uint64_t piece_rows(const struct ahead *a)
{
    double rows = PIECE_BYTES / (a->row_bytes + ROW_BYTES);
    if (rows < a->rows_min)
        rows = a->rows_min;
    if (rows < PIECE_ROWS_MIN)
        rows = PIECE_ROWS_MIN;
    return (uint64_t)(rows < a->rows_max ? rows : a->rows_max);
}

/* Whether the end is known now. */
static bool end_found(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    struct db *d = a->pieces[1].db;
    struct db_rows *rows = NULL;
    char **values;
    unsigned long *lengths;
    struct error e = {0};
    int rc = db_rows_ready(d, 0, &e);
    if (rc == 0)
        return false;
    if (rc == 1)
        rc = db_rows_receive(d, &rows, &e);
    if (!rc)
        rc = db_rows_next(rows, &values, &lengths, &e);
    bool found = rc == 1 && values[0];
    if (found)
        a->end = key_place_of(&s->key, values[0]);
    db_rows_close(&rows);
    a->pieces[1].asked = false;
    if (!found) {
        stop(s);
        return false;
    }
    a->state = AHEAD_ON;
    a->planned = key_place(&s->key);
    a->width = piece_rows(a);
    return true;
}

/* --- pieces ---------------------------------------------------------------------------------------- */

/* Fills the source's parameters for keys behind FROM; returns their number. */
static unsigned put_params(struct row_source *s, uint64_t from, const struct ahead_piece *p)
{
    unsigned n = s->bind_count;
    s->params[n++] = key_value_at(&s->key, from);
    s->params[n++] = key_value_at(&s->key, p->to);
    s->params[n++] = db_uint(p->limit + 1); /* one more, to see whether that was all */
    return n;
}

/* Gives P the next piece, where there is one, and asks its connection for it. A failure shows when the
 * piece's turn has come. */
static void give(struct row_source *s, struct ahead_piece *p, struct db *d)
{
    struct ahead *a = &s->ahead;
    struct error ignored = {0};
    p->given = a->planned < a->end;
    p->asked = false;
    if (!p->given)
        return;
    p->from = a->planned;
    p->to = a->end - a->planned > a->width ? a->planned + a->width : a->end;
    p->limit = SURPRISE * piece_rows(a);
    a->planned = p->to;
    if (d)
        p->asked = db_rows_send(d, s->sql.range, s->params, put_params(s, p->from, p), &ignored) == 0;
}

/* All connections but the present one are free: gives them the first pieces. */
static void give_all(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    for (unsigned i = 1; i < a->count; i++) {
        struct ahead_piece *p = &a->pieces[(a->present + i) % a->count];
        give(s, p, p->db);
    }
}

/* The present connection gets the last piece of all, and the next one becomes the present one. */
static void rotate(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    struct ahead_piece *p = &a->pieces[a->present];
    give(s, p, s->db);
    p->db = s->db;
    a->present = (a->present + 1) % a->count;
    p = &a->pieces[a->present];
    s->db = p->db;
    p->db = NULL;
    a->open = p->given;
}

bool ahead_next(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    if (a->state == AHEAD_OFF || !s->key.has_last || a->open)
        return a->open;
    if (a->state == AHEAD_READY && s->page_rows) {
        look_for_end(s);
        return false;
    }
    if (a->state == AHEAD_LOOKING && s->page_rows)
        learn(s);
    if (a->state == AHEAD_LOOKING && end_found(s))
        give_all(s);
    if (a->state == AHEAD_ON) {
        rotate(s);
        if (!a->open) /* what is behind the end is read by one */
            stop(s);
    }
    return a->open;
}

int ahead_open(struct row_source *s, struct db_rows **out, struct error *e)
{
    struct ahead_piece *p = &s->ahead.pieces[s->ahead.present];
    s->page_limit = p->limit;
    if (p->asked) {
        p->asked = false;
        return db_rows_receive(s->db, out, e);
    }
    /* again, or for the first time: behind the last row, wherever that was */
    return row_source_query(s, s->sql.range, put_params(s, key_place(&s->key), p), out, e);
}

/* Finding a piece's rows goes on beside reading others, so as a rule nobody waits for it. Where one does
 * for longer than reading them takes, pieces become larger: servers may find the first row by walking over
 * all that are before it. */
static void heed_wait(struct ahead *a, uint64_t rows, double wait_ns, double took_ns)
{
    double goal_ns = SEARCHES * wait_ns;
    a->goal_ns = goal_ns > PIECE_MSEC * 1e6 ? goal_ns : PIECE_MSEC * 1e6;
    if (rows && wait_ns > took_ns) {
        double more = 2.0 * (double)rows;
        a->rows_min = more < a->rows_min ? a->rows_min : more > PIECE_ROWS_MAX ? PIECE_ROWS_MAX : more;
    } else if (wait_ns < took_ns / 4) {
        a->rows_min *= 0.95;
    }
}

/* A piece had ROWS rows, which took TOOK_NS: how wide should the next ones be? */
static void adapt(struct ahead *a, const struct ahead_piece *p, uint64_t rows, double took_ns)
{
    if (took_ns > a->goal_ns)
        a->rows_max = (double)rows * a->goal_ns / took_ns;
    else if (took_ns < a->goal_ns / 4)
        a->rows_max *= 2;
    a->rows_max = a->rows_max < 1 ? 1 : a->rows_max > PIECE_ROWS_MAX ? PIECE_ROWS_MAX : a->rows_max;
    double wanted = (double)piece_rows(a);
    double width = (double)(p->to - p->from) * wanted / ((double)rows + 0.1);
    double most = 4.0 * (double)a->width, half = (width + (double)a->width) / 2;
    if (half > most)
        half = most;
    a->width = half < wanted ? (uint64_t)wanted : half > 1e18 ? (uint64_t)1e18 : (uint64_t)half;
}

static void drop_answer(struct row_source *s, struct ahead_piece *p)
{
    struct db_rows *rows = NULL;
    struct error e = {0}, ignored = {0};
    int rc = db_rows_receive(p->db, &rows, &e);
    db_rows_close(&rows);
    if (rc == ERR_CANCELLED)
        (void)!source_kill(s->export->source, db_thread_id(p->db), &ignored);
}

/* Drops what others have been asked for, and plans anew behind the last row in pieces of WIDTH keys, or of
 * as many as may be rows at least. */
static void plan_anew(struct row_source *s, double width)
{
    struct ahead *a = &s->ahead;
    for (unsigned i = 1; i < a->count; i++) {
        struct ahead_piece *p = &a->pieces[(a->present + i) % a->count];
        if (p->asked)
            drop_answer(s, p);
        p->asked = p->given = false;
    }
    a->planned = key_place(&s->key);
    a->width = width < (double)piece_rows(a) ? piece_rows(a) : (uint64_t)width;
    a->open = false;
    give_all(s);
}

void ahead_end_page(struct row_source *s, bool more)
{
    struct ahead *a = &s->ahead;
    if (s->page_rows)
        a->row_bytes = 0.75 * a->row_bytes + 0.25 * (double)s->page_bytes / (double)s->page_rows;
    const struct ahead_piece *here = &a->pieces[a->present];
    if (more) {
        /* far more rows than expected: what others have read would wait for one that reads them all */
        uint64_t last = key_place(&s->key);
        plan_anew(s, last > here->from ? (double)(last - here->from) / SURPRISE : 1);
        return;
    }
    double took_ns = (double)(clock_mono_ns() - s->page_start_ns);
    heed_wait(a, s->page_rows, (double)(s->page_start_ns - s->page_asked_ns), took_ns);
    adapt(a, here, s->page_rows, took_ns);
    a->open = false;
}

void ahead_long_row(struct row_source *s)
{
    struct ahead *a = &s->ahead;
    if (a->state != AHEAD_ON)
        return;
    double row = (double)a->width / (double)piece_rows(a);
    a->rows_max = 1;
    plan_anew(s, row);
}
