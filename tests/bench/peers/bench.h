/* SPDX-License-Identifier: MIT */
/* bench.h: what the peers in C share: the database by the environment, a clock, an end with a reason. They are what
 * one would write by hand, with no layer of ours in between. */
#ifndef TESTS_BENCH_PEERS_BENCH_H
#define TESTS_BENCH_PEERS_BENCH_H

#include <mysql.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

__attribute__((noreturn, format(printf, 1, 2))) static inline void bench_die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static inline const char *bench_env(const char *name)
{
    const char *value = getenv(name);
    return value ? value : (bench_die("%s is not set", name), value);
}

static inline double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* DATABASE: the name of the variable that names it. */
static inline MYSQL *bench_connect(const char *database)
{
    MYSQL *m = mysql_init(NULL);
    if (!m || !mysql_real_connect(m, "localhost", bench_env("BENCH_USER"), bench_env("BENCH_PASSWORD"),
                                  bench_env(database), 0, bench_env("BENCH_SOCKET"), 0))
        bench_die("connect: %s", m ? mysql_error(m) : "out of memory");
    if (mysql_query(m, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED") ||
        mysql_query(m, "SET SESSION time_zone = '+00:00'"))
        bench_die("session: %s", mysql_error(m));
    return m;
}

#endif
