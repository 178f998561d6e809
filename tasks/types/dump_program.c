/* SPDX-License-Identifier: MIT */
/* dump_program.c: the dump program's name, arguments and options. */
#include "dump_program.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "dump_process.h"

static const char *const directories[] = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/mysql/bin"};
static const char *const names[] = {"mariadb-dump", "mysqldump"};

int dump_program_find(const struct backup_def *b, struct arena *arena, const char **path, struct error *e)
{
    if (b->program) {
        *path = b->program;
        if (access(b->program, X_OK) == 0)
            return 0;
        return error_errno(e, ERR_NOT_FOUND, "the dump program %s cannot be run", b->program);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (size_t k = 0; k < COUNT_OF(directories); k++) {
            *path = arena_printf(arena, "%s/%s", directories[k], names[i]);
            if (access(*path, X_OK) == 0)
                return 0;
        }
    return error_set(e, ERR_NOT_FOUND, "there is no mariadb-dump and no mysqldump on this runner's host: install "
                                       "one of them or set program in section backup");
}

const char *const *dump_program_arguments(const struct backup_def *b, const char *path, bool mysql,
                                          const char *database, struct arena *arena)
{
    const char **argv = arena_calloc(arena, 32 + b->tables.count + b->exclude.count, sizeof *argv);
    size_t n = 0;
    argv[n++] = path;
    /* only this file: no option file of the machine may change what a backup holds; it has to come first */
    argv[n++] = arena_printf(arena, "--defaults-file=/dev/fd/%d", DUMP_SECRET_FD);
    argv[n++] = "--single-transaction"; /* one consistent snapshot, without locks */
    argv[n++] = "--quick";              /* row by row */
    argv[n++] = "--max-allowed-packet=1G"; /* the most that there is: by default a row may have 24 MiB */
    argv[n++] = "--hex-blob";
    argv[n++] = "--no-tablespaces"; /* would need PROCESS, and is no part of the database */
    argv[n++] = "--comments";       /* the last one says that the dump is whole */
    argv[n++] = "--default-character-set=utf8mb4";
    argv[n++] = b->routines ? "--routines" : "--skip-routines";
    argv[n++] = b->triggers ? "--triggers" : "--skip-triggers";
    argv[n++] = b->events ? "--events" : "--skip-events";
    if (mysql) {
        argv[n++] = "--set-gtid-purged=OFF";  /* a restore elsewhere must not claim this server's history */
        argv[n++] = "--column-statistics=0"; /* older servers and MariaDB have none */
    }
    for (size_t i = 0; i < b->exclude.count; i++)
        argv[n++] = arena_printf(arena, "--ignore-table=%s.%s", database, b->exclude.items[i]);
    argv[n++] = "--";
    argv[n++] = database;
    for (size_t i = 0; i < b->tables.count; i++)
        argv[n++] = b->tables.items[i];
    return argv;
}

/* NAME="VALUE" as option files have it. */
static void add_option(struct buf *b, const char *name, const char *value)
{
    buf_addf(b, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n')
            buf_adds(b, "\\n");
        else if (*value == '\r')
            buf_adds(b, "\\r");
        else if (*value == '\t')
            buf_adds(b, "\\t");
        else if (*value == '"' || *value == '\\')
            buf_addf(b, "\\%c", *value);
        else
            buf_addc(b, *value);
    }
    buf_adds(b, "\"\n");
}

static void add_options(struct buf *b, const struct db_address *a, bool mysql)
{
    /* over a socket there is no name to verify, as in db_open */
    static const char *const verify[2][2] = {
        {"ssl-verify-server-cert=0\n", "ssl-verify-server-cert\n"},
        {"ssl-mode=PREFERRED\n", "ssl-mode=VERIFY_IDENTITY\n"},
    };
    buf_adds(b, "[client]\n");
    add_option(b, "user", a->user);
    if (a->password)
        add_option(b, "password", a->password);
    if (a->socket) {
        add_option(b, "socket", a->socket);
        buf_adds(b, "protocol=socket\n");
    } else {
        add_option(b, "host", a->host);
        buf_addf(b, "port=%u\nprotocol=tcp\n", a->port);
    }
    if (a->tls_ca) {
        add_option(b, "ssl-ca", a->tls_ca);
        buf_adds(b, verify[mysql][!a->socket]);
    }
}

int dump_program_secret(const struct db_address *address, bool mysql, int *fd, struct error *e)
{
    struct buf b = BUF_INIT;
    add_options(&b, address, mysql);
    *fd = memfd_create("backdesk-dump", MFD_CLOEXEC);
    /* the programs ignore a file that everybody may write */
    bool good = *fd >= 0 && fchmod(*fd, 0600) == 0 && write(*fd, b.data, b.len) == (ssize_t)b.len;
    explicit_bzero(b.data, b.len);
    buf_free(&b);
    if (good)
        return 0;
    int rc = error_errno(e, ERR_SYSTEM, "cannot hand the account to the dump program");
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return rc;
}
