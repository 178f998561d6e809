/* SPDX-License-Identifier: MIT */
/* db.c: opening and closing connections, transactions, and what an error number means. */
#include "db/db.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "impl.h"

/* Numbers that only one of the two servers' headers names. */
enum {
    ERRNO_ER_CHECKREAD = 1020,              /* "Record has changed since last read" */
    ERRNO_ER_TOO_MANY_USER_CONNECTIONS = 1203,
    ERRNO_ER_USER_LIMIT_REACHED = 1226,
    ERRNO_ER_SPECIFIC_ACCESS_DENIED = 1227, /* a right of the whole server is missing */
    ERRNO_ER_UNKNOWN_STMT_HANDLER = 1243,   /* another server behind the same address */
    ERRNO_ER_INVALID_CHARACTER_STRING = 1300,
    ERRNO_ER_DATETIME_OVERFLOW = 1441,
    ERRNO_ER_NEED_REPREPARE = 1615,
    ERRNO_ER_DATA_OUT_OF_RANGE = 1690,
    ERRNO_ER_UNKNOWN_COM_ERROR = 1047,      /* Galera: node not ready */
    ERRNO_ER_OPTION_PREVENTS = 1290,        /* --read-only: a failed-over replica */
    ERRNO_ER_READ_ONLY_MODE = 1836,
    ERRNO_ER_RUN_HOOK_ERROR = 3100,         /* Group Replication: nobody knows what became of the COMMIT */
    ERRNO_ER_ROLLBACK_DURING_COMMIT = 3101, /* Group Replication: another member was faster */
    ERRNO_ER_CONNECTION_KILLED = 1927,      /* MariaDB */
    ERRNO_ER_STATEMENT_TIMEOUT = 1969,      /* MariaDB */
    ERRNO_ER_QUERY_TIMEOUT = 3024,          /* MySQL */
    ERRNO_ER_CLIENT_INTERACTION = 4031,     /* MySQL: disconnected by the server */
    ERRNO_CR_CONNECTION_LOST_STMT = 2056,
};

enum { PACKET_LEAST = 1000 }; /* what is not longer every server takes */

void db_library_init(void)
{
    mysql_library_init(0, NULL, NULL);
}

void db_thread_end(void)
{
    mysql_thread_end();
}

void db_library_end(void)
{
    mysql_library_end();
}

/* Which kind of failure a server's or client's error number is. */
static enum err classify(unsigned number)
{
    switch (number) {
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ERRNO_ER_CHECKREAD:
    case ER_QUERY_INTERRUPTED:
    case ERRNO_ER_NEED_REPREPARE:
    case ERRNO_ER_ROLLBACK_DURING_COMMIT:
        return ERR_DB_RETRY;
    case ERRNO_ER_STATEMENT_TIMEOUT:
    case ERRNO_ER_QUERY_TIMEOUT:
        return ERR_TIMEOUT;
    case ER_CON_COUNT_ERROR:
    case ERRNO_ER_TOO_MANY_USER_CONNECTIONS:
    case ERRNO_ER_USER_LIMIT_REACHED:
    case ERRNO_ER_UNKNOWN_STMT_HANDLER:
    case ERRNO_ER_UNKNOWN_COM_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_NORMAL_SHUTDOWN:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_WRITE_INTERRUPTED:
    case ERRNO_ER_OPTION_PREVENTS:
    case ERRNO_ER_READ_ONLY_MODE:
    case ERRNO_ER_RUN_HOOK_ERROR:
    case ERRNO_ER_CONNECTION_KILLED:
    case ERRNO_ER_CLIENT_INTERACTION:
    case ERRNO_CR_CONNECTION_LOST_STMT:
        return ERR_DB_GONE;
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ERRNO_ER_SPECIFIC_ACCESS_DENIED:
        return ERR_DENIED;
    case ER_NO_SUCH_TABLE:
    case ER_BAD_DB_ERROR:
        return ERR_NOT_FOUND;
    case ER_BAD_NULL_ERROR:
    case ER_DUP_ENTRY:
    case ER_DATA_TOO_LONG:
    case ER_WARN_DATA_OUT_OF_RANGE:
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case ERRNO_ER_INVALID_CHARACTER_STRING:
    case ERRNO_ER_DATETIME_OVERFLOW:
    case ERRNO_ER_DATA_OUT_OF_RANGE:
    case ER_NET_PACKET_TOO_LARGE:
    case ER_NO_REFERENCED_ROW_2:
    case ER_ROW_IS_REFERENCED_2:
        return ERR_DB_REFUSED;
    default:
        return number >= CR_MIN_ERROR && number <= CR_MAX_ERROR ? ERR_DB_GONE : ERR_DB;
    }
}

int db_failed(struct db *d, MYSQL_STMT *stmt, const char *what, struct error *e)
{
    unsigned number = stmt ? mysql_stmt_errno(stmt) : mysql_errno(d->mysql);
    const char *text = stmt ? mysql_stmt_error(stmt) : mysql_error(d->mysql);
    enum err code = classify(number);
    if (code == ERR_DB_GONE)
        d->usable = false;
    error_set(e, code, "%s: %s (%u)", what, *text ? text : "unknown error", number);
    if (e)
        e->db_errno = (int)number;
    return code;
}

int db_check_usable(const struct db *d, struct error *e)
{
    if (d->usable)
        return 0;
    if (d->stopped)
        return error_set(e, ERR_CANCELLED, "asked to stop while the database was at work");
    return error_set(e, ERR_DB_GONE, "the connection to the database is lost");
}

static int read_packet_max(struct db *d, struct error *e)
{
    int rc = db_exec(d, "SELECT @@SESSION.max_allowed_packet", e);
    if (rc)
        return rc;
    MYSQL_RES *result = mysql_store_result(d->mysql);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    if (row && row[0])
        d->packet_max = strtoull(row[0], NULL, 10);
    else
        rc = db_failed(d, NULL, "max_allowed_packet", e);
    mysql_free_result(result);
    return rc;
}

int db_check_length(struct db *d, size_t bytes, struct error *e)
{
    int rc = bytes > PACKET_LEAST && !d->packet_max ? read_packet_max(d, e) : 0;
    if (rc || bytes <= PACKET_LEAST || bytes < d->packet_max)
        return rc;
    rc = error_set(e, ERR_DB_REFUSED, "statement: its %zu bytes are more than the database server takes at once: raise "
                                      "its max_allowed_packet, which is %llu, or send less",
                   bytes, (unsigned long long)d->packet_max);
    if (e)
        e->db_errno = ER_NET_PACKET_TOO_LARGE;
    return rc;
}

/* Rounded up: the client library counts whole seconds. */
static unsigned connect_seconds(int64_t usec)
{
    return usec <= 0 ? 1 : (unsigned)((usec + 999999) / 1000000);
}

/* To authorities alone the library gives no more than the wish: it goes on without TLS where the server (or who
 * stands between) has none, and takes any name that they have signed. A socket leads to this host, but has no name
 * that a certificate could be for. */
static void set_tls(MYSQL *mysql, const char *ca, bool local)
{
    mysql_options(mysql, MYSQL_OPT_SSL_CA, ca);
#ifdef MARIADB_BASE_VERSION
    db_flag verify = !local;
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
    unsigned mode = local ? SSL_MODE_PREFERRED : SSL_MODE_VERIFY_IDENTITY;
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
#endif
}

static bool is_local(const struct db_address *a)
{
    return a->socket && *a->socket;
}

static void set_options(MYSQL *mysql, const struct db_address *a, const struct db_options *o)
{
    unsigned connect = connect_seconds(a->connect_timeout_usec);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    if (o->timeout_s > 0) {
        unsigned seconds = (unsigned)o->timeout_s;
        mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
        mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    }
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    unsigned local_infile = 0; /* a server may ask for any file in answer to any statement */
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
    if (a->tls_ca && *a->tls_ca)
        set_tls(mysql, a->tls_ca, is_local(a));
}

static void add_statement_limit(struct buf *sql, bool mariadb, int64_t msec)
{
    if (mariadb)
        buf_addf(sql, "max_statement_time = %lld.%03d", (long long)(msec / 1000), (int)(msec % 1000));
    else
        buf_addf(sql, "max_execution_time = %lld", (long long)msec);
}

/* Times are compared and stored in UTC. */
static int set_queue_session(struct db *d, const struct db_options *o, struct error *e)
{
    bool mariadb = db_is_mariadb(d);
    struct buf sql = BUF_INIT;
    buf_addf(&sql,
             "SET SESSION %s = 'READ-COMMITTED', time_zone = '+00:00',"
             " sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',"
             " group_concat_max_len = 1048576, innodb_lock_wait_timeout = %d, autocommit = 1",
             mariadb ? "tx_isolation" : "transaction_isolation", DB_LOCK_WAIT_S);
    if (o->silence_s) /* a client that is frozen or cut off within a transaction keeps its locks until then */
        buf_addf(&sql, ", %s = %d", mariadb ? "idle_transaction_timeout" : "wait_timeout", o->silence_s);
    if (o->statement_msec) {
        buf_adds(&sql, ", ");
        add_statement_limit(&sql, mariadb, o->statement_msec);
    }
    int rc = db_exec(d, buf_str(&sql), e);
    buf_free(&sql);
    return rc;
}

static int set_zone(struct db *d, const char *zone, struct error *e)
{
    struct db_stmt *set = NULL;
    struct db_value value = db_text(zone);
    int64_t rc = db_prepare(d, "SET SESSION time_zone = ?", &set, e);
    if (!rc)
        rc = db_run(set, &value, 1, e);
    db_stmt_close(&set);
    return rc < 0 ? (int)rc : 0;
}

static int set_session(struct db *d, const struct db_options *o, struct error *e)
{
    if (o->session == DB_SESSION_QUEUE)
        return set_queue_session(d, o, e);
    return o->time_zone ? set_zone(d, o->time_zone, e) : 0;
}

int db_open(const struct db_address *a, const struct db_options *o, struct db **out,
            struct error *e)
{
    struct db *d = xcalloc(1, sizeof *d);
    int rc;
    d->mysql = mysql_init(NULL);
    if (!d->mysql) {
        free(d);
        return error_set(e, ERR_SYSTEM, "the database client library cannot be initialised");
    }
    d->timeout_s = o->timeout_s;
    set_options(d->mysql, a, o);
    bool local = is_local(a);
    const char *host = local ? "localhost" : a->host && *a->host ? a->host : "127.0.0.1";
    if (!mysql_real_connect(d->mysql, host, a->user, a->password, a->name, a->port,
                            local ? a->socket : NULL, CLIENT_FOUND_ROWS)) {
        rc = db_failed(d, NULL, "cannot connect to the database", e);
        goto fail;
    }
    d->usable = true;
    rc = set_session(d, o, e);
    if (rc)
        goto fail;
    *out = d;
    return 0;

fail:
    db_close(&d);
    return rc;
}

void db_close(struct db **dp)
{
    struct db *d = *dp;
    if (!d)
        return;
    *dp = NULL;
    while (d->stmts) {
        struct db_stmt *s = d->stmts;
        db_stmt_close(&s);
    }
    mysql_close(d->mysql);
    for (size_t i = 0; i < COUNT_OF(d->prepared); i++)
        free(d->prepared[i].sql);
    free(d->rows_set_sql);
    free(d);
}

bool db_usable(const struct db *d)
{
    return d->usable;
}

int db_ping(struct db *d, struct error *e)
{
    int rc = db_check_usable(d, e);
    if (rc)
        return rc;
    return mysql_ping(d->mysql) ? db_failed(d, NULL, "ping", e) : 0;
}

int db_fd(const struct db *d)
{
    return (int)d->mysql->net.fd;
}

bool db_is_mariadb(const struct db *d)
{
    const char *version = mysql_get_server_info(d->mysql);
    return version && strstr(version, "MariaDB");
}

unsigned long db_thread_id(const struct db *d)
{
    return mysql_thread_id(d->mysql);
}

void db_set_stop(struct db *d, bool (*stop)(void *context), void *context)
{
    d->stop = stop;
    d->stop_context = context;
}

int db_kill_query(const struct db_address *address, unsigned long thread_id, struct error *e)
{
    struct db *d;
    struct db_options options = {.session = DB_SESSION_SOURCE, .timeout_s = 2};
    int rc = db_open(address, &options, &d, e);
    if (rc)
        return rc;
    char sql[64];
    snprintf(sql, sizeof sql, "KILL QUERY %lu", thread_id);
    struct error failure = {0};
    rc = db_exec(d, sql, &failure);
    db_close(&d);
    if (failure.db_errno == ER_NO_SUCH_THREAD)
        return 0;
    if (rc && e)
        *e = failure;
    return rc;
}

int db_statement_timeout(struct db *d, int64_t msec, struct error *e)
{
    struct buf sql = BUF_INIT;
    buf_adds(&sql, "SET SESSION ");
    add_statement_limit(&sql, db_is_mariadb(d), msec);
    int rc = db_exec(d, buf_str(&sql), e);
    buf_free(&sql);
    return rc;
}

int db_exec(struct db *d, const char *sql, struct error *e)
{
    int rc = db_check_usable(d, e);
    if (rc)
        return rc;
    if (mysql_real_query(d->mysql, sql, (unsigned long)strlen(sql)))
        return db_failed(d, NULL, "statement", e);
    return 0;
}

int db_begin(struct db *d, struct error *e)
{
    int rc = db_exec(d, "START TRANSACTION", e);
    if (!rc)
        d->in_transaction = true;
    return rc;
}

int db_begin_snapshot(struct db *d, struct error *e)
{
    /* holds for the next transaction only */
    int rc = db_exec(d, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", e);
    if (!rc)
        rc = db_exec(d, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", e);
    if (!rc)
        d->in_transaction = true;
    return rc;
}

int db_commit(struct db *d, struct error *e)
{
    int rc = db_exec(d, "COMMIT", e);
    if (!rc)
        d->in_transaction = false;
    return rc;
}

void db_rollback(struct db *d)
{
    if (!d->in_transaction)
        return;
    d->in_transaction = false;
    struct error ignored = {0};
    /* a rollback that fails leaves a session that nobody may use: the server rolls back for us */
    if (d->usable && db_exec(d, "ROLLBACK", &ignored))
        d->usable = false;
}

bool db_in_transaction(const struct db *d)
{
    return d->in_transaction;
}
