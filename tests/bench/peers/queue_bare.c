/* SPDX-License-Identifier: MIT */
/* queue_bare.c: the queue as a bare loop over the same table: BATCH tasks of TYPE at a time are claimed, and finished
 * in the transaction that claims the next ones. With `single`, what Laravel's database queue does: one task
 * is claimed in a transaction, and finished in another. */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "bench.h"

enum { BATCH_MAX = 1000, SQL_SIZE = 65536 };

#define NOW "UTC_TIMESTAMP(6)"
#define TURN_NOW "TIMESTAMPDIFF(MICROSECOND, TIMESTAMP'1970-01-01 00:00:00', UTC_TIMESTAMP(6))"

static const char *type;
static unsigned batch;
static bool single, with_floor;
static double end;

struct lane {
    pthread_t thread;
    unsigned long done;
};

struct claim {
    char ids[SQL_SIZE / 2]; /* "1, 2, 3" */
    unsigned count;
    char turn[32], last[32]; /* the floor */
};

static void query(MYSQL *m, const char *sql)
{
    if (mysql_query(m, sql))
        bench_die("%s: %.200s", mysql_error(m), sql);
}

/* False: nothing was there, or a deadlock took the transaction back. */
static bool change(MYSQL *m, const char *sql)
{
    if (!mysql_query(m, sql))
        return true;
    if (mysql_errno(m) == 1213 || mysql_errno(m) == 1205)
        return false;
    bench_die("%s: %.200s", mysql_error(m), sql);
}

static bool select_batch(MYSQL *m, struct claim *c)
{
    char sql[1024], floor[160] = "";
    if (with_floor && *c->turn)
        snprintf(floor, sizeof floor, " AND (turn > %s OR turn = %s AND id > %s)", c->turn, c->turn, c->last);
    snprintf(sql, sizeof sql,
             "SELECT id, turn, data FROM tasks FORCE INDEX (claim) WHERE status = 'fresh' AND type = '%s'"
             " AND priority = 5%s ORDER BY turn, id LIMIT %u FOR UPDATE SKIP LOCKED",
             type, floor, single ? 1 : batch);
    c->count = 0;
    c->ids[0] = '\0';
    if (!change(m, sql))
        return false;
    MYSQL_RES *r = mysql_store_result(m);
    size_t len = 0;
    for (MYSQL_ROW row; r && (row = mysql_fetch_row(r)); c->count++) {
        len += (size_t)snprintf(c->ids + len, sizeof c->ids - len, "%s%s", len ? ", " : "", row[0]);
        snprintf(c->turn, sizeof c->turn, "%s", row[1]);
        snprintf(c->last, sizeof c->last, "%s", row[0]);
    }
    mysql_free_result(r);
    return true;
}

static bool claim(MYSQL *m, struct claim *c)
{
    char sql[SQL_SIZE];
    if (!select_batch(m, c))
        return false;
    if (!c->count)
        return true;
    snprintf(sql, sizeof sql,
             "UPDATE tasks SET status = 'started', worker = 'bare', started_at = " NOW ", updated_on = " NOW
             ", fence = fence + 1, attempt = attempt + 1, turn = " TURN_NOW " WHERE id IN (%s) AND status = 'fresh'",
             c->ids);
    return change(m, sql);
}

static bool finish(MYSQL *m, const struct claim *c)
{
    char sql[SQL_SIZE];
    if (!c->count)
        return true;
    snprintf(sql, sizeof sql,
             "UPDATE tasks SET status = 'success', finished_at = " NOW ", updated_on = " NOW ", turn = " TURN_NOW
             " WHERE id IN (%s) AND status = 'started'",
             c->ids);
    return change(m, sql);
}

static void batches(MYSQL *m, struct lane *lane)
{
    static _Thread_local struct claim had, next;
    while (bench_now() < end) {
        struct claim floor = next;
        query(m, "START TRANSACTION");
        if (!finish(m, &had) || !claim(m, &next) || mysql_query(m, "COMMIT")) {
            query(m, "ROLLBACK");
            next = floor;
            continue;
        }
        lane->done += had.count;
        had = next;
        if (!had.count)
            break;
    }
    if (finish(m, &had))
        lane->done += had.count;
}

static void singles(MYSQL *m, struct lane *lane)
{
    static _Thread_local struct claim one;
    while (bench_now() < end) {
        query(m, "START TRANSACTION");
        bool claimed = claim(m, &one);
        query(m, claimed ? "COMMIT" : "ROLLBACK");
        if (claimed && !one.count)
            break;
        if (!claimed)
            continue;
        query(m, "START TRANSACTION");
        finish(m, &one);
        query(m, "COMMIT");
        lane->done++;
    }
}

static void *work(void *arg)
{
    struct lane *lane = arg;
    MYSQL *m = bench_connect("BENCH_DATABASE");
    (single ? singles : batches)(m, lane);
    mysql_close(m);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        bench_die("usage: queue_bare TYPE single|BATCH|BATCHf CONNECTIONS SECONDS; f: with a floor");
    type = argv[1];
    single = strcmp(argv[2], "single") == 0;
    batch = (unsigned)atoi(argv[2]);
    with_floor = strchr(argv[2], 'f') != NULL;
    if (!single && (!batch || batch > BATCH_MAX))
        bench_die("a batch of 1 to %d", BATCH_MAX);
    struct lane lanes[64] = {0};
    int count = atoi(argv[3]);
    if (count < 1 || count > 64)
        bench_die("1 to 64 connections");
    mysql_library_init(0, NULL, NULL);
    double begin = bench_now();
    end = begin + atof(argv[4]);
    for (int i = 0; i < count; i++)
        if (pthread_create(&lanes[i].thread, NULL, work, &lanes[i]))
            bench_die("thread");
    unsigned long done = 0;
    for (int i = 0; i < count; i++) {
        pthread_join(lanes[i].thread, NULL);
        done += lanes[i].done;
    }
    printf("%lu %.6f\n", done, bench_now() - begin);
    return 0;
}
