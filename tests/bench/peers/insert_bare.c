/* SPDX-License-Identifier: MIT */
/* insert_bare.c: a site that puts tasks into the queue by plain SQL, so many a second, each with a commit of its own,
 * until it is ended. It takes little of the processor, so that what is measured beside it is the database. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const char insert[] = "INSERT INTO tasks (type, data, created_by) VALUES ('other', '{}', 7)";
static double every; /* seconds between two of a connection */

static void *work(void *arg)
{
    (void)arg;
    MYSQL *m = bench_connect("BENCH_DATABASE");
    MYSQL_STMT *stmt = mysql_stmt_init(m);
    if (!stmt || mysql_stmt_prepare(stmt, insert, sizeof insert - 1))
        bench_die("prepare: %s", mysql_error(m));
    for (double due = bench_now();; due += every) {
        double left = due - bench_now();
        if (left > 0)
            usleep((useconds_t)(left * 1e6));
        if (mysql_stmt_execute(stmt))
            bench_die("insert: %s", mysql_stmt_error(stmt));
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int connections = argc == 3 ? atoi(argv[1]) : 0, rate = argc == 3 ? atoi(argv[2]) : 0;
    if (connections < 1 || rate < 1)
        bench_die("usage: insert_bare CONNECTIONS INSERTS-A-SECOND");
    every = (double)connections / rate;
    mysql_library_init(0, NULL, NULL);
    for (int i = 0; i < connections; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, NULL))
            bench_die("thread");
    }
    pause();
    return 0;
}
