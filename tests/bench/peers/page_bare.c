/* SPDX-License-Identifier: MIT */
/* page_bare.c: the same page as a bare libfcgi program: a thread and a database connection for each connection of
 * nginx, one prepared statement, nothing else. */
#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

enum { PROCESSES = 2, THREADS = 72, COLUMNS = 32, TEXT_SIZE = 4096, BACKLOG = 1024 };

static int listener;

struct page {
    MYSQL *m;
    MYSQL_STMT *select, *insert;
    char texts[COLUMNS][TEXT_SIZE];
    unsigned long lengths[COLUMNS];
    __typeof__(*((MYSQL_BIND *)0)->is_null) nulls[COLUMNS]; /* my_bool, or bool in MySQL's library */
    char names[COLUMNS][64];
    unsigned columns;
    unsigned long long id;
};

static MYSQL_STMT *prepare(MYSQL *m, const char *sql)
{
    MYSQL_STMT *s = mysql_stmt_init(m);
    if (!s || mysql_stmt_prepare(s, sql, strlen(sql)))
        bench_die("prepare: %s", s ? mysql_stmt_error(s) : "out of memory");
    return s;
}

static void bind(struct page *p)
{
    MYSQL_BIND in = {.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &p->id, .is_unsigned = 1};
    MYSQL_BIND out[COLUMNS] = {0};
    MYSQL_RES *meta = mysql_stmt_result_metadata(p->select);
    p->columns = mysql_num_fields(meta);
    if (p->columns > COLUMNS)
        bench_die("the table has %u columns", p->columns);
    for (unsigned i = 0; i < p->columns; i++) {
        snprintf(p->names[i], sizeof p->names[i], "%s", mysql_fetch_field_direct(meta, i)->name);
        out[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING, .buffer = p->texts[i], .buffer_length = TEXT_SIZE,
                              .length = &p->lengths[i], .is_null = &p->nulls[i]};
    }
    mysql_free_result(meta);
    if (mysql_stmt_bind_param(p->select, &in) || mysql_stmt_bind_result(p->select, out))
        bench_die("bind: %s", mysql_stmt_error(p->select));
}

static void put_text(FCGX_Stream *out, const char *s, unsigned long len)
{
    FCGX_PutChar('"', out);
    for (unsigned long i = 0; i < len; i++) {
        if (s[i] == '"' || s[i] == '\\')
            FCGX_PutChar('\\', out);
        if ((unsigned char)s[i] < 0x20)
            FCGX_FPrintF(out, "\\u%04x", s[i]);
        else
            FCGX_PutChar(s[i], out);
    }
    FCGX_PutChar('"', out);
}

static void read_task(struct page *p, FCGX_Request *r)
{
    const char *slash = strrchr(FCGX_GetParam("REQUEST_URI", r->envp), '/');
    p->id = strtoull(slash + 1, NULL, 10);
    if (mysql_stmt_execute(p->select) || mysql_stmt_store_result(p->select))
        bench_die("select: %s", mysql_stmt_error(p->select));
    bool found = mysql_stmt_fetch(p->select) == 0;
    FCGX_FPrintF(r->out, "Status: %s\r\nContent-Type: application/json\r\n\r\n{", found ? "200 OK" : "404 Not Found");
    for (unsigned i = 0; found && i < p->columns; i++) {
        FCGX_FPrintF(r->out, "%s\"%s\": ", i ? ", " : "", p->names[i]);
        if (p->nulls[i])
            FCGX_PutS("null", r->out);
        else
            put_text(r->out, p->texts[i], p->lengths[i]);
    }
    FCGX_PutS("}", r->out);
    mysql_stmt_free_result(p->select);
}

static void create_task(struct page *p, FCGX_Request *r)
{
    char body[TEXT_SIZE];
    int len = FCGX_GetStr(body, sizeof body, r->in);
    unsigned long bytes = len > 0 ? (unsigned long)len : 0;
    MYSQL_BIND in = {.buffer_type = MYSQL_TYPE_STRING, .buffer = body, .buffer_length = bytes, .length = &bytes};
    if (mysql_stmt_bind_param(p->insert, &in) || mysql_stmt_execute(p->insert))
        bench_die("insert: %s", mysql_stmt_error(p->insert));
    FCGX_FPrintF(r->out,
                 "Status: 202 Accepted\r\nContent-Type: application/json\r\n\r\n"
                 "{\"id\": %llu, \"type\": \"peer\", \"status\": \"fresh\"}",
                 (unsigned long long)mysql_stmt_insert_id(p->insert));
}

static void *serve(void *arg)
{
    (void)arg;
    struct page *p = calloc(1, sizeof *p);
    FCGX_Request r;
    if (!p || FCGX_InitRequest(&r, listener, 0))
        bench_die("cannot begin");
    p->m = bench_connect("BENCH_DATABASE");
    p->select = prepare(p->m, "SELECT * FROM tasks WHERE id = ? AND created_by = 1");
    p->insert = prepare(p->m, "INSERT INTO tasks (type, data, created_by) VALUES ('peer', ?, 1)");
    bind(p);
    while (FCGX_Accept_r(&r) == 0) {
        (strcmp(FCGX_GetParam("REQUEST_METHOD", r.envp), "POST") == 0 ? create_task : read_task)(p, &r);
        FCGX_Finish_r(&r);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        bench_die("usage: page_bare SOCKET");
    mysql_library_init(0, NULL, NULL);
    FCGX_Init();
    listener = FCGX_OpenSocket(argv[1], BACKLOG);
    if (listener < 0)
        bench_die("cannot listen on %s", argv[1]);
    pid_t parent = getpid();
    for (int i = 1; i < PROCESSES; i++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() != parent)
                return 0;
            break;
        }
    pthread_t thread;
    for (int i = 1; i < THREADS; i++)
        if (pthread_create(&thread, NULL, serve, NULL))
            bench_die("thread");
    serve(NULL);
    return 0;
}
