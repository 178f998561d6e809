/* SPDX-License-Identifier: MIT */
/* doctor_server.c: settings of the server and of its sessions, each with what it means for the queue. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "doctor_impl.h"

#define MEBIBYTE INT64_C(1048576)
#define SECOND INT64_C(1000000)

int doctor_version(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d, "SELECT VERSION()", NULL, 0, e);
    if (rc < 0)
        return rc;
    const char *text = db_col_text(d->stmt, 0, NULL);
    unsigned major = 0, minor = 0, patch = 0;
    sscanf(text, "%u.%u.%u", &major, &minor, &patch);
    unsigned version = major * 10000 + minor * 100 + patch;
    bool maria = db_is_mariadb(d->db);
    if (version < (maria ? 100600u : 80016u))
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "%s: too old, SKIP LOCKED and expressions as defaults are missing; MariaDB 10.6 or "
                     "MySQL 8.0.16",
                     text);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "%s %s", maria ? "MariaDB" : "MySQL", text);
    return 0;
}

int doctor_writable(struct doctor *d, struct error *e)
{
    int64_t off = 0;
    int rc = doctor_number(d, "SELECT @@global.read_only", &off, e);
    if (rc)
        return rc;
    if (off)
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "read_only = ON: no task can be created or claimed; is this a replica? point the section "
                     "database at the primary");
    else
        finding_tell(d->findings, FINDING_OK, d->what, "read_only = OFF");
    return 0;
}

int doctor_isolation(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d, db_is_mariadb(d->db) ? "SELECT @@session.tx_isolation" : "SELECT "
                                                  "@@session.transaction_isolation",
                        NULL, 0, e);
    if (rc < 0)
        return rc;
    const char *text = db_col_text(d->stmt, 0, NULL);
    if (strcmp(text, "READ-COMMITTED") != 0)
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "%s although each session sets READ COMMITTED: inserts wait for claims and deadlocks "
                     "come; is there a proxy that drops SET SESSION?",
                     text);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "READ-COMMITTED in Backdesk's sessions");
    return 0;
}

/* The statement format cannot log what READ COMMITTED changes, and the server refuses it (1665). */
int doctor_binlog(struct doctor *d, struct error *e)
{
    int rc = doctor_ask(d, "SELECT @@global.binlog_format, @@global.log_bin, @@global.sync_binlog", NULL, 0, e);
    if (rc < 0)
        return rc;
    const char *format = db_col_text(d->stmt, 0, NULL);
    int64_t on = db_col_int(d->stmt, 1), sync = db_col_int(d->stmt, 2);
    bool statement = strcmp(format, "STATEMENT") == 0;
    if (on && statement)
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "binlog_format = STATEMENT: every claim and every POST is refused (1665); "
                     "SET GLOBAL binlog_format = 'ROW' (or MIXED), and restart the daemons");
    else if (on && sync != 1)
        finding_tell(d->findings, FINDING_NOTE, d->what,
                     "%s, sync_binlog = %" PRId64 ": after a loss of power replicas and this server may "
                     "differ; sync_binlog = 1 where there are replicas",
                     format, sync);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "%s", on ? format : "off");
    return 0;
}

int doctor_durability(struct doctor *d, struct error *e)
{
    int64_t flush = 0;
    int rc = doctor_number(d, "SELECT @@global.innodb_flush_log_at_trx_commit", &flush, e);
    if (rc)
        return rc;
    if (flush == 1 || flush == 3) /* 3: MariaDB's older group commit, as durable */
        finding_tell(d->findings, FINDING_OK, d->what, "innodb_flush_log_at_trx_commit = %" PRId64, flush);
    else
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "innodb_flush_log_at_trx_commit = %" PRId64 ": a task that was acknowledged is lost "
                     "when the %s; 1 keeps the promise and costs little, since commits share their fsync",
                     flush, flush == 2 ? "machine stops" : "server or the machine stops");
    return 0;
}

int doctor_packet(struct doctor *d, struct error *e)
{
    int64_t most = 0;
    int rc = doctor_number(d, "SELECT @@global.max_allowed_packet", &most, e);
    if (rc)
        return rc;
    if (most < d->needs->packet_bytes)
        finding_tell(d->findings, FINDING_WRONG, d->what,
                     "max_allowed_packet = %" PRId64 " MiB: the largest POST (api.max_body) or the ends of "
                     "a batch of tasks need %" PRId64 " MiB; raise it, or lower api.max_body",
                     most / MEBIBYTE, d->needs->packet_bytes / MEBIBYTE);
    else
        finding_tell(d->findings, FINDING_OK, d->what, "max_allowed_packet = %" PRId64 " MiB, %" PRId64 " "
                                                       "are needed",
                     most / MEBIBYTE, d->needs->packet_bytes / MEBIBYTE);
    return 0;
}

/* The database's clock decides everything that is stored; this host's dates its log and its files. */
int doctor_clock(struct doctor *d, struct error *e)
{
    int64_t before = clock_wall_usec();
    int rc = doctor_ask(d, "SELECT UTC_TIMESTAMP(6)", NULL, 0, e);
    int64_t after = clock_wall_usec();
    if (rc < 0)
        return rc;
    int64_t middle = before + (after - before) / 2, off = db_col_instant(d->stmt, 0) - middle;
    enum finding how = llabs(off) > 60 * SECOND ? FINDING_WRONG : llabs(off) > 2 * SECOND ? FINDING_NOTE : FINDING_OK;
    const char *more = how == FINDING_OK ? "" : ": log lines and files of this host are dated wrongly, a "
                                           "file without a row may be removed too early or late; run a time "
                                           "service on both";
    finding_tell(d->findings, how, d->what, "the database is %.3f s %s this host%s", (double)llabs(off) / 1e6,
                 off < 0 ? "behind" : "ahead of", more);
    return 0;
}

/* How many connections all runners may have, if they are configured alike. */
static int runners_connections(struct doctor *d, int64_t *out, struct error *e)
{
    int64_t count = 0;
    int rc = doctor_number(d, "SELECT COUNT(*) FROM runners WHERE gone_at IS NULL", &count, e);
    *out = (count ? count : 1) * d->needs->runner_connections;
    return rc;
}

int doctor_connections(struct doctor *d, struct error *e)
{
    int64_t most = 0, used = 0, runners = 0, api = d->needs->api_connections;
    int rc = doctor_number(d, "SELECT @@global.max_connections", &most, e);
    if (!rc)
        rc = doctor_status(d, "Max_used_connections", &used, e);
    if (!rc)
        rc = runners_connections(d, &runners, e);
    if (rc)
        return rc;
    enum finding how = api + runners > most ? FINDING_WRONG
                       : (api + runners) * 5 > most * 4 || used * 10 >= most * 9 ? FINDING_NOTE
                                                                                   : FINDING_OK;
    finding_tell(d->findings, how, d->what,
                 "max_connections = %" PRId64 ", most ever used %" PRId64 ", a pool may open %" PRId64
                 ", the runners %" PRId64 "%s",
                 most, used, api, runners,
                 how == FINDING_OK ? "" : ": when they are used up requests are answered with 503; raise "
                                     "max_connections, or lower api.processes, api.database_connections or "
                                     "runner.workers");
    return 0;
}

int doctor_memory(struct doctor *d, struct error *e)
{
    int64_t pool = 0, reads = 0, requests = 0, free_pages = 0, pages = 0, table = 0;
    int rc = doctor_number(d, "SELECT @@global.innodb_buffer_pool_size", &pool, e);
    if (!rc)
        rc = doctor_status(d, "Innodb_buffer_pool_reads", &reads, e);
    if (!rc)
        rc = doctor_status(d, "Innodb_buffer_pool_read_requests", &requests, e);
    if (!rc)
        rc = doctor_status(d, "Innodb_buffer_pool_pages_free", &free_pages, e);
    if (!rc)
        rc = doctor_status(d, "Innodb_buffer_pool_pages_total", &pages, e);
    if (!rc)
        rc = doctor_number(d, "SELECT COALESCE(SUM(index_length), 0) FROM information_schema.tables"
                              " WHERE table_schema = DATABASE() AND table_name = 'tasks'", &table, e);
    if (rc)
        return rc;
    /* reads tell nothing where the pool has room, as after a start; a full one keeps some pages free */
    bool small = table * 2 > pool || (free_pages * 4 < pages && requests > 100000 && reads * 100 > requests);
    finding_tell(d->findings, small ? FINDING_NOTE : FINDING_OK, d->what,
                 "innodb_buffer_pool_size = %" PRId64 " MiB, indexes of tasks %" PRId64 " MiB, %.2f%% of "
                 "page reads from disk%s",
                 pool / MEBIBYTE, table / MEBIBYTE, requests ? 100.0 * (double)reads / (double)requests : 0.0,
                 small ? ": raise it, or shorten queue.retention_success" : "");
    return 0;
}
