/* SPDX-License-Identifier: MIT */
/* row_source.c: reads the rows of an export page by page. Opening and describing it is in
 * row_source_open.c, rows with long values in long_row.c. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "row_source_impl.h"

#define MSEC INT64_C(1000000) /* nanoseconds */

enum {
    TICK_ROWS = 256, /* the clock is read once per so many rows or bytes */
    TICK_BYTES = 1024 * 1024,
    PAGE_MSEC = 250, /* what a page should take: a short read for the server's purge */
    PAGE_ROWS_MAX = 1000000,
    PAGE_BYTES_MAX = 64 * 1024 * 1024,
    PAGE_GROWTH = 4, /* at most, from one page to the next */
    PROGRESS_MSEC = 250,
    COUNT_AFTER_MSEC = 750, /* a shorter export needs no total, and has better use for the processors */
    LOSSES_MAX = 3,
};

/* --- ends ------------------------------------------------------------------------------------- */

/* What the server says may hold pieces of the query: it is for the operator, not for the owner. */
static void tell_operator(const struct row_source *s, const struct error *e)
{
    log_warning("task %llu: export %s: %s", (unsigned long long)run_task(s->run)->id,
                s->export->def->name, e->text);
}

static int stopped(struct row_source *s)
{
    return run_fail(s->outcome, RUN_STOPPED, "stopped", "the export was asked to stop");
}

static int too_old(struct row_source *s)
{
    return run_fail(s->outcome, RUN_FAILED, "snapshot_too_old",
                    "the export took longer than the %lld s for which it may hold one read view "
                    "of its data source",
                    (long long)(s->export->def->snapshot_max_age_usec / 1000000));
}

static int bad_key(struct row_source *s, const char *what)
{
    return run_fail(s->outcome, RUN_FAILED_FINAL, "invalid_key",
                    "the key of export \"%s\" %s: it cannot be read page by page",
                    s->export->def->name, what);
}

/* A wait has been broken off: the server would work on for nobody. */
static int broken_off(struct row_source *s)
{
    struct error e = {0};
    if (s->db && source_kill(s->export->source, db_thread_id(s->db), &e))
        tell_operator(s, &e);
    return run_stopping(s->run) ? stopped(s) : too_old(s);
}

int row_source_failed(struct row_source *s, const struct error *e)
{
    if (e->code == ERR_CANCELLED)
        return broken_off(s);
    tell_operator(s, e);
    switch (e->code) {
    case ERR_DB_GONE:
        source_wait(s->run, s->outcome);
        return run_fail(s->outcome, RUN_FAILED, "source_unavailable",
                        "the data source of export \"%s\" cannot be reached",
                        s->export->def->name);
    case ERR_DENIED:
        return run_fail(s->outcome, RUN_FAILED, "source_denied",
                        "the data source of export \"%s\" refuses access",
                        s->export->def->name);
    case ERR_TIMEOUT:
        if (s->deadline_ns)
            return too_old(s);
        return run_fail(s->outcome, RUN_FAILED, "source_timeout",
                        "the data source of export \"%s\" ended the query after its time limit",
                        s->export->def->name);
    default:
        return run_fail(s->outcome, RUN_FAILED, "query_failed",
                        "the query of export \"%s\" failed", s->export->def->name);
    }
}

/* --- the clock -------------------------------------------------------------------------------- */

int row_source_tick(struct row_source *s)
{
    s->rows_since_tick = 0;
    s->bytes_since_tick = 0;
    if (run_stopping(s->run))
        return stopped(s);
    int64_t now = s->tick_ns = clock_mono_ns();
    if (s->deadline_ns && now > s->deadline_ns)
        return too_old(s);
    if (now < s->next_progress_ns)
        return 0;
    s->next_progress_ns = now + PROGRESS_MSEC * MSEC;
    if (now > s->start_ns + COUNT_AFTER_MSEC * MSEC && !s->count.done)
        row_count_poll(&s->count, s->export->source, s->count_sql, s->params, s->bind_count);
    uint64_t total = s->count.total >= s->rows ? s->count.total : 0;
    run_progress(s->run, s->rows, total, "rows");
    return 0;
}

/* --- pages ------------------------------------------------------------------------------------ */

/* An ALTER TABLE between two pages must not change what the columns mean. */
static bool same_columns(const struct row_source *s, const struct db_rows *rows)
{
    unsigned count;
    const struct db_column *columns = db_rows_columns(rows, &count);
    if (count != s->column_count + (s->query.is_long ? 1 : 0))
        return false;
    for (unsigned i = 0; i < s->column_count; i++) {
        bool computed = s->query.is_long && s->query.is_long[i]; /* by page_sql: has no name */
        if (!computed && (columns[i].type != s->columns[i].type ||
                          strcmp(columns[i].name, s->columns[i].name) != 0))
            return false;
    }
    return true;
}

int row_source_query(struct row_source *s, const char *sql, unsigned count, struct db_rows **out,
                     struct error *e)
{
    return db_rows_open(s->db, sql, s->params, count, out, e);
}

/* Refuses the last key where it occurs twice: the next page would leave the second row out. */
static int check_twin(struct row_source *s, struct error *e)
{
    unsigned n = s->bind_count;
    n += key_equal(&s->key, s->params + n);
    struct db_rows *rows = NULL;
    char **values;
    unsigned long *lengths;
    int rc = row_source_query(s, s->sql.twin, n, &rows, e);
    if (!rc)
        rc = db_rows_next(rows, &values, &lengths, e);
    bool twin = rc == 1 && values[0] && strcmp(values[0], "2") == 0;
    db_rows_close(&rows);
    if (rc < 0)
        return rc;
    return twin ? error_set(e, ERR_CONFLICT, "the key is not unique") : 0;
}

/* What a page has behind its last row tells whether the key is another: not where the page was not read so far. With
 * text in the key it never tells, and open_page asks each time. */
static int check_unseen(struct row_source *s, struct error *e)
{
    int rc = s->unseen && !s->key.has_text ? check_twin(s, e) : 0;
    s->unseen = false;
    return rc;
}

static int open_page(struct row_source *s, struct error *e)
{
    int rc = 0;
    bool piece = ahead_next(s);
    s->page_asked_ns = clock_mono_ns();
    unsigned n = s->bind_count;
    const char *sql = s->query.text;
    if (s->keyed && !piece) {
        sql = s->key.has_last ? s->sql.next : s->sql.first;
        if (s->key.has_last && s->key.has_text) /* bytes may differ that the collation takes for equal */
            rc = check_twin(s, e);
        if (s->key.has_last)
            n += key_after(&s->key, s->params + n);
        s->params[n++] = db_uint(s->page_limit + 1); /* one more, to see that its key differs */
    }
    if (!rc)
        rc = piece ? ahead_open(s, &s->page, e) : row_source_query(s, sql, n, &s->page, e);
    if (!rc && !same_columns(s, s->page))
        rc = error_set(e, ERR_DB, "the columns of the result have changed");
    s->page_rows = 0;
    s->page_bytes = 0;
    s->page_start_ns = clock_mono_ns();
    return rc;
}

/* Sets the next page's size. What a page costs is a search for its first row and then so much per row;
 * two pages of different size tell the one from the other. A page should take about PAGE_MSEC, but
 * its rows never less than its search: otherwise a slow search would be all that is done. */
static void adapt(struct row_source *s)
{
    double rows = (double)s->page_rows, before = s->last_page_rows;
    int64_t now = clock_mono_ns();
    double total = (double)(now - s->page_asked_ns);
    double per_row = (double)(now - s->page_start_ns + 1) / rows; /* at least */
    if (before > 0 && (rows > before * 1.1 || rows < before * 0.9)) {
        double slope = (total - s->last_page_ns) / (rows - before);
        s->row_ns = slope > 0 ? slope : 0;
    }
    if (per_row < s->row_ns)
        per_row = s->row_ns;
    double search = total - per_row * rows, goal = PAGE_MSEC * MSEC;
    if (goal < search)
        goal = search;
    s->last_page_rows = rows;
    s->last_page_ns = total;

    double limit = goal / per_row;
    double room = PAGE_BYTES_MAX / ((double)s->page_bytes / rows + 1);
    limit = limit < rows * PAGE_GROWTH ? limit : rows * PAGE_GROWTH;
    limit = limit < room ? limit : room;
    s->page_limit = limit < 1 ? 1 : limit > PAGE_ROWS_MAX ? PAGE_ROWS_MAX : (uint64_t)limit;
}

/* The row behind the page's last one has been seen, or there is none. */
static void end_page(struct row_source *s, bool more)
{
    db_rows_close(&s->page);
    if (s->ahead.open) {
        ahead_end_page(s, more);
        return;
    }
    s->at_end = !more;
    if (more)
        adapt(s);
}

/* Reads what is left of the page away and the present row alone. A page that stops at such a row
 * makes the next one end there: where every row is long, rows are asked for one by one. */
static int to_long_row(struct row_source *s, struct row *row, struct error *e)
{
    char **values;
    unsigned long *lengths;
    int rc;
    do
        rc = db_rows_next(s->page, &values, &lengths, e);
    while (rc == 1);
    db_rows_close(&s->page);
    s->page_limit = s->page_rows ? s->page_rows : 1;
    return rc < 0 ? rc : long_row_read(s, row, e);
}

/* --- lost connections ------------------------------------------------------------------------- */

/* Waits up to MSECS, less where the run should stop. */
static void pause_before_retry(const struct row_source *s, int msecs)
{
    const struct timespec step = {.tv_nsec = 50 * MSEC};
    for (; msecs > 0 && !run_stopping(s->run); msecs -= 50)
        nanosleep(&step, NULL);
}

/* After a failure between or within pages: a new connection, if reading can go on behind the last
 * key. 0 = go on. */
static int recover(struct row_source *s, const struct error *failure)
{
    static const int wait_msec[LOSSES_MAX] = {0, 300, 1000};
    struct error e = *failure;
    db_rows_close(&s->page);
    s->unseen = s->key.has_last;
    while ((e.code == ERR_DB_GONE || e.code == ERR_DB_RETRY) && s->keyed && !s->snapshot &&
           s->losses < LOSSES_MAX) {
        tell_operator(s, &e);
        run_log(s->run, "the connection to the data source is lost; reading on behind row %llu",
                (unsigned long long)s->rows);
        pause_before_retry(s, wait_msec[s->losses++]);
        if (run_stopping(s->run))
            return stopped(s);
        db_close(&s->db);
        error_clear(&e);
        if (source_open(s->export->source, &s->db, &e) == 0 && row_source_session(s, &e) == 0)
            return 0;
    }
    if (e.code == ERR_CONFLICT)
        return bad_key(s, "is not unique");
    return row_source_failed(s, &e);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Counts a row that is given out. */
static void count_row(struct row_source *s, const struct row *row)
{
    s->rows++;
    s->losses = 0;
    s->page_rows++;
    s->page_bytes += row->bytes;
    s->bytes_since_tick += row->bytes;
    s->rows_since_tick++;
}

/* What to do with the row of a keyed page that has just been read. */
enum verdict { GIVE_OUT, PAGE_ENDS, READ_ALONE, REFUSED };

static enum verdict judge(struct row_source *s, const struct row *row)
{
    switch (key_check(&s->key, row->values, row->lengths)) {
    case KEY_HAS_NULL:
        bad_key(s, "is NULL in a row");
        return REFUSED;
    case KEY_SAME:
        bad_key(s, "is not unique");
        return REFUSED;
    case KEY_NEW:
        break;
    }
    if (s->page_rows == s->page_limit)
        return PAGE_ENDS;
    if (s->query.is_long) {
        const char *any = row->values[s->column_count];
        if (any && *any == '1')
            return READ_ALONE;
    }
    return GIVE_OUT;
}

/* One step: 1 = a row, 0 = none yet, or a negative enum err with E (E empty: the outcome is set).
 * */
static int step(struct row_source *s, struct row *row, struct error *e)
{
    unsigned long *lengths;
    if (!s->page) {
        int rc = row_source_tick(s);
        if (!rc)
            rc = check_unseen(s, e);
        return rc ? rc : open_page(s, e);
    }
    int rc = db_rows_next(s->page, &row->values, &lengths, e);
    if (rc <= 0) {
        if (rc == 0)
            end_page(s, false);
        return rc;
    }
    row->lengths = lengths;
    if (s->keyed) {
        switch (judge(s, row)) {
        case REFUSED:
            return ERR_INVALID;
        case PAGE_ENDS:
            end_page(s, true);
            return 0;
        case READ_ALONE:
            rc = to_long_row(s, row, e);
            if (rc == 1) {
                key_store(&s->key, row->values, row->lengths);
                s->unseen = true;
                ahead_long_row(s);
            }
            return rc;
        case GIVE_OUT:
            key_store(&s->key, row->values, lengths);
            break;
        }
    }
    row->is_long = NULL;
    row->bytes = 0;
    for (unsigned i = 0; i < s->column_count; i++)
        row->bytes += lengths[i];
    return 1;
}

int row_source_next(struct row_source *s, struct row *row)
{
    if (s->long_row.active)
        long_row_end(s);
    /* before the row, so that none is counted that was not given out */
    int rc = s->rows_since_tick >= TICK_ROWS || s->bytes_since_tick >= TICK_BYTES ? row_source_tick(s)
                                                                                  : 0;
    while (!rc && !s->at_end) {
        struct error e = {0};
        rc = step(s, row, &e);
        if (rc < 0 && e.code)
            rc = recover(s, &e);
    }
    if (rc == 1)
        count_row(s, row);
    return rc;
}

const struct db_column *row_source_columns(const struct row_source *s, unsigned *count)
{
    *count = s->column_count;
    return s->columns;
}

uint64_t row_source_rows(const struct row_source *s)
{
    return s->rows;
}

int64_t row_source_clock(const struct row_source *s)
{
    return s->tick_ns;
}

/* --- going on in another process -------------------------------------------------------------------- */

bool row_source_can_resume(const struct row_source *s)
{
    return s->keyed && !s->snapshot;
}

void row_source_save(const struct row_source *s, struct checkpoint *c)
{
    c->rows = s->rows;
    c->key_count = s->key.has_last ? key_save(&s->key, c->keys) : 0;
}

bool row_source_resume(struct row_source *s, const struct checkpoint *c)
{
    if (!key_restore(&s->key, c->keys, c->key_count))
        return false;
    s->rows = c->rows;
    s->unseen = true;
    return true;
}
