/* SPDX-License-Identifier: MIT */
/* migrate.c: applies numbered SQL files. A lock row, held by a connection of its own, keeps others out
 * (DDL commits implicitly, so it cannot be held by the one that works); schema_version records each file
 * with its checksum and how many of its statements have run, so that a crash is picked up where it was. */
#include "store/migrate.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

enum { LOCK_WAIT_S = 120, HEX_SIZE = 65, FILES_MAX = 1000 };

struct migration {
    unsigned version;
    char *file; /* the name in the directory */
    struct buf sql;
    char checksum[HEX_SIZE];
};

struct migrator {
    const char *directory;
    struct db *work, *lock;
    struct migration *files;
    size_t count;
    bool dry_run;
    migrate_report *report;
    void *ctx;
};

static const char *const setup[] = {
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version INT UNSIGNED NOT NULL PRIMARY KEY, file VARCHAR(255) NOT NULL,"
    " checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
    " statements INT UNSIGNED NOT NULL DEFAULT 0, applied_at DATETIME(6) NULL"
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE IF NOT EXISTS schema_lock (id INT UNSIGNED NOT NULL PRIMARY KEY) ENGINE=InnoDB",
    /* reads without a lock, so that it does not wait for whoever holds the row */
    ("INSERT IGNORE INTO schema_lock (id)"
     " SELECT 1 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM schema_lock)"),
};

static int read_file(const char *path, struct buf *out, struct error *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return error_errno(e, ERR_IO, "cannot open %s", path);
    char chunk[8192];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(out, chunk, n);
    int rc = ferror(f) ? error_errno(e, ERR_IO, "cannot read %s", path) : 0;
    fclose(f);
    return rc;
}

static void checksum(const struct buf *sql, char out[HEX_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(sql->data, sql->len, digest, &len, EVP_sha256(), NULL) != 1)
        log_bug("SHA-256 is not available");
    hex_write(out, digest, len);
}

/* The number of "NNNN_name.sql"; 0 for any other name. */
static unsigned version_of(const char *name)
{
    size_t len = strlen(name);
    if (len < 10 || name[4] != '_' || strcmp(name + len - 4, ".sql") != 0)
        return 0;
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)name[i]))
            return 0;
    return (unsigned)strtoul(name, NULL, 10);
}

static int compare_versions(const void *a, const void *b)
{
    unsigned x = ((const struct migration *)a)->version, y = ((const struct migration *)b)->version;
    return x < y ? -1 : x > y;
}

static int load_files(struct migrator *m, struct error *e)
{
    DIR *d = opendir(m->directory);
    if (!d)
        return error_errno(e, ERR_IO, "cannot open the directory of migrations %s", m->directory);
    m->files = xcalloc(FILES_MAX, sizeof *m->files);
    struct dirent *entry;
    int rc = 0;
    while (!rc && (entry = readdir(d)) && m->count < FILES_MAX) {
        unsigned version = version_of(entry->d_name);
        if (!version)
            continue;
        struct migration *file = &m->files[m->count++];
        file->version = version;
        file->file = xstrdup(entry->d_name);
        char *path = xasprintf("%s/%s", m->directory, entry->d_name);
        rc = read_file(path, &file->sql, e);
        free(path);
        checksum(&file->sql, file->checksum);
    }
    closedir(d);
    qsort(m->files, m->count, sizeof *m->files, compare_versions);
    for (size_t i = 0; !rc && i < m->count; i++)
        if (m->files[i].version != i + 1)
            rc = error_set(e, ERR_INVALID, "%s: migration %zu is missing or there twice", m->directory, i + 1);
    if (!rc && m->count != STORE_SCHEMA_VERSION)
        rc = error_set(e, ERR_INVALID, "%s has %zu migrations, this program knows %d", m->directory,
                       m->count, STORE_SCHEMA_VERSION);
    return rc;
}

static int open_connections(struct migrator *m, const struct db_address *admin, struct error *e)
{
    struct db_options options = {.session = DB_SESSION_QUEUE};
    int rc = db_open(admin, &options, &m->work, e);
    return rc ? rc : db_open(admin, &options, &m->lock, e);
}

/* Waits until nobody else migrates. */
static int take_lock(struct migrator *m, struct error *e)
{
    char wait[80];
    snprintf(wait, sizeof wait, "SET SESSION innodb_lock_wait_timeout = %d", LOCK_WAIT_S);
    int rc = db_exec(m->lock, wait, e);
    if (!rc)
        rc = db_begin(m->lock, e);
    if (!rc)
        rc = db_exec(m->lock, "UPDATE schema_lock SET id = 1 WHERE id = 1", e);
    if (rc == ERR_DB_RETRY)
        rc = error_set(e, ERR_CONFLICT, "another migration has been running for %d s", LOCK_WAIT_S);
    return rc;
}

/* One statement with parameters, prepared, run and closed; TEXT (may be NULL) gets its first column. */
static int64_t run(struct db *d, const char *sql, const struct db_value *params, unsigned count,
                   uint64_t *number, char *text, size_t text_size, struct error *e)
{
    struct db_stmt *stmt = NULL;
    int64_t rc = db_prepare(d, sql, &stmt, e);
    if (!rc)
        rc = db_run(stmt, params, count, e);
    if (rc > 0 && number) {
        int more = db_next(stmt, e);
        if (more > 0) {
            *number = db_col_uint(stmt, 0);
            const char *column = text ? db_col_text(stmt, 1, NULL) : NULL;
            if (column)
                snprintf(text, text_size, "%s", column);
        }
        rc = more < 0 ? more : rc;
    }
    db_stmt_close(&stmt);
    return rc;
}

static bool has_version_table(struct migrator *m)
{
    struct error ignored = {0};
    uint64_t n = 0;
    return run(m->work, "SELECT 1 FROM schema_version LIMIT 1", NULL, 0, &n, NULL, 0, &ignored) >= 0;
}

static int check_newest(struct migrator *m, struct error *e)
{
    uint64_t newest = 0;
    int64_t rc = run(m->work, "SELECT COALESCE(MAX(version), 0) FROM schema_version", NULL, 0, &newest,
                     NULL, 0, e);
    if (rc < 0)
        return (int)rc;
    if (newest <= m->count)
        return 0;
    return error_set(e, ERR_CONFLICT,
                     "the schema has version %llu, newer than this program's %zu: install the newer one",
                     (unsigned long long)newest, m->count);
}

/* The end of the statement at SQL: just behind the ';' that ends a line. NULL where there is none. */
static const char *statement_end(const char *sql)
{
    for (const char *p = sql; (p = strchr(p, ';')); p++)
        if (p[1] == '\n' || p[1] == '\0')
            return p + 1;
    return NULL;
}

/* Past white space and comment lines. */
static const char *skip_blank(const char *p)
{
    for (;;) {
        while (isspace((unsigned char)*p))
            p++;
        if (strncmp(p, "--", 2) != 0)
            return p;
        p += strcspn(p, "\n");
    }
}

/* "Table already exists", "Duplicate column name", "Duplicate key name". */
static bool already_there(int number)
{
    return number == 1050 || number == 1060 || number == 1061;
}

static int run_statements(struct migrator *m, struct migration *f, bool resumed, unsigned done,
                          struct error *e)
{
    const char *p = skip_blank(buf_str(&f->sql));
    for (unsigned i = 1; *p; i++) {
        const char *end = statement_end(p);
        if (!end)
            return error_set(e, ERR_INVALID, "%s: statement %u has no ';' at the end of a line", f->file, i);
        if (i > done) {
            char *sql = xstrndup(p, (size_t)(end - p) - 1);
            int rc = db_exec(m->work, sql, e);
            free(sql);
            /* DDL commits by itself: after a crash it may have happened without having been noted */
            if (rc && resumed && i == done + 1 && already_there(e->db_errno))
                rc = 0;
            if (rc) {
                error_prefix(e, "%s, statement %u", f->file, i);
                return rc;
            }
            struct db_value params[] = {db_uint(i), db_uint(f->version)};
            int64_t noted = run(m->work, "UPDATE schema_version SET statements = ? WHERE version = ?",
                                params, 2, NULL, NULL, 0, e);
            if (noted < 0)
                return (int)noted;
        }
        p = skip_blank(end);
    }
    struct db_value version = db_uint(f->version);
    int64_t rc = run(m->work, "UPDATE schema_version SET applied_at = UTC_TIMESTAMP(6) WHERE version = ?",
                     &version, 1, NULL, NULL, 0, e);
    return rc < 0 ? (int)rc : 0;
}

static int begin_file(struct migrator *m, const struct migration *f, struct error *e)
{
    struct db_value params[] = {db_uint(f->version), db_text(f->file), db_text(f->checksum)};
    int64_t rc = run(m->work, "INSERT INTO schema_version (version, file, checksum) VALUES (?, ?, ?)",
                     params, 3, NULL, NULL, 0, e);
    return rc < 0 ? (int)rc : 0;
}

static int apply(struct migrator *m, struct migration *f, bool known_table, struct error *e)
{
    uint64_t state = 0; /* statements run, plus 2^32 once the file is done */
    char recorded[HEX_SIZE] = "";
    struct db_value version = db_uint(f->version);
    int64_t found = !known_table ? 0
                                 : run(m->work,
                                       "SELECT statements + IF(applied_at IS NULL, 0, 4294967296), checksum"
                                       " FROM schema_version WHERE version = ?",
                                       &version, 1, &state, recorded, sizeof recorded, e);
    if (found < 0)
        return (int)found;
    if (found && strcmp(recorded, f->checksum) != 0)
        return error_set(e, ERR_CONFLICT, "%s has been changed since it was applied: restore it, and put the change "
                         "into a new file", f->file);
    bool applied = state >> 32;
    m->report(m->ctx, f->version, f->file,
              applied ? "already applied" : m->dry_run ? "would be applied" : "applied");
    if (applied || m->dry_run)
        return 0;
    int rc = found ? 0 : begin_file(m, f, e);
    return rc ? rc : run_statements(m, f, found > 0, (unsigned)state, e);
}

static void close_migrator(struct migrator *m)
{
    db_close(&m->lock); /* ends its transaction, which frees the lock */
    db_close(&m->work);
    for (size_t i = 0; i < m->count; i++) {
        free(m->files[i].file);
        buf_free(&m->files[i].sql);
    }
    free(m->files);
}

static int prepare_tables(struct migrator *m, struct error *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < COUNT_OF(setup); i++)
        rc = db_exec(m->work, setup[i], e);
    return rc ? rc : take_lock(m, e);
}

int store_migrate(const struct db_address *admin, const char *directory, bool dry_run,
                  migrate_report *report, void *ctx, struct error *e)
{
    struct migrator m = {.directory = directory, .dry_run = dry_run, .report = report, .ctx = ctx};
    int rc = load_files(&m, e);
    if (!rc)
        rc = open_connections(&m, admin, e);
    if (!rc && !dry_run)
        rc = prepare_tables(&m, e);
    bool known_table = !rc && has_version_table(&m);
    if (!rc && known_table)
        rc = check_newest(&m, e);
    for (size_t i = 0; !rc && i < m.count; i++)
        rc = apply(&m, &m.files[i], known_table, e);
    close_migrator(&m);
    return rc;
}
