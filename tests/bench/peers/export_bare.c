/* SPDX-License-Identifier: MIT */
/* export_bare.c: a CSV file as a minimal loop: mysql_use_result, one buffer, quotes where they must be. */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { BUFFER_SIZE = 65536, FIELD_MAX = 8192 };

static char buffer[BUFFER_SIZE + 2 * FIELD_MAX + 4];
static size_t used;
static int file;

static void flush(void)
{
    for (size_t done = 0; done < used;) {
        ssize_t n = write(file, buffer + done, used - done);
        if (n < 0)
            bench_die("write");
        done += (size_t)n;
    }
    used = 0;
}

static void put(const char *s, size_t len)
{
    if (len > FIELD_MAX)
        bench_die("a field of %zu bytes", len);
    if (used > BUFFER_SIZE)
        flush();
    bool quote = len == 0 || memchr(s, '"', len) || memchr(s, ',', len) || memchr(s, '\n', len) || memchr(s, '\r', len);
    if (!quote) {
        memcpy(buffer + used, s, len);
        used += len;
        return;
    }
    buffer[used++] = '"';
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"')
            buffer[used++] = '"';
        buffer[used++] = s[i];
    }
    buffer[used++] = '"';
}

int main(int argc, char **argv)
{
    if (argc != 3)
        bench_die("usage: export_bare QUERY FILE");
    file = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    MYSQL *m = bench_connect("BENCH_SITE");
    if (file < 0 || mysql_query(m, argv[1]))
        bench_die("cannot begin: %s", mysql_error(m));
    MYSQL_RES *r = mysql_use_result(m);
    unsigned columns = mysql_num_fields(r);
    unsigned long rows = 0;
    for (MYSQL_ROW row; (row = mysql_fetch_row(r)); rows++) {
        const unsigned long *lengths = mysql_fetch_lengths(r);
        for (unsigned i = 0; i < columns; i++) {
            if (i)
                buffer[used++] = ',';
            if (row[i])
                put(row[i], lengths[i]);
        }
        buffer[used++] = '\r';
        buffer[used++] = '\n';
    }
    if (mysql_errno(m))
        bench_die("%s", mysql_error(m));
    flush();
    printf("%lu\n", rows);
    return 0;
}
